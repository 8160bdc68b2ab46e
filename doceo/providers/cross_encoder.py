"""A cross-encoder of sentence-transformers as a reranker: safetensors weights only, no code from the model."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.core.errors import ModelNotFound
from doceo.providers.sentence_embed import loading
from doceo.text.surrogates import without_surrogates

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 8
"""Pairs read between two looks at the clock."""


_shared: dict[str, CrossEncoderReranker] = {}
_opening = threading.Lock()


def shared_reranker(model: str) -> CrossEncoderReranker:
    """Return this process's reranker of a name, the same one every time. Raises as `CrossEncoderReranker`."""
    with _opening:
        if model not in _shared:
            _shared[model] = CrossEncoderReranker(model)
        return _shared[model]


class CrossEncoderReranker:
    """A `Reranker`. Loading it takes seconds, since it imports torch. Safe for threads, which take turns.

    A passage that the model cannot read whole together with the question is read in parts, and has the score of its
    best one: nothing is cut.

    Args:
        model: Name of the model on the Hugging Face hub, or its folder.
        device: `cpu`, `cuda`, `mps`; left out, what the machine has.

    Raises:
        ModelNotFound: No such folder or name, one without safetensors weights, or one that is no cross-encoder.
        Unreachable: The hub does not answer and the model is not in its cache.
    """

    def __init__(self, model: str, device: str | None = None) -> None:
        self._model = _load(model, device)
        self.name: str = Path(model).resolve().name if Path(model).is_dir() else model
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reranker")

    def score(self, question: str, texts: Sequence[str], seconds: float) -> list[float] | None:
        """Return a score between 0 and 1 for each text, or None where that takes longer than so many seconds.

        The time that other threads' questions take before this one counts. What is not wanted any more is left off
        at the next batch.
        """
        late = threading.Event()
        reading = self._reader.submit(self._score, question, texts, late)
        try:
            return reading.result(timeout=seconds)
        except TooLate:
            late.set()
            reading.cancel()
            return None

    def _score(self, question: str, texts: Sequence[str], late: threading.Event) -> list[float] | None:
        question = without_surrogates(question)
        parts = [
            (at, part) for at, text in enumerate(texts) for part in self._parts(question, without_surrogates(text))
        ]
        parts.sort(key=lambda part: len(part[1]))  # those of like length together: less padding
        best = [0.0] * len(texts)
        for start in range(0, len(parts), _BATCH):
            if late.is_set():
                return None
            some = parts[start : start + _BATCH]
            scores = self._model.predict(
                [(question, part) for _, part in some], batch_size=_BATCH, show_progress_bar=False
            )
            for (at, _), score in zip(some, scores, strict=True):
                best[at] = max(best[at], float(score))
        return best

    def _parts(self, question: str, text: str) -> list[str]:
        """Return a text in parts that fit into the model beside the question; a question fills half of it at most."""
        tokenizer = self._model.tokenizer
        room = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add(pair=True)
        room -= min(len(tokenizer(question, add_special_tokens=False, verbose=False)["input_ids"]), room // 2)
        places = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
        if len(places) <= room:
            return [text]
        return [text[places[at][0] : places[min(at + room, len(places)) - 1][1]] for at in range(0, len(places), room)]


def _load(model: str, device: str | None) -> CrossEncoder:
    with loading(model, "cross-encoder"):
        import torch
        from sentence_transformers import CrossEncoder
        from transformers import PreTrainedTokenizerFast

        found: CrossEncoder = CrossEncoder(
            model,
            device=device,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
            activation_fn=torch.nn.Sigmoid(),
        )
    named = (found.config.architectures if found.config is not None else None) or ()
    if found.num_labels != 1 or all(name.endswith(("Model", "ForMaskedLM")) for name in named):
        raise ModelNotFound(
            f"{model} is no cross-encoder that gives one score for a question and a passage.",
            hint="Choose one for retrieval, such as cross-encoder/ms-marco-MiniLM-L6-v2.",
        )
    if not isinstance(found.tokenizer, PreTrainedTokenizerFast):
        raise ModelNotFound(f"{model} has no fast tokenizer.", hint="Choose another cross-encoder.")
    return found
