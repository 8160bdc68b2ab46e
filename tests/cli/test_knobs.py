"""Flags made from the config: tables whose names hold commas, and one name in two sections."""

from __future__ import annotations

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def asked(name: str, sections: tuple[str, ...], *flags: str) -> tuple[Result, list[Settings]]:
    app, seen = typer.Typer(), []

    @verb(app, name, panel="Scores", sections=sections)
    def command(settings: Settings, console: Console) -> int | None:
        seen.append(settings)
        return None

    return CliRunner().invoke(app, list(flags), prog_name="doceo"), seen


@pytest.mark.parametrize(
    ("flags", "shares"),
    [
        (("a=40",), {"a": 40.0}),
        (("a=40,b=10.5",), {"a": 40.0, "b": 10.5}),
        (("scale, flour, bread=40,other=10",), {"scale, flour, bread": 40.0, "other": 10.0}),
        (("a = 1", "b=2, c, d = 3,"), {"a": 1.0, "b": 2.0, "c, d": 3.0}),
    ],
)
def test_a_table_may_name_topics(flags: tuple[str, ...], shares: dict[str, float]) -> None:
    given = [part for flag in flags for part in ("--topic-shares", flag)]
    result, seen = asked("generate", ("generate",), *given)
    assert result.exit_code == 0, result.stderr
    assert seen[0].generate.topic_shares == shares


@pytest.mark.parametrize("wrong", ["a", "=3", "a=", "a=1,b"])
def test_what_is_no_table_is_refused(wrong: str) -> None:
    result, _ = asked("generate", ("generate",), "--topic-shares", wrong)
    assert result.exit_code == 2
    assert "is not a table" in result.stderr


def test_rounds_are_those_of_the_loop() -> None:
    _, seen = asked("loop", ("loop", "generate"), "--rounds", "5", "--generate-rounds", "2")
    assert (seen[0].loop.rounds, seen[0].generate.rounds) == (5, 2)
    _, seen = asked("generate", ("generate",), "--rounds", "4")
    assert seen[0].generate.rounds == 4
