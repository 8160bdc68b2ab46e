"""Several processes that train one adapter together, as `torchrun` starts them.

Each process is given its place by `torchrun` (RANK, WORLD_SIZE, LOCAL_RANK). The first one reads, checks, decides and
writes; it tells the others what is to be trained, and they take their share of the rows of every step (data parallel:
gradients are averaged, Li and others, "PyTorch Distributed", VLDB 2020).
"""

from __future__ import annotations

import os
from datetime import timedelta

from doceo.core.errors import TrainingError

LONGEST_WAIT = timedelta(days=7)
"""The others wait for the first process, which may have a base to train before."""

_told: list[str] = []
"""What this process has told or was told."""


def rank() -> int:
    """Return the place of this process, 0 for the first."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def first() -> bool:
    """Return whether this process reads, decides and writes."""
    return rank() == 0


def tell(text: str = "") -> str:
    """Send a text from the first process to all others, and return it in each; alone, nothing is sent.

    An empty text says that there is nothing to do. Raises TrainingError where another process is gone.
    """
    if count() == 1:
        return text
    import torch
    from torch import distributed

    _join()
    _told.append(text)
    data = text.encode("utf-8")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    size = torch.tensor([len(data)], device=device)
    try:
        distributed.broadcast(size, 0)
        body = torch.zeros(int(size), dtype=torch.uint8, device=device)
        if first():
            body.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else body)
        distributed.broadcast(body, 0)
    except RuntimeError as error:
        raise TrainingError(
            "Another process of this training is gone.",
            hint="Its own message, above, says why; start all of them again.",
        ) from error
    return bytes(body.cpu().numpy()).decode("utf-8")


def either(*flags: bool) -> tuple[bool, ...]:
    """Return, for each flag, whether it is set in any of the processes: all of them have to ask at the same point."""
    if count() == 1:
        return flags
    import torch
    from torch import distributed

    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = torch.tensor(flags, dtype=torch.int32, device=device)
    distributed.all_reduce(found, op=distributed.ReduceOp.MAX)
    return tuple(bool(flag) for flag in found.tolist())


def summed(*numbers: float) -> tuple[float, ...]:
    """Return the sums of numbers over all processes, which have to ask at the same point."""
    if count() == 1:
        return numbers
    import torch
    from torch import distributed

    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = torch.tensor(numbers, dtype=torch.float64, device=device)
    distributed.all_reduce(found)
    return tuple(found.tolist())


def dismiss() -> None:
    """Tell the others, in the first process, that there is nothing to do, if they still wait; then leave."""
    if not _told:
        tell()
    leave()


def leave() -> None:
    """End the connection with the others."""
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()


def share(a_step: int) -> int:
    """Return the rows of an optimizer step that each process takes. Raises TrainingError where they do not divide."""
    if a_step % count():
        raise TrainingError(
            f"{a_step} rows of a step cannot be shared evenly by {count()} processes.",
            hint=f"Take a --batch-size that {count()} divides.",
        )
    return a_step // count()


def _join() -> None:
    import torch
    from torch import distributed

    if distributed.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        distributed.init_process_group("nccl", timeout=LONGEST_WAIT)
    else:
        # Read by accelerate, which would look for a GPU otherwise.
        os.environ["ACCELERATE_USE_CPU"] = "true"
        distributed.init_process_group("gloo", timeout=LONGEST_WAIT)
