"""Sources of any size to a folder of cleaned texts that appears when it is whole."""

from __future__ import annotations

import glob
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from data.corpus.cleaned_file import FileCleaner
from data.corpus.judging import Judge
from data.corpus.output import DroppedList, Output
from data.corpus.tally import CHARACTERS, WORDS, CleanReport, FileRow, Tally
from data.jsonl import write_json
from data.sources import SourceFile
from data.text_file import PLAIN, ROWS, TextFile
from data.texts import CLEAN_MARK, DROPPED, find_texts
from data.whole_folder import whole_folder
from doceo.core.config import CleanConfig
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress

_MADE_BY = "doceo clean"
EQUAL_FILE = "equal file"


def clean_texts(
    sources: Sequence[Path | str], out: Path, config: CleanConfig, fields: Sequence[str], progress: Progress
) -> CleanReport:
    """Write a cleaned file for every source, `report.json` and `dropped.jsonl`; return the report.

    Read in one pass, in sorted order, in memory that grows only by the hashes of paragraphs (about 90 MB a million)
    and a row a file. The same sources and config give the same bytes. A file keeps its name under `out`, its ending and
    its packing; what stood in `out` from an earlier call goes. Of a damaged file, what can be read is kept, and it is
    said.

    Args:
        sources: Files, folders, globs, `-`, as `data.texts.read_texts` takes them.
        out: The folder to write.
        config: What is put right and dropped.
        fields: Fields of rows that hold text.
        progress: Where files are counted.

    Raises:
        InputError, NothingReadable: as `data.texts.find_texts`.
        UsageError: `out` holds other files or a source, or two sources would be written to one name.
        StorageError: `out` cannot be written.
    """
    files = _sources(sources, out)
    targets = _targets(files)
    equal = _equal_files(files)
    judge, total, rows = Judge(config), Tally(), []
    with whole_folder(out) as work, DroppedList(work / DROPPED) as dropped:
        dropped.write("")
        with progress.task("clean", total=len(files), unit="files") as task:
            for file in files:
                reader = TextFile(file.path)
                with Output(work / targets[file.source]) as output:
                    cleaner = FileCleaner(file.source, reader, output, dropped, judge, config, fields)
                    for size in cleaner.run() if file.source not in equal else ():
                        task.advance(0, f"{file.source}, {size >> 20} MB")
                why = cleaner.damage or ("" if cleaner.tally.read else "there is no text in it")
                if file.source in equal:
                    why = f"the same bytes as {equal[file.source]}"
                    dropped.add(file.source, 1, EQUAL_FILE, "", why)
                rows.append(_row(file, reader, cleaner.tally, output.size, why))
                total.add(cleaner.tally)
                task.advance(1)
        report = _report(config, rows, total)
        write_json(work / CLEAN_MARK, report.model_dump(mode="json"))
    return report


def _sources(sources: Sequence[Path | str], out: Path) -> list[SourceFile]:
    """Return the files to clean, without those that an earlier call wrote. Raises UsageError for an unsafe `out`."""
    place = out.resolve()
    for path in (path.resolve() for source in sources for path in _named(str(source))):
        if path.is_relative_to(place):
            raise UsageError(f"{path} lies in {out}, which would be replaced.", hint="Name another folder with --out.")
    if out.exists() and not _is_ours(out):
        raise UsageError(
            f"{out} exists, and {_MADE_BY} did not make it.", hint="Name another folder with --out, or remove it."
        )
    return [file for file in find_texts(sources) if not file.path.resolve().is_relative_to(place)]


def _named(source: str) -> list[Path]:
    path = Path(source).expanduser()
    return [path] if path.exists() else [Path(found) for found in glob.glob(str(path), recursive=True)]


def _is_ours(out: Path) -> bool:
    """Return whether a folder is empty, or an earlier call made it."""
    if not out.is_dir():
        return False
    if not any(out.iterdir()):
        return True
    try:
        made = json.loads((out / CLEAN_MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(made, dict) and made.get("made_by") == _MADE_BY


def _targets(files: Sequence[SourceFile]) -> dict[str, str]:
    """Return the name that each source is written to; what has no known ending gets .txt. Raises UsageError."""
    owners = {DROPPED: _MADE_BY, CLEAN_MARK: _MADE_BY}
    targets = {}
    for file in files:
        packed = ".gz" if file.source.lower().endswith(".gz") else ""
        name = file.source[: -len(packed) or None]
        target = (name if name.lower().endswith((*PLAIN, *ROWS)) else f"{name}.txt") + packed
        if owner := owners.get(target):
            raise UsageError(
                f"{file.source} would be written to {target}, where {owner} writes already.", hint="Rename the file."
            )
        owners[target] = targets[file.source] = target
    return targets


def _equal_files(files: Sequence[SourceFile]) -> dict[str, str]:
    """Return {file: the earlier one whose bytes it has}; only files of equal size are read."""
    by_size = defaultdict(list)
    for file in (file for file in files if file.path.is_file()):  # a pipe can be read once only
        by_size[file.path.stat().st_size].append(file)
    equal: dict[str, str] = {}
    for group in by_size.values():
        seen: dict[bytes, str] = {}
        for file in group if len(group) > 1 else ():
            with file.path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").digest()
            if (first := seen.setdefault(digest, file.source)) != file.source:
                equal[file.source] = first
    return equal


def _row(file: SourceFile, reader: TextFile, tally: Tally, written: int, why: str) -> FileRow:
    return FileRow(
        source=file.source,
        encoding=reader.encoding if reader.size else "",
        read=tally.read,
        kept=tally.kept,
        bytes_in=reader.size,
        bytes_out=written,
        why=why,
    )


def _report(config: CleanConfig, rows: list[FileRow], total: Tally) -> CleanReport:
    return CleanReport(
        config=config.model_dump(mode="json"),
        files=rows,
        encodings=dict(Counter(row.encoding for row in rows if row.encoding).most_common()),
        paragraphs=total.paragraphs_counted(),
        characters=total.characters_counted(),
        mended=total.mended,
        bytes_in=sum(row.bytes_in for row in rows),
        bytes_out=sum(row.bytes_out for row in rows),
        histogram_words=dict(zip(WORDS, total.words, strict=True)),
        histogram_characters=dict(zip(CHARACTERS, total.characters, strict=True)),
    )
