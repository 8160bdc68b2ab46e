"""The embedder that a service serves: the one that its indexes are made with."""

from __future__ import annotations

from pathlib import Path

from doceo.app.host import Host
from doceo.providers.embedders import shared_embedder
from doceo.providers.shared_embedder import SharedEmbedder


def name_of(host: Host) -> str:
    """Return the embedder's id: its name, or the last name of its folder."""
    named = host.settings.embedder
    return Path(named).resolve().name if Path(named).is_dir() else named


def embedder_of(host: Host) -> SharedEmbedder:
    """Return the embedder, opened at the first need. Raises ModelNotFound, Unreachable."""
    return shared_embedder(host.settings.embedder)
