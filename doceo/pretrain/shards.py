"""Token shards: texts as numbers on disk, written in one pass and read where they are needed.

A folder holds `train-00000.bin`, ... (tokens in a row, uint16 or uint32), `held-out.bin`, and `shards.json`, which is
written last. Every training text begins with the tokenizer's beginning-of-sequence token, where it has one of its own,
and ends with the end-of-sequence token; held-out pieces are stored without.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.jsonl import storage_error, write_json
from doceo.core.records import Record
from doceo.pretrain.encoding import Encoder
from doceo.pretrain.held_out import LIMIT, chosen, without_end

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

INDEX, HELD_OUT = "shards.json", "held-out.bin"
SHARD = 1 << 26
"""Most tokens of a shard: 128 MB of two bytes each."""
_BATCH = 1 << 20
"""Characters that are encoded together."""
_LEAST = 40
"""Characters below which a text is not cut in two."""


class Piece(NamedTuple):
    """A piece of text; `begins` is False where it continues the one before."""

    text: str
    begins: bool = True


class HeldOutText(Record):
    """Where a held-out piece lies in its file, in tokens, and its size in UTF-8 bytes."""

    start: int
    tokens: int
    bytes: int


class Index(Record):
    """What a folder of shards holds: tokens of every training shard in turn, special ones included; texts and bytes."""

    dtype: str
    tokens: tuple[int, ...]
    texts: int
    bytes: int
    held_out: tuple[HeldOutText, ...]


class Shards:
    """A finished folder of shards, opened: its training tokens in a row, and its held-out pieces."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = Index.model_validate(json.loads((folder / INDEX).read_text(encoding="utf-8")))
        self._ends = np.cumsum(self.index.tokens)

    def __len__(self) -> int:
        """Return the number of training tokens."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def windows(self, starts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Return the windows that start there, shape (len(starts), length); the first token follows the last."""
        return np.stack([self._window(int(start), length) for start in starts]).astype(np.int64)

    def held_out(self, text: HeldOutText) -> NDArray[np.int64]:
        """Return the tokens of a held-out piece, shape (tokens,)."""
        whole = self._mapped(HELD_OUT)
        return np.array(whole[text.start : text.start + text.tokens], dtype=np.int64)

    def _window(self, start: int, length: int) -> NDArray[np.integer]:
        parts: list[NDArray[np.integer]] = []
        while length:
            start %= len(self)
            shard = int(np.searchsorted(self._ends, start, side="right"))
            within = start - (int(self._ends[shard - 1]) if shard else 0)
            parts.append(np.array(self._mapped(_shard(shard))[within : within + length]))
            start, length = start + len(parts[-1]), length - len(parts[-1])
        return np.concatenate(parts)

    def _mapped(self, name: str) -> NDArray[np.integer]:
        # Mapped anew each time, so that what was read does not add up in memory.
        return np.memmap(self.folder / name, dtype=self.index.dtype, mode="r")


def build_shards(
    pieces: Iterable[Piece], tokenizer: PreTrainedTokenizerBase, folder: Path, *, held_out_every: int
) -> None:
    """Encode texts in one pass, in memory that does not grow with them, and write their shards.

    Args:
        pieces: Texts in order.
        tokenizer: What encodes them; names of special tokens in a text are only text.
        folder: An existing folder.
        held_out_every: One piece in so many is held out by its hash, as `doceo tokenizer` does; where that chooses
            none, the last twentieth of the last piece. A piece after a held-out one begins a text of its own.

    Raises:
        StorageError: The disk is full or not writable.
    """
    writer = _Writer(folder, tokenizer)
    room, broken = LIMIT, False
    last = Piece("")
    try:
        for piece in pieces:
            if chosen(piece.text, held_out_every) and len(piece.text) <= room:
                writer.hold_out(piece.text)
                room, broken = room - len(piece.text), True
                continue
            writer.train(last)
            last, broken = Piece(piece.text, piece.begins or broken), False
        if room == LIMIT and len(last.text) >= _LEAST:
            kept, end = without_end(last.text, LIMIT)
            last = Piece(kept, last.begins)
            writer.hold_out(end)
        writer.train(last)
        writer.finish()
    except OSError as error:
        raise storage_error(error, folder) from error


class _Writer:
    """Collects pieces, encodes a batch of them at a time and appends the tokens to the shards."""

    def __init__(self, folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
        self._folder, self._encoder = folder, Encoder(tokenizer)
        self._dtype = "uint16" if len(tokenizer) <= 1 << 16 else "uint32"
        self._begin, self._end = borders(tokenizer)
        self._waiting: list[Piece] = []
        self._characters = self._texts = self._bytes = 0
        self._shards: list[int] = []
        self._out: IO[bytes] | None = None
        self._held: list[str] = []
        self._open = False

    def train(self, piece: Piece) -> None:
        """Take a piece to train on."""
        if not piece.text:
            return
        self._waiting.append(piece)
        self._characters += len(piece.text)
        if self._characters >= _BATCH:
            self._flush()

    def hold_out(self, text: str) -> None:
        """Take a piece to measure on."""
        self._held.append(text)

    def finish(self) -> None:
        """Write what waits, the held-out pieces, and the index."""
        self._flush()
        if self._open:
            self._append([self._end])
        if self._out is not None:
            self._out.close()
        held, start = [], 0
        with (self._folder / HELD_OUT).open("wb") as out:
            for text, ids in zip(self._held, self._encoder.encode(self._held), strict=True):
                out.write(np.array(ids, dtype=self._dtype).tobytes())
                held.append(HeldOutText(start=start, tokens=len(ids), bytes=_size(text)))
                start += len(ids)
        index = Index(
            dtype=self._dtype, tokens=tuple(self._shards), texts=self._texts, bytes=self._bytes, held_out=tuple(held)
        )
        write_json(self._folder / INDEX, index.model_dump(mode="json"))

    def _flush(self) -> None:
        for piece, ids in zip(self._waiting, self._encoder.encode([p.text for p in self._waiting]), strict=True):
            if piece.begins or not self._open:
                self._append([*([self._end] if self._open else []), *self._begin])
                self._texts += 1
            self._append(ids)
            self._bytes += _size(piece.text)
            self._open = True
        self._waiting, self._characters = [], 0

    def _append(self, ids: Sequence[int]) -> None:
        while ids:
            if self._out is None or self._shards[-1] == SHARD:
                if self._out is not None:
                    self._out.close()
                self._out = (self._folder / _shard(len(self._shards))).open("wb")
                self._shards.append(0)
            fitting = ids[: SHARD - self._shards[-1]]
            self._out.write(np.array(fitting, dtype=self._dtype).tobytes())
            self._shards[-1] += len(fitting)
            ids = ids[len(fitting) :]


def borders(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], int]:
    """Return the tokens that a text begins with (none where they are the end's too) and the one that it ends with."""
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    return [begin] if begin is not None and begin != end else [], end


def _shard(number: int) -> str:
    return f"train-{number:05}.bin"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
