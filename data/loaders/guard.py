"""What the process that opens files may do: read the one file, and Python's own folders. No socket, no program.

Built on audit hooks (PEP 578), which see what Python code asks for. They are a second lock: the loaders themselves
fetch nothing, and parsers written in C are told not to (no entities, no DTD).
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path

_FORBIDDEN = (
    "socket.", "urllib.", "http.", "ftplib.", "smtplib.", "subprocess.", "os.system", "os.exec", "os.spawn",
    "os.posix_spawn", "os.fork", "os.startfile", "webbrowser.",
)  # fmt: skip
_SYSTEM = ("/dev/null", "/dev/urandom", "/usr/share/zoneinfo/", "/etc/mime.types", "/etc/localtime")
_OURS = Path(__file__).resolve().parent.parent.parent


class Refused(PermissionError):
    """A document made its reader ask for something outside the document."""


class Guard:
    """Refuses sockets, programs and other files while a document is being read.

    Args:
        path: The document; the only file outside Python's own folders that may be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)

    def __enter__(self) -> Guard:
        if not _state.installed:
            sys.addaudithook(_audit)
            _state.installed = True
        _state.path = self._path
        return self

    def __exit__(self, *error: object) -> None:
        _state.path = None


class _State:
    """An audit hook cannot be taken out again; it rests while no document is named."""

    installed = False
    path: str | None = None


_state = _State()


def _roots() -> tuple[str, ...]:
    folders = [sys.prefix, sys.base_prefix, site.getusersitepackages(), *sysconfig.get_paths().values()]
    folders += [entry for entry in sys.path if Path(entry) != _OURS]
    found = {os.path.realpath(folder) for folder in folders if folder}
    found |= {str(_OURS / package) for package in ("data", "doceo")}
    return tuple(sorted(folder.rstrip(os.sep) + os.sep for folder in found))


_ROOTS = _roots()


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _state.path is None:
        return
    if event == "open":
        _check_open(arguments[0])
    elif event.startswith(_FORBIDDEN):
        raise Refused(f"it asks for {event.partition('.')[0]}, which no document needs")


def _check_open(name: object) -> None:
    if isinstance(name, int) or not isinstance(name, str | bytes | os.PathLike):
        return  # a file that is open already
    path = os.path.abspath(os.fsdecode(name))
    if path == _state.path or path.startswith((*_ROOTS, *_SYSTEM)):
        return
    if not os.path.realpath(path).startswith(_ROOTS):
        raise Refused(f"it asks for {path}; nothing outside a document is ever opened")
