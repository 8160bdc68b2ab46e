"""Stages in parts on the machines of a Ray cluster.

Parts travel as JSON, and come back in the order of the items. Ray gives the part of a machine that died to another.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from math import ceil
from typing import Any, TypeVar

from pydantic import TypeAdapter

from doceo.app.engine import Stage
from doceo.core.errors import DoceoError, Unreachable

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is reported to anybody
ray: Any = import_module("ray")
ray_data: Any = import_module("ray.data")

Item = TypeVar("Item")
Made = TypeVar("Made")
_PATIENCE = 5.0
"""Seconds to wait for the cluster's first answer."""
_PARTS_A_CORE = 4
"""Parts for each core of the cluster at a time, so that a slow one does not hold up all others."""


class Ray:
    """The cluster that RAY_ADDRESS names, or one of this machine's cores alone, which is started."""

    def __init__(self) -> None:
        if not ray.is_initialized():
            try:
                _knock(os.environ.get("RAY_ADDRESS", ""))
                ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
            except (OSError, RuntimeError, ValueError) as error:
                address = os.environ.get("RAY_ADDRESS", "this machine")
                raise Unreachable(
                    f"There is no Ray cluster at {address}: {' '.join(str(error).split())[:160]}",
                    hint="Start it with `ray start --head`, or set RAY_ADDRESS to where it is.",
                ) from error
        self.at_once = max(1, ceil(_PARTS_A_CORE * ray.cluster_resources().get("CPU", 1)))

    def each(self, stage: Stage[Item, Made], items: Sequence[Item]) -> Iterator[Made]:
        """Yield what a stage makes of the items, in their order. Raises what the stage raises."""
        if not items:
            return
        takes, makes = TypeAdapter(stage.takes), TypeAdapter(stage.makes)
        parts = [
            {"items": [takes.dump_json(item) for item in items[at : at + stage.part]]}
            for at in range(0, len(items), stage.part)
        ]
        context = ray_data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        context.raise_original_map_exception = True
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context.print_on_execution_start = False
        rows = ray_data.from_items(parts, override_num_blocks=len(parts)).map(partial(_made, stage))
        try:
            for row in rows.iter_rows():
                for made in row["made"]:
                    yield makes.validate_json(made)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, DoceoError):
                raise error.cause from error
            raise


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at HOST:PORT: Ray itself tries for minutes and then ends the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _made(stage: Stage[Any, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return what a stage makes of a part, on whichever machine this runs."""
    takes, makes = TypeAdapter(stage.takes), TypeAdapter(stage.makes)
    items = [takes.validate_json(item) for item in row["items"]]
    return {"made": [makes.dump_json(made) for made in stage.work(items)]}
