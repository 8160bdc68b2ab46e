"""The program `doceo`."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from keyword import iskeyword
from typing import Annotated, Any

import typer

from doceo.cli.console import Console
from doceo.core import lease
from doceo.core.errors import UsageError

VERBS = (
    "run", "demo", "chat", "ask", "report", "doctor", "init",
    "ingest", "generate", "review", "export", "import",
    "clean", "tokenizer", "pretrain", "finetune", "models", "export-model",
    "index", "collections", "calibrate",
    "evaluate", "compare", "gate", "judge", "gaps", "loop",
    "serve", "worker", "keys", "audit",
)  # fmt: skip
"""One file a verb, in the order of the help page."""

# The class of all usage errors; typer shows only its children by name.
_USAGE_ERROR: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="doceo",
    help="Documents in; a tuned, tested, citing assistant out, with the numbers that prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"doceo {version('doceo')}")
        raise typer.Exit


@app.callback()
def program(
    asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Documents in; a tuned, tested, citing assistant out, with the numbers that prove it."""


for _verb in VERBS:
    # `import` is a word of Python: its module is called import_; that of `export-model` export_model.
    import_module(f"doceo.cli.{_verb.replace('-', '_')}{'_' * iskeyword(_verb)}").register(app)


def main() -> None:
    """Run the program.

    Exit codes: 0 done, 1 failed, 2 usage, 3 short of what was asked, 4 gate not passed, 130 and 143 interrupted.
    """
    lease.watch()
    # What a command makes is hardly ever part of a cycle: looking for cycles less often saves a tenth of its time.
    gc.set_threshold(10_000)
    for stream in (sys.stdout, sys.stderr):
        # A pipe of another encoding must not end a command over one character.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = app(prog_name="doceo", standalone_mode="--json" not in sys.argv)
    except _USAGE_ERROR as error:
        Console(as_json=True).error(UsageError(error.format_message(), hint="doceo --help lists the verbs and flags."))
        code = UsageError.exit_code
    sys.exit(code if isinstance(code, int) else 0)
