"""The base models that clients of the service may name."""

from __future__ import annotations

from pathlib import Path

from doceo.app.bases import NO_MODEL
from doceo.app.settings import Settings
from doceo.providers.shipped_model import NAME


def tunable(settings: Settings) -> dict[str, str]:
    """Return the bases that jobs may tune, as id -> folder or name on the hub, the default first.

    A client names one of these ids: what it sends never becomes a path, and nothing is fetched that the operator has
    not named.
    """
    first = () if settings.base == NO_MODEL else (settings.base or NAME,)
    named = dict.fromkeys((*first, *settings.service.bases, NAME))
    return {(Path(one).name if Path(one).is_dir() else one): one for one in named}
