"""What this machine has: cores, memory, an accelerator; and which base model fits it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib.util import find_spec

import psutil

from doceo.providers.shipped_model import NAME

GIB = 2**30


@dataclass(frozen=True)
class Machine:
    """Memory in bytes; `accelerator` is empty where there is none, `accelerator_memory` then 0."""

    system: str
    python: str
    cores: int
    memory: int
    free_memory: int
    accelerator: str
    accelerator_memory: int

    def words(self) -> str:
        """Return the machine in one line."""
        gpu = f"{self.accelerator} ({self.accelerator_memory / GIB:.0f} GiB)" if self.accelerator else "no GPU"
        return (
            f"{self.system}, Python {self.python}, {self.cores} cores, {self.memory / GIB:.0f} GiB of memory "
            f"({self.free_memory / GIB:.0f} GiB free), {gpu}"
        )


def describe() -> Machine:
    """Look at this machine. torch is loaded where it is installed, to find an accelerator."""
    name, size = "", 0
    if find_spec("torch") is not None:
        import torch

        if torch.cuda.is_available():
            properties = torch.cuda.get_device_properties(0)
            name, size = properties.name, properties.total_memory
        elif torch.backends.mps.is_available():
            name, size = "Apple GPU", psutil.virtual_memory().total
    memory = psutil.virtual_memory()
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        python=".".join(map(str, sys.version_info[:3])),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=memory.total,
        free_memory=memory.available,
        accelerator=name,
        accelerator_memory=size,
    )


def suggested_base(machine: Machine) -> str:
    """Return a base model that LoRA in 16 bits fits on this machine in reasonable time.

    A rule of thumb, not a measurement: 2 bytes a parameter for the weights, as much again for activations and
    optimizer; on a CPU only the smallest is patient enough to wait for.
    """
    if machine.accelerator_memory >= 20 * GIB:
        return "Qwen/Qwen3-4B"
    if machine.accelerator_memory >= 8 * GIB:
        return "Qwen/Qwen3-1.7B"
    if machine.accelerator_memory or (machine.cores >= 8 and machine.free_memory >= 8 * GIB):
        return "Qwen/Qwen3-0.6B"
    return NAME
