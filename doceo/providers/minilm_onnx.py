"""The packaged all-MiniLM-L6-v2 through tokenizers and onnxruntime: int8, no torch, no network."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.errors import InputError, ProviderError
from doceo.providers import minilm_files
from doceo.text.surrogates import without_surrogates

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

NAME = "all-MiniLM-L6-v2"
LEAST_COSINE = 0.98
"""An int8 vector further than this from its shipped fp32 one (some old CPUs saturate) means: use fp32."""
_FEW = 4


class MiniLM:
    """An `Embedder`: 384 dimensions, texts of at most 254 word pieces.

    Every text is run by itself, in as many threads as there are cores, so a vector depends on its text alone and not
    on what stands beside it in the call.

    Args:
        threads: Texts embedded at the same time; left out, the number of cores this process may use, at most 16.
    """

    name: str = NAME
    dimensions: int = 384
    max_tokens: int = 254

    def __init__(self, threads: int | None = None) -> None:
        self.threads = max(1, min(threads or 16, minilm_files.cores()))
        self._opening = threading.Lock()
        self._opened: tuple[onnxruntime.InferenceSession, str] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Name, backend (`onnx-int8`, or `onnx-fp32` where int8 is wrong on this CPU) and hash of the weights."""
        return f"{NAME}|{self._open()[1]}|{minilm_files.WEIGHTS_SHA256[:12]}"

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(minilm_files.tokenizer_json())
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) code points of every word piece, without special tokens. Needs no weights."""
        encoding = self._tokenizer.encode(without_surrogates(text), add_special_tokens=False)
        return [(start, end) for start, end in encoding.offsets]

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of word pieces of every text, without special tokens; cheaper than their offsets."""
        encodings = self._tokenizer.encode_batch_fast(
            [without_surrogates(text) for text in texts], add_special_tokens=False
        )
        return [len(encoding) for encoding in encodings]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), 384), rows of length 1.

        Raises InputError where a text has more than `max_tokens` word pieces: nothing is cut silently; whoever wants
        a longer text shortened cuts it by its `offsets`. Raises ProviderError where the model's files are damaged.
        """
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        rows = [self._ids(text) for text in texts]
        if not rows:
            return vectors
        session, _ = self._open()

        def run(at: int) -> None:
            vectors[at] = session.run(None, {"ids": rows[at]})[0][0]

        # longest first, so that no thread is left alone with a long text at the end
        order = sorted(range(len(rows)), key=lambda at: -rows[at].shape[1])
        if self.threads == 1 or len(rows) <= _FEW:
            for at in order:
                run(at)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                for _ in pool.map(run, order):
                    pass
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the same vectors as `embed`: the model makes no difference between questions and passages."""
        return self.embed(texts)

    def _ids(self, text: str) -> NDArray[np.int64]:
        ids = self._tokenizer.encode(without_surrogates(text)).ids
        if len(ids) > self.max_tokens + 2:
            raise InputError(
                f"A text of {len(ids) - 2} tokens is too long for {NAME}, which reads {self.max_tokens}: {text[:50]!r}",
                hint="Cut it into smaller passages.",
            )
        return np.array([ids], dtype=np.int64)

    def _open(self) -> tuple[onnxruntime.InferenceSession, str]:
        with self._opening:
            if self._opened is None:
                session = _session(minilm_files.graph(int8=True))
                backend = "onnx-int8"
                if self._least_cosine(session) < LEAST_COSINE:
                    session, backend = _session(minilm_files.graph(int8=False)), "onnx-fp32"
                    if (least := self._least_cosine(session)) < LEAST_COSINE:
                        raise ProviderError(
                            f"{NAME} gives wrong vectors on this machine (cosine {least:.3f} to the right ones).",
                            hint="Install onnxruntime again, or choose another embedder.",
                        )
                self._opened = session, backend
            return self._opened

    def _least_cosine(self, session: onnxruntime.InferenceSession) -> float:
        """Compare with vectors that the fp32 model gave through sentence-transformers."""
        reference = json.loads(files("doceo.providers").joinpath("minilm_reference.json").read_text(encoding="utf-8"))
        cosines = [
            float(session.run(None, {"ids": self._ids(text)})[0][0] @ np.array(vector, dtype=np.float32))
            for text, vector in zip(reference["texts"], reference["vectors"], strict=True)
        ]
        return min(cosines)


def _session(graph: bytes) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # the texts of a call share the cores; threads inside one text would only spin
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
