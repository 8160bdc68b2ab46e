"""Texts to a tokenizer's folder, with what it makes of text that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.texts import read_texts
from data.whole_folder import whole_folder
from doceo.core.config import TokenizerConfig
from doceo.core.errors import NothingReadable, UsageError
from doceo.core.protocols import Progress, Task
from doceo.core.records import Record

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from doceo.pretrain.held_out import HeldOut

_FILES = {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "vocab.json", "merges.txt"}
_LONGEST = 10
_PIECE = 1 << 16
"""Most characters of a piece: small, so that what is held out is of many places."""


class TokenizerReport(Record):
    """What a tokenizer came to. `characters_per_token` and `bytes_per_token` are of held-out text; None without any."""

    tokens: int
    asked: int
    texts: int
    characters: int
    held_out_characters: int
    characters_per_token: float | None
    bytes_per_token: float | None
    longest: list[str]


def make_tokenizer(
    sources: Sequence[Path | str], out: Path, config: TokenizerConfig, fields: Sequence[str], progress: Progress
) -> TokenizerReport:
    """Learn a byte-level BPE from texts, streaming, and write its folder whole; return what it came to.

    Args:
        sources: Files, folders, globs, `-`, as `data.texts.read_texts` takes them.
        out: The folder to write; a tokenizer that stands there is replaced.
        config: Size, context and the share held out.
        fields: Fields of rows that hold text.
        progress: Where texts are counted.

    Raises:
        InputError, NothingReadable: as `data.texts.read_texts`, and where the sources hold no text.
        UsageError: `out` holds other files.
        StorageError: `out` cannot be written.
    """
    _check(out)
    from doceo.pretrain.held_out import HeldOut
    from doceo.pretrain.tokenizer import save_tokenizer, train_tokenizer
    from doceo.providers.hf_models import quiet

    held_out = HeldOut(config.held_out_every)
    with progress.task("tokenizer", unit="texts") as task:
        counted = _Counted(sources, fields, task)
        tokenizer = train_tokenizer(held_out.others(counted), config.vocab_size, config.context)
    if not counted.texts:
        raise NothingReadable(f"There is no text in {', '.join(map(str, sources))}.", hint="Name files that hold text.")
    with whole_folder(out) as work, quiet():
        save_tokenizer(tokenizer, work, template_in_config=True)
    return _report(tokenizer, held_out, counted, config)


def _check(out: Path) -> None:
    if out.exists() and not (out.is_dir() and {path.name for path in out.iterdir()} <= _FILES):
        raise UsageError(
            f"{out} exists and holds more than a tokenizer.", hint="Name another folder with --out, or remove it."
        )


class _Counted:
    """The texts of sources, counted as they pass."""

    def __init__(self, sources: Sequence[Path | str], fields: Sequence[str], task: Task) -> None:
        self._found = read_texts(sources, fields=fields, piece=_PIECE)
        self._task = task
        self.texts = self.characters = 0

    def __iter__(self) -> Iterator[str]:
        for text in self._found:
            self.texts += 1
            self.characters += len(text.text)
            self._task.advance(1, f"{self.characters >> 20} M characters")
            yield text.text


def _report(
    tokenizer: PreTrainedTokenizerFast, held_out: HeldOut, counted: _Counted, config: TokenizerConfig
) -> TokenizerReport:
    from doceo.pretrain.tokenizer import longest_tokens, token_count

    characters = sum(map(len, held_out.texts))
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in held_out.texts)
    tokens = token_count(tokenizer, held_out.texts)
    return TokenizerReport(
        tokens=len(tokenizer),
        asked=config.vocab_size,
        texts=counted.texts,
        characters=counted.characters,
        held_out_characters=characters,
        characters_per_token=round(characters / tokens, 3) if tokens else None,
        bytes_per_token=round(size / tokens, 3) if tokens else None,
        longest=longest_tokens(tokenizer, _LONGEST),
    )
