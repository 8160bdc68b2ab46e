"""Token shards of texts, kept beside the models that are made from them and used again while nothing changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from data.lock import writing
from data.manifest import file_sha256
from data.text_file import TextFile
from data.texts import find_texts, read_texts
from data.whole_folder import whole_folder
from doceo.core.fingerprint import identify
from doceo.core.protocols import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

    from doceo.pretrain.shards import Piece, Shards

HOME = ".pretrain"
"""Folder beside the models for what several of them can use."""
_PIECE = 1 << 16
"""Most characters of a piece, as for `doceo tokenizer`, so that both hold out the same ones."""
_LEARNED = 100_000_000
"""About so many bytes of text are enough to learn a tokenizer from."""
_PACKED = 3
"""How much larger than its gzip file a text is, about."""
_VERSION = 1
"""Of the shards' form."""


class Corpus(NamedTuple):
    """Texts to train on: as the user named them, the fields of rows, {file: SHA-256}, and bytes on disk, unpacked."""

    sources: tuple[str, ...]
    fields: tuple[str, ...]
    hashes: dict[str, str]
    size: int
    rows: frozenset[str]


def find_corpus(sources: Sequence[str], fields: Sequence[str]) -> Corpus:
    """Find and hash texts. Raises InputError, NothingReadable and UsageError as `data.texts.find_texts`."""
    files = find_texts(sources)
    size = sum(f.path.stat().st_size * (_PACKED if f.path.name.lower().endswith(".gz") else 1) for f in files)
    rows = frozenset(file.source for file in files if TextFile(file.path).is_rows)
    return Corpus(tuple(sources), tuple(fields), {f.source: file_sha256(f.path) for f in files}, size, rows)


def learn_tokenizer(
    corpus: Corpus, folder: Path, *, vocab_size: int, context: int, held_out_every: int, progress: Progress
) -> None:
    """Train a tokenizer on what is not held out, or on an even part of it where that is much, and write its folder.

    Raises InputError where a text cannot be read, StorageError.
    """
    from doceo.pretrain.held_out import HeldOut
    from doceo.pretrain.tokenizer import save_tokenizer, train_tokenizer
    from doceo.providers.hf_models import quiet

    every = max(1, math.ceil(corpus.size / _LEARNED))
    with progress.task("tokenizer", unit="texts") as task:

        def counted() -> Iterator[str]:
            for text in islice(read_texts(corpus.sources, fields=corpus.fields, piece=_PIECE), 0, None, every):
                task.advance()
                yield text.text

        learned = HeldOut(held_out_every).others(counted())
        tokenizer: PreTrainedTokenizerFast = train_tokenizer(learned, vocab_size, context)
    with whole_folder(folder) as work, quiet():
        save_tokenizer(tokenizer, work)


def open_shards(
    corpus: Corpus, tokenizer: PreTrainedTokenizerBase, home: Path, *, held_out_every: int, progress: Progress
) -> Shards:
    """Return the shards of texts, made now unless the same texts were cut by the same tokenizer before.

    Args:
        corpus: The texts.
        tokenizer: What encodes them.
        home: Folder under which all shards lie.
        held_out_every: One piece in so many is held out.
        progress: Where pieces are counted.

    Raises:
        RunLocked: Another process is making shards there.
        InputError, StorageError: A text cannot be read, or the shards cannot be written.
    """
    from doceo.pretrain.shards import INDEX, Shards, build_shards

    place = home / _name(corpus, tokenizer, held_out_every)
    if not (place / INDEX).exists():
        held = writing(home / "building", "folder", instead="name an --out in another folder")
        with held, whole_folder(place) as work, progress.task("tokens", unit="pieces") as task:

            def counted() -> Iterator[Piece]:
                for piece in _pieces(corpus):
                    task.advance()
                    yield piece

            build_shards(counted(), tokenizer, work, held_out_every=held_out_every)
    shards = Shards(place)
    progress.say(
        f"Text: {len(shards):,} tokens to train on, {sum(t.tokens for t in shards.index.held_out):,} held out; "
        f"kept in {place}"
    )
    return shards


def _name(corpus: Corpus, tokenizer: PreTrainedTokenizerBase, held_out_every: int) -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    learned = backend.to_str() if backend is not None else repr(sorted(tokenizer.get_vocab().items()))
    ends = [tokenizer.bos_token_id, tokenizer.eos_token_id]
    return identify("tokens-", corpus.hashes, corpus.fields, learned, ends, held_out_every, _VERSION)


def _pieces(corpus: Corpus) -> Iterator[Piece]:
    """Yield the pieces of all texts; a row is a text of its own, and so is a plain file."""
    from doceo.pretrain.shards import Piece

    before = ""
    for text in read_texts(corpus.sources, fields=corpus.fields, piece=_PIECE):
        yield Piece(text.text, begins=text.source in corpus.rows or text.source != before)
        before = text.source
