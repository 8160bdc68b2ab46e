"""From a name to an embedder."""

from __future__ import annotations

from doceo.core.protocols import Embedder

DEFAULT = "all-MiniLM-L6-v2"


def open_embedder(name: str = DEFAULT) -> Embedder:
    """Return the embedder of a name.

    `all-MiniLM-L6-v2` is the packaged one, which needs neither torch nor network, where its package is installed;
    every other name or folder is a sentence-transformers model. Raises ModelNotFound, Unreachable.
    """
    from doceo.providers import minilm_files

    if name in {DEFAULT, f"sentence-transformers/{DEFAULT}"} and minilm_files.installed():
        from doceo.providers.minilm_onnx import MiniLM

        return MiniLM()
    from doceo.providers.sentence_embed import SentenceEmbedder

    return SentenceEmbedder(name)
