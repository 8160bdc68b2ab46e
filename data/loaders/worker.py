"""The process that opens files: it can be killed when a file takes too much, and takes nothing down with it.

Run as `python -m data.loaders.worker`. It reads one JSON request a line, `{"path", "ending", "limit"}`, and answers
each with one JSON line; where a document was read, its text follows as so many bytes of UTF-8 as the line says.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

from data.hidden import tallied
from data.loaders import Loaded, Unreadable, loader_of
from data.loaders.guard import Guard, Refused
from data.loaders.sniffing import true_ending

_LONGEST = 2
"""Times the size limit that a text may have in characters: what unpacks inside a file is bounded as well."""


def read_file(path: Path, ending: str, limit: int) -> tuple[dict[str, object], bytes]:
    """Return ({"sha256", "bytes", "loaded"}, text in UTF-8), or ({"reason", "detail"}, b"") without a document."""
    from doceo.core.fingerprint import sha256

    try:
        content = _content(path, limit)
        loaded = _load(path, ending.lower(), content, limit)
        text = loaded.text.encode("utf-8")
        kept = loaded.model_copy(update={"text": ""}).model_dump(mode="json")
        return {"sha256": sha256(content), "bytes": len(text), "loaded": kept}, text
    except Unreadable as error:
        return {"reason": error.reason, "detail": error.detail}, b""
    except Refused as error:
        return {"reason": "hostile", "detail": str(error)}, b""
    except OSError as error:
        return {"reason": "unreadable", "detail": error.strerror or str(error)}, b""
    except MemoryError:
        return {"reason": "memory", "detail": "reading it took more memory than there is"}, b""
    except RecursionError:
        return {"reason": "too_complex", "detail": "it is nested too deeply to be read"}, b""


def _content(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        size = max(path.stat().st_size, len(content))
        raise Unreadable("too_large", f"{size / 2**20:.0f} MB, more than {limit // 2**20} MB; see --read-megabytes")
    return content


def _load(path: Path, named: str, content: bytes, limit: int) -> Loaded:
    _language("")  # its own files are opened before the guard is up
    ending = true_ending(named, content)
    load = loader_of(ending)
    with Guard(path), tallied() as hidden:
        loaded = load(content, limit)
    if not loaded.text.strip():
        raise Unreadable("empty", "the file holds no text")
    if len(loaded.text) > _LONGEST * limit:
        raise Unreadable("too_large", f"its text has {len(loaded.text):,} characters; see --read-megabytes")
    found = {"language": _language(loaded.text), **hidden.metadata()}
    if ending != named:
        found["read_as"] = ending
    return loaded.model_copy(update={"metadata": {**loaded.metadata, **found}})


def _language(text: str) -> str:
    from doceo.text.language import UNKNOWN, identifier, language_of

    try:
        identifier()
        return language_of(text)
    except OSError:
        # The model is unpacked among the temporary files: a full disk costs the language, not the document.
        return UNKNOWN


def main() -> None:
    """Answer requests until stdin closes. Libraries that write to stdout are sent to stderr."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        request = json.loads(line)
        reply, text = read_file(Path(request["path"]), request["ending"], request["limit"])
        replies.write(json.dumps(reply).encode() + b"\n")
        replies.write(text)
        replies.flush()


if __name__ == "__main__":
    main()
