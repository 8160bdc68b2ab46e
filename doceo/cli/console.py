"""What a command shows: progress and words on stderr, results on stdout, errors with a way out."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn

import typer
from rich.console import Console as Terminal
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from doceo.cli.bars import Bar, JsonLines, Lines, tell
from doceo.core.errors import DoceoError, StorageError

BROKEN = 1
"""Exit code of an error that nobody foresaw."""
_WIDE = 2000
"""Columns of a table in a file or pipe."""


class Terminated(KeyboardInterrupt):
    """SIGTERM: unwinds like Ctrl-C, so that work is kept, and exits 143."""


class Console:
    """A `Progress`, and where results go."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._told = os.environ.get("DOCEO_PROGRESS") == "json"
        self._notes = Terminal(stderr=True, highlight=False)
        self._out = Terminal(highlight=False, stderr=as_json)

    @contextmanager
    def task(self, name: str, total: int | None = None, unit: str = "") -> Iterator[Bar | Lines | JsonLines]:
        """Show a bar with rate and time left on a terminal, else a line now and then."""
        if self._told:
            told = JsonLines(name, total, unit)
            yield told
            told.close()
            return
        if not self._notes.is_terminal:
            lines = Lines(self._notes, name, total, unit)
            yield lines
            lines.close()
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("[dim]{task.fields[note]}", markup=True),
        )
        with Progress(*columns, console=self._notes, transient=False) as progress:
            task_id = progress.add_task(name, total=total, note="")
            yield Bar(progress, task_id)

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        return self._out.width

    def say(self, line: str) -> None:
        """Show a line beside the results."""
        if self._told:
            tell({"say": line})
            return
        self._notes.print(line, markup=False, soft_wrap=True)

    def show(self, text: str) -> None:
        """Show a result, unless JSON is asked for."""
        if not self.as_json:
            self._out.print(text, markup=False, soft_wrap=True)

    def stream(self, piece: str) -> None:
        """Show a piece of an answer at once, unless JSON is asked for."""
        if not self.as_json:
            sys.stdout.write(piece)
            sys.stdout.flush()

    def table(
        self,
        headers: Sequence[str],
        rows: Sequence[Sequence[str]],
        title: str = "",
        *,
        words: bool = False,
        whole: str | None = None,
    ) -> None:
        """Show a table of results, unless JSON is asked for; columns hold numbers, or `words`.

        The column `whole`, which holds ids, is never folded; where it is named and nobody looks, no column is.
        """
        if self.as_json:
            return
        table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
        for i, header in enumerate(headers):
            side: Literal["left", "right"] = "left" if words or i == 0 else "right"
            table.add_column(header, justify=side, overflow="fold", no_wrap=header == whole)
        for row in rows:
            table.add_row(*map(Text, row))
        out = Terminal(highlight=False, width=_WIDE) if whole and not self._out.is_terminal else self._out
        out.print(table)

    def result(self, value: object) -> None:
        """Print the one JSON object of a command, where JSON is asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def next_steps(self, *commands: str) -> None:
        """Show the next commands, ready to paste."""
        if not self.as_json:
            self._out.print("\n[bold]Next[/bold]", markup=True)
            for command in commands:
                self._out.print(f"  {command}", markup=False, soft_wrap=True)

    def stopped(self, words: str) -> None:
        """Show that a signal ended the command."""
        self.result({"error": {"code": "interrupted", "message": words, "hint": "Finished work is kept."}})
        self.say(f"\n{words}")

    def error(self, error: DoceoError) -> None:
        """Show an error and what to do about it."""
        if self.as_json:
            self.result({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
        self._notes.print(f"Error: {error.message}", style="bold red", markup=False, soft_wrap=True)
        self._notes.print(f"  {error.hint}", markup=False, soft_wrap=True)


def run_verb(work: Callable[[Console], int | None], *, as_json: bool, debug: bool) -> None:
    """Run a verb and exit with its code; every error becomes one message, a hint and an exit code."""
    console = Console(as_json=as_json)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = work(console) or 0
    except DoceoError as error:
        if debug:
            traceback.print_exc()
        console.error(error)
        code = error.exit_code
    except Terminated:
        console.stopped("Stopped. Run the same command again to continue.")
        _leave(143)
    except KeyboardInterrupt:
        console.stopped("Interrupted. Run the same command again to continue.")
        _leave(130)
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except Exception as error:
        if debug:
            raise
        console.error(_unforeseen(error))
        code = BROKEN
    raise typer.Exit(code)


def _leave(code: int) -> NoReturn:
    """End at once: a thread that waits for a server would hold the process back for minutes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _unforeseen(error: Exception) -> DoceoError:
    if isinstance(error, OSError):
        from data.jsonl import storage_error

        return storage_error(error, Path(str(error.filename or "a file")))
    if "disk is full" in str(error) or "No space left" in str(error):
        return StorageError(
            "The disk is full.", hint="Free some space and run the same command again; finished work is kept."
        )
    return DoceoError(
        f"Something unforeseen happened: {type(error).__name__}: {error}",
        hint="This is a bug in Doceo. Run again with --debug and report what it prints. Finished work is kept.",
    )
