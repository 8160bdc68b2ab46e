"""The check of the docs notices what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import check_docs

FLAGS = {"": {"--help"}, "run": {"--help", "--pairs", "--out", "-o"}, "keys": {"--help"}, "keys create": {"--days"}}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("doceo run papers/ --pairs 200  # a comment with --other flags", None),
        ("$ doceo run papers/ -o x | grep --count x", None),
        ("OPENAI_API_KEY=... doceo walk", "there is no verb 'walk'"),
        ("doceo run SRC... [--pairs N] [--teacher K]", "doceo run has no flag --teacher"),
        ("doceo walk papers/", "there is no verb 'walk'"),
        ("doceo run papers/ \\\n  --paris 3", "doceo run has no flag --paris"),
        ("doceo keys create|list --days 3", None),
        ("doceo --version", "doceo has no flag --version"),
        ("doceo VERB --help", None),
        ("doceo is a program", "there is no verb 'is'"),
    ],
)
def test_commands(line: str, wrong: str | None) -> None:
    found = [check_docs.wrong_command(words, FLAGS) for words in check_docs.commands(line, "doceo")]
    assert [what for what in found if what] == ([wrong] if wrong else [])


def test_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Call `doceo run --pears 3`, then `make tests`; see [it](gone.md), [here](page.md#top), [there](https://x.org).\n"
        "Install `doceo[ggml]`.\n\n```python\nimport doceo\n\ndoceo.ruin('papers')\ndoceo.run('papers')\n```\n",
        encoding="utf-8",
    )
    assert list(check_docs.wrong_in(page, FLAGS, {"test"}, {"gguf"})) == [
        "doceo.ruin is no public name",
        "doceo run has no flag --pears",
        "there is no target tests",
        "there is no extra ggml",
        "gone.md does not exist",
    ]
