"""Check the docs against the program: commands and flags, make targets, extras, Python names, links and pictures.

Run by `make check`.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.main import get_command

import doceo
from doceo.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/**/*.md",
    "data/sample/**/*.md",
    "examples/**/*.md",
)
FENCE = re.compile(r"^[ \t]*```(\w*)[^\n]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
CALL = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S* )*")
END = re.compile(r"\s(?:[|>;#]|&&)(?:\s|$)")

Flags = dict[str, set[str]]


def program() -> Flags:
    """Return the flags of every verb; those of `keys create` stand under that name, the program's own under ``."""
    top = get_command(app)
    found: Flags = {"": {"--help"}.union(*(parameter.opts for parameter in top.params))}
    waiting = list(getattr(top, "commands", {}).items())
    while waiting:
        name, command = waiting.pop()
        found[name] = {"--help"}.union(*({*p.opts, *p.secondary_opts} for p in command.params))
        waiting.extend((f"{name} {below}", one) for below, one in getattr(command, "commands", {}).items())
    return found


def snippets(text: str) -> Iterator[tuple[str, str]]:
    """Yield the language and text of each fenced block, and each piece of inline code with the language `inline`."""
    for block in FENCE.finditer(text):
        yield block.group(1), block.group(2)
    for piece in INLINE.finditer(FENCE.sub("", text)):
        yield "inline", piece.group(1)


def commands(text: str, program_name: str) -> Iterator[list[str]]:
    """Yield the words of every line that calls a program, up to a pipe, a comment or the next command."""
    for line in text.replace("\\\n", " ").splitlines():
        line = END.split(CALL.sub("", line.strip()) + " ", maxsplit=1)[0]
        words = line.split()
        if words and words[0] == program_name:
            yield [word.strip("[]") for word in words[1:]]


def wrong_command(words: list[str], flags: Flags) -> str | None:
    """Say what is wrong with one call of doceo, or None."""
    verb = words[0] if words and not words[0].startswith("-") else ""
    if verb.isupper() or not re.fullmatch(r"[a-z-]*", verb):
        return None
    if verb not in flags:
        return f"there is no verb {verb!r}"
    below = words[1].split("|") if len(words) > 1 and any(name.startswith(f"{verb} ") for name in flags) else []
    known = flags[verb].union(*(flags.get(f"{verb} {name}", set()) for name in below))
    for flag in (word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)):
        if flag not in known:
            return f"{' '.join(filter(None, ['doceo', verb]))} has no flag {flag}"
    return None


def wrong_in(page: Path, flags: Flags, targets: set[str], extras: set[str]) -> Iterator[str]:
    """Yield what one page says that the program does not know."""
    text = page.read_text(encoding="utf-8")
    for language, code in snippets(text):
        if language in {"python", "py"}:
            for name in re.findall(r"\bdoceo\.([a-z]\w*)\(", code):
                if name not in doceo.__all__:
                    yield f"doceo.{name} is no public name"
            continue
        if language in {"", "inline", "bash", "sh", "console", "shell"}:
            yield from filter(None, (wrong_command(words, flags) for words in commands(code, "doceo")))
            named = {word for words in commands(code, "make") for word in words if re.fullmatch(r"[a-z-]+", word)}
            yield from (f"there is no target {name}" for name in sorted(named - targets))
    yield from (f"there is no extra {name}" for name in re.findall(r"doceo\[([a-z]+)\]", text) if name not in extras)
    for place in ("".join(found) for found in LINK.findall(text)):
        target = place.partition("#")[0]
        if target and not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
            yield f"{target} does not exist"


def main() -> None:
    """Check all pages, say what is wrong, exit 1 if anything is."""
    flags = program()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pages = sorted({page for pattern in PAGES for page in ROOT.glob(pattern)})
    wrong = [
        f"{page.relative_to(ROOT).as_posix()}: {what}"
        for page in pages
        for what in wrong_in(page, flags, targets, set(project["optional-dependencies"]))
    ]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    verbs = [name for name in flags if name and " " not in name]
    wrong += [f"README.md: the verb {verb!r} is not in the table" for verb in verbs if f"`{verb}`" not in readme]
    if wrong:
        sys.exit("\n".join(wrong))
    typer.echo(f"{len(pages)} pages agree with the program")


if __name__ == "__main__":
    main()
