"""A page as Chromium shows it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ACT = """<body><iframe id="f" src="{page}" style="border:0;width:1200px;height:4000px"></iframe><script>
onload = async () => {{
  const seen = {{}};
  const frame = document.getElementById("f");
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const fresh = async () => {{
    const loaded = new Promise((done) => frame.addEventListener("load", done, {{ once: true }}));
    frame.src += "?again";
    await loaded;
  }};
  const all = (selector) => Array.from(frame.contentDocument.querySelectorAll(selector));
  const text = (selector) => all(selector).map((found) => found.textContent);
  const key = (name) => {{
    const window = frame.contentWindow, page = frame.contentDocument;
    const at = page.activeElement.closest("article") || page.querySelector("article.pair");
    at.dispatchEvent(new window.KeyboardEvent("keydown", {{ key: name, bubbles: true, cancelable: true }}));
  }};
  const set = async (name, value) => {{
    const field = frame.contentDocument.querySelector("form.filter").elements[name];
    field.value = value;
    field.dispatchEvent(new frame.contentWindow.Event("input", {{ bubbles: true }}));
    await pause(250);
  }};
  try {{ {steps} }} catch (error) {{ seen.error = String(error); }}
  const found = document.body.appendChild(document.createElement("p"));
  found.id = "found";
  found.textContent = JSON.stringify(seen);
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
    command += [f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom", page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def act(page: Path, steps: str, folder: Path) -> dict[str, Any]:
    """Return what the steps put into `seen`, done to a page in a browser."""
    frame = folder / "frame.html"
    frame.write_text(ACT.format(page=page.as_uri(), steps=steps), encoding="utf-8")
    found = re.search(r'id="found">(.*?)</p>', dom(frame, folder / "profile"), re.DOTALL)
    assert found is not None
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    assert "error" not in seen, seen
    return seen
