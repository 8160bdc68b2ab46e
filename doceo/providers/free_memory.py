"""The memory that can still be had: on a GPU, on the machine, or in the container that limits it."""

from __future__ import annotations

import re
from pathlib import Path

import psutil

CONTAINER = Path("/sys/fs/cgroup")


def free_memory(device: str, container: Path = CONTAINER) -> int:
    """Return the bytes that this process may take more, on the GPU (`cuda`) or in memory (any other device)."""
    if device == "cuda":
        import torch

        # What torch has reserved and not given out counts as free: it is given out first.
        return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved() - torch.cuda.memory_allocated())
    return int(min([psutil.virtual_memory().available, *_left_to_container(container)]))


def _left_to_container(folder: Path) -> list[int]:
    """Return the bytes that a container's own limit leaves, in a list that is empty where there is none."""
    try:
        limit, used = ((folder / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
        cached = re.search(r"^inactive_file (\d+)$", (folder / "memory.stat").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return []
    if not limit.isdigit():
        return []
    # Files that are kept in memory because they were read are let go when the room is needed.
    return [max(0, int(limit) - int(used) + (int(cached[1]) if cached else 0))]
