"""Opens a page in the browser of a desktop."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

NoOpen = Annotated[bool, typer.Option("--no-open", help="Do not open the report in a browser.")]


def open_page(path: Path) -> bool:
    """Open a page where a person sits before a desktop; return whether that was tried."""
    desktop = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if not (desktop and sys.stdout.isatty()) or os.environ.get("CI"):
        return False
    return webbrowser.open(path.resolve().as_uri())
