"""The report as Chromium shows it: its own script runs under its policy, and nothing scrolls sideways."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from data.store import ADAPTER, ANSWERS, BASE, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from doceo.core.records import Document
from evaluation.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ALL = (DOCUMENTS, CHUNKS, PAIRS, DATASET, BASE, ADAPTER, ANSWERS, SCORES)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
FRAME = """<body><iframe id="f" src="{page}" style="border:0;width:{width}px;height:4000px"></iframe><script>
onload = () => {{
  const page = document.getElementById("f").contentDocument.documentElement;
  document.body.insertAdjacentHTML("beforeend", `<p id="found">${{page.scrollWidth}} of ${{page.clientWidth}}</p>`);
}}</script>"""


def dom(page: Path, profile: Path) -> str:
    """Return a page's elements after its scripts have run."""
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
    command += [
        "--disable-sync",
        "--disable-background-networking",
        "--disable-component-update",
        "--allow-file-access-from-files",
    ]
    command += [f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_the_filter_wakes_up_under_the_policy(build: Callable[..., Run], tmp_path: Path) -> None:
    page = write_report(build((DOCUMENTS, CHUNKS, PAIRS)), tmp_path / "report.html")
    html = dom(page, tmp_path / "profile")
    assert '<form class="filter">' in html
    assert "<output>8 of 8 shown</output>" in html


@pytest.mark.parametrize("width", [380, 768, 1400])
def test_nothing_scrolls_sideways(
    build: Callable[..., Run], make_document: Callable[..., Document], tmp_path: Path, width: int
) -> None:
    wide = "x" * 200
    text = f"# {wide}\n\nThe heron waits in shallow water for small fish. {wide}\n\n| a | {wide} |"
    page = write_report(build(ALL, doc=make_document(text, source=wide, title=wide)), tmp_path / "report.html")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(page=page.as_uri(), width=width))
    found = re.search(r'id="found">(\d+) of (\d+)<', dom(frame, tmp_path / "profile"))
    assert found is not None
    assert found[1] == found[2] == str(width)
