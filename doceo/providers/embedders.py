"""From a name to an embedder."""

from __future__ import annotations

import threading

from doceo.core.protocols import Embedder
from doceo.providers import minilm_files
from doceo.providers.shared_embedder import SharedEmbedder

DEFAULT = "all-MiniLM-L6-v2"
_shared: dict[str, SharedEmbedder] = {}
_opening = threading.Lock()


def open_embedder(name: str = DEFAULT) -> Embedder:
    """Return the embedder of a name.

    `all-MiniLM-L6-v2` is the packaged one, which needs neither torch nor network, where its package is installed;
    every other name or folder is a sentence-transformers model. Raises ModelNotFound, Unreachable.
    """
    if _is_packaged(name):
        from doceo.providers.minilm_onnx import MiniLM

        return MiniLM()
    from doceo.providers.sentence_embed import SentenceEmbedder

    return SentenceEmbedder(name)


def shared_embedder(name: str = DEFAULT) -> SharedEmbedder:
    """Return this process's embedder of a name for searches, the same one every time. Raises as `open_embedder`.

    The packaged model runs every text by itself, so its questions share the cores; those of other models share a
    batch.
    """
    with _opening:
        if name not in _shared:
            opened = open_embedder(name)
            together, at_once = (1, minilm_files.cores()) if _is_packaged(name) else (32, 1)
            _shared[name] = SharedEmbedder(opened, together=together, at_once=at_once)
        return _shared[name]


def _is_packaged(name: str) -> bool:
    return name in {DEFAULT, f"sentence-transformers/{DEFAULT}"} and minilm_files.installed()
