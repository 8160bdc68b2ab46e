"""An embedder for many threads: questions that come together are embedded together, and the latest vectors are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from doceo.core.errors import DoceoError
from doceo.core.protocols import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT = 4096
"""Vectors that are kept: 6 MB of 384 dimensions."""
_LONGEST = 2000
"""Characters of a text whose vector is kept: a longer one would fill the memory as the key that it stands under."""


class SharedEmbedder:
    """An `Embedder` over another one; its vectors are the same, but for rounding where that one pads texts together.

    A thread that finds nobody at work embeds what waits, its own question among it, without waiting for more; those
    that come meanwhile are the next batch. A question that is being embedded already is not embedded again.

    Args:
        embedder: The embedder that does the work.
        together: Most questions of one batch; 1 where the embedder gains nothing by several.
        at_once: Batches under way at the same time.
        kept: Vectors that are kept, those used longest ago given up first; 0 keeps none.
    """

    def __init__(self, embedder: Embedder, *, together: int = 32, at_once: int = 1, kept: int = KEPT) -> None:
        self.name, self.dimensions, self.max_tokens = embedder.name, embedder.dimensions, embedder.max_tokens
        self._embedder, self._together, self._kept_most = embedder, together, kept
        self._kept: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()
        self._turn = threading.Condition()
        self._free = at_once
        self._waiting: deque[_Asked] = deque()
        self._asked: dict[str, _Asked] = {}

    @property
    def fingerprint(self) -> str:
        """That of the embedder that does the work."""
        return self._embedder.fingerprint

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) code points of every token of the text, without special tokens."""
        return self._embedder.offsets(text)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions). Errors as of the embedder that does the work."""
        import numpy as np

        with self._turn:
            found = {text: vector for text in texts if (vector := self._known("text", text)) is not None}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found |= dict(zip(missing, self._embedder.embed(missing), strict=True))
            with self._turn:
                for text in missing:
                    self._keep("text", text, found[text])
        return np.stack([found[text] for text in texts]) if texts else self._embedder.embed([])

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions as `embed` does; those of several threads are worked out together."""
        import numpy as np

        asked = self._ask(texts)
        while (batch := self._batch(asked)) is not None:
            self._answer(batch)
        for one in asked.values():
            if one.error is not None:
                raise one.error
        vectors = [asked[text].vector for text in texts]
        return np.stack([vector for vector in vectors if vector is not None]) if texts else self._embedder.embed([])

    def _ask(self, texts: Sequence[str]) -> dict[str, _Asked]:
        """Return what each text waits for: its kept vector, the batch that it is in, or a place in the queue."""
        asked: dict[str, _Asked] = {}
        with self._turn:
            for text in dict.fromkeys(texts):
                known = self._known("question", text)
                if known is not None:
                    asked[text] = _Asked(text, known)
                elif text in self._asked:
                    asked[text] = self._asked[text]
                else:
                    asked[text] = self._asked[text] = _Asked(text)
                    self._waiting.append(asked[text])
        return asked

    def _batch(self, asked: dict[str, _Asked]) -> list[_Asked] | None:
        """Wait, and return what this thread is to embed next, or None once its own questions are answered."""
        with self._turn:
            self._turn.wait_for(lambda: all(one.done for one in asked.values()) or (self._free and self._waiting))
            if all(one.done for one in asked.values()):
                return None
            self._free -= 1
            return [self._waiting.popleft() for _ in range(min(self._together, len(self._waiting)))]

    def _answer(self, batch: list[_Asked]) -> None:
        try:
            vectors, errors = self._vectors(batch)
        except BaseException as error:
            vectors, errors = {}, {one.text: error for one in batch}
            raise
        finally:
            with self._turn:
                for one in batch:
                    one.vector, one.error = vectors.get(one.text), errors.get(one.text)
                    one.done = True
                    del self._asked[one.text]
                    if one.vector is not None:
                        self._keep("question", one.text, one.vector)
                self._free += 1
                self._turn.notify_all()

    def _vectors(self, batch: list[_Asked]) -> tuple[dict[str, NDArray[np.float32]], dict[str, BaseException]]:
        """Return the vectors of a batch; where one text cannot be embedded, only who asked it is told."""
        try:
            vectors = self._embedder.embed_queries([one.text for one in batch])
        except DoceoError as error:
            if len(batch) == 1:
                return {}, {batch[0].text: error}
            parts = [self._vectors([one]) for one in batch]
            return (
                {text: vector for found, _ in parts for text, vector in found.items()},
                {text: why for _, wrong in parts for text, why in wrong.items()},
            )
        return {one.text: vector for one, vector in zip(batch, vectors, strict=True)}, {}

    def _known(self, kind: str, text: str) -> NDArray[np.float32] | None:
        found = self._kept.get((kind, text))
        if found is not None:
            self._kept.move_to_end((kind, text))
        return found

    def _keep(self, kind: str, text: str, vector: NDArray[np.float32]) -> None:
        if len(text) > _LONGEST:
            return
        self._kept[kind, text] = vector.copy()
        while len(self._kept) > self._kept_most:
            self._kept.popitem(last=False)


class _Asked:
    """A question on its way: answered once `done`, with a vector or an error."""

    def __init__(self, text: str, vector: NDArray[np.float32] | None = None) -> None:
        self.text, self.vector = text, vector
        self.error: BaseException | None = None
        self.done = vector is not None
