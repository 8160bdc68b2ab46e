"""The process that opens files: it can be killed when a file takes too long, and takes nothing down with it.

Run as `python -m data.loaders.worker`; it reads one JSON request a line and writes one JSON reply a line.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

from data.loaders import Unreadable, loader_of


def read_file(path: Path, limit: int) -> dict[str, object]:
    """Return {"sha256", "loaded"} of a file, or {"reason", "detail"} where it gives no document."""
    from doceo.core.fingerprint import sha256

    try:
        load = loader_of(path.suffix)
        size = path.stat().st_size
        if size > limit:
            raise Unreadable("too_large", f"{size // 2**20} MB, more than {limit // 2**20} MB")
        content = path.read_bytes()
        loaded = load(content, limit)
        if not loaded.text.strip():
            raise Unreadable("empty", "the file holds no text")
        return {"sha256": sha256(content), "loaded": loaded.model_dump(mode="json")}
    except Unreadable as error:
        return {"reason": error.reason, "detail": error.detail}
    except OSError as error:
        return {"reason": "unreadable", "detail": error.strerror or str(error)}
    except (MemoryError, RecursionError) as error:
        return {"reason": "too_complex", "detail": f"reading it took too much memory or depth ({type(error).__name__})"}


def main() -> None:
    """Answer requests until stdin closes. Libraries that write to stdout are sent to stderr."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        request = json.loads(line)
        replies.write(json.dumps(read_file(Path(request["path"]), request["limit"])) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
