"""`doceo finetune`: a dataset to an adapter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from doceo.app.finetuning import Tuning

GATE_FAILED = 4

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|FILE ...",
        help="A run; or files of rows in any usual format, or hf:NAME. FILE=0.3 takes 30 % of the rows.",
        show_default=False,
    ),
]
Out = Annotated[
    str,
    typer.Option("--out", metavar="DIR", help="Where the adapter goes; for a run, its 5-adapter.", show_default=False),
]
Validation = Annotated[
    str, typer.Option("--validation", metavar="FILE", help="Rows to validate a FILE's on.", show_default=False)
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with an interrupted training, or say why not; the same command does so by itself."
    ),
]
ContinueFrom = Annotated[
    str,
    typer.Option(
        "--continue-from",
        metavar="ADAPTER",
        help="Start a new training from the weights of an adapter.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a finished adapter of other settings.")]
MaxForgetting = Annotated[
    float | None,
    typer.Option(
        "--max-forgetting",
        help="Exit with 4 where the loss on a general text rose by more nats a token than this.",
        show_default=False,
    ),
]
SkipFaulty = Annotated[
    bool, typer.Option("--skip-faulty", help="Leave faulty rows out and count them, instead of refusing the file.")
]
Check = Annotated[bool, typer.Option("--check", help="Check the rows, show what would be learned of them, and stop.")]
PrintTrl = Annotated[bool, typer.Option("--print-trl", help="Print the stock command that trains the same, and stop.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "finetune", panel="Models", sections=("finetune",), top=("base",))
    def finetune(
        sources: Sources,
        settings: Settings,
        console: Console,
        out: Out = "",
        validation: Validation = "",
        resume: Resume = False,
        continue_from: ContinueFrom = "",
        force: Force = False,
        max_forgetting: MaxForgetting = None,
        skip_faulty: SkipFaulty = False,
        check: Check = False,
        print_trl: PrintTrl = False,
    ) -> int | None:
        """Tune a base model; an interrupted training goes on where it stopped."""
        from doceo.app.finetuning import Tuning, check_together

        asked = Tuning(
            source=sources[0],
            more=tuple(sources[1:]),
            skip_faulty=skip_faulty,
            out=Path(out) if out else None,
            validation=Path(validation) if validation else None,
            resume=resume,
            start=Path(continue_from) if continue_from else None,
            force=force,
        )
        check_together(asked)
        if check or print_trl:
            _look(asked, settings, console, check=check)
            return None
        return _tune(asked, settings, console, max_forgetting)


def _look(asked: Tuning, settings: Settings, console: Console, *, check: bool) -> None:
    """Show the report on the rows, or the stock command; nothing is trained."""
    from doceo.app.finetuning import check as check_rows
    from doceo.app.finetuning import print_command

    if check:
        report = check_rows(asked, settings, console)
        console.show("\n".join(report.said()))
        console.result(report.model_dump(mode="json"))
        return
    command = print_command(asked, settings, console)
    console.show(command)
    console.result({"command": command})


def _tune(asked: Tuning, settings: Settings, console: Console, max_forgetting: float | None) -> int | None:
    from doceo.app.finetuning import tune_together

    made = tune_together(asked, settings, console)
    if made is None:
        return None
    if made.said():
        console.say(made.said())
    console.show(f"{made.kind}: {made.folder}")
    console.result({"adapter": str(made.folder), "finetuning": made.record, "unchanged": made.before is not None})
    console.next_steps(*made.next_steps)
    failure = made.forgot_more_than(max_forgetting)
    if failure:
        console.say(failure)
    return GATE_FAILED if failure else None
