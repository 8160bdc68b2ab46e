"""Training rows before training: every fault with its line, its field and its cure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from data.sft.detection import drafts_of
from data.sft.drafts import Draft, Problem, Turn, problem
from doceo.core.errors import InputError
from doceo.core.fingerprint import identify
from doceo.core.records import Message
from finetune.contents import content_fault
from finetune.turn_checks import Fault, answer_faults, turn_faults

SFT, DPO = "sft", "dpo"
"""The objectives: to say what the rows say, or rather the preferred of two answers."""
TWO = 'write {"input": {"messages"}, "preferred_output", "non_preferred_output"}, or remove the row'
NAMED = 4
"""Most files of a mixture that are named."""
SHOWN = 8
"""Most different faults that one error message lists."""


class Row(NamedTuple):
    """A row fit to train on: a conversation, or a plain text.

    `line` counts lines, or rows of an array or table, as `unit` says. `learned` holds the places of the turns that
    are learned; None stands for every assistant's turn. `ends`: a plain text ends here, rather than goes on in the
    next row. `rejected` is another answer than the last turn, where the row says which of two is preferred.
    """

    line: int
    messages: tuple[Message, ...] = ()
    learned: tuple[int, ...] | None = None
    text: str = ""
    ends: bool = True
    unit: str = "line"
    rejected: str = ""

    @property
    def place(self) -> str:
        """Where the row stands, in words: `line 3`, or `faq.csv, line 3` of a mixture."""
        return f"{self.unit} {self.line}"

    @property
    def texts(self) -> list[str]:
        """All that is said in the row."""
        return [*(message.content for message in self.messages), self.text, self.rejected]

    @property
    def taught(self) -> tuple[int, ...]:
        """Places of the turns that are learned."""
        if self.learned is not None:
            return self.learned
        return tuple(n for n, message in enumerate(self.messages) if message.role == "assistant")

    @property
    def question(self) -> str:
        """The last words of the user before what is learned, or the beginning of a plain text."""
        asked = [message.content for message in self.messages[: max(self.taught, default=0)] if message.role == "user"]
        return asked[-1] if asked else self.text[:400]


class Checked(NamedTuple):
    """The good rows of a file, the faults of the others, and the places of those that repeat an earlier row.

    `forms` counts the rows of every format found.
    """

    rows: list[Row]
    problems: list[Problem]
    repeated: list[str]
    forms: dict[str, int] = {}

    def named(self, path: Path) -> str:
        """Return the name of the file; of a mixture, those of the files that its rows came from."""
        names = list(dict.fromkeys(row.unit.rpartition(", ")[0] for row in self.rows if ", " in row.unit))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        return " + ".join(names[:NAMED]) + more if names else path.name


def check_rows(path: Path) -> Checked:
    """Read a file of rows in any format that `data.sft` knows and sort them into good and faulty ones.

    Raises InputError where the file is missing or cannot be unpacked.
    """
    return check_drafts(drafts_of(path))


def check_drafts(drafts: Iterable[Draft | Problem]) -> Checked:
    """Sort drafts into rows and faults. A row that says the same as an earlier one is left out and counted."""
    rows: list[Row] = []
    problems: list[Problem] = []
    repeated: list[str] = []
    forms: Counter[str] = Counter()
    seen: set[str] = set()
    for draft in drafts:
        if isinstance(draft, Problem):
            problems.append(draft)
            continue
        faults = _faults(draft)
        if faults:
            problems += faults
            continue
        row = _row(draft)
        said = [[m.model_dump() for m in row.messages], row.taught, row.text, draft.copy, row.rejected]
        key = identify("", said)
        if key in seen:
            repeated.append(row.place)
            continue
        seen.add(key)
        rows.append(row)
        forms[draft.form] += 1
    return Checked(rows, problems, repeated, dict(forms))


def suited(checked: Checked, objective: str) -> Checked:
    """Return the rows as an objective learns from them: `dpo` from two answers, `sft` from the preferred one alone.

    A row without two answers is a fault for `dpo`.
    """
    if objective != DPO:
        return checked._replace(rows=[row._replace(rejected="") for row in checked.rows])
    alone = [
        Problem(row.line, "non_preferred_output", "is missing: --objective dpo learns from two answers", TWO, row.unit)
        for row in checked.rows
        if not row.rejected
    ]
    return checked._replace(rows=[row for row in checked.rows if row.rejected], problems=[*checked.problems, *alone])


def load_rows(path: Path, *, to_train: bool = True, objective: str = SFT) -> Checked:
    """Return the rows of a file that has no faulty one, be it to train on or to validate on.

    Raises InputError that lists the faults, or says that the file holds no row.
    """
    checked = suited(check_rows(path), objective)
    refuse_faulty(path.name if path.is_absolute() else str(path), checked, can_skip=to_train)
    return checked


def refuse_faulty(name: str, checked: Checked, *, can_skip: bool = True, use: str = "trained on") -> None:
    """Raise InputError where a file has faulty rows, or none at all. Faults of one kind are told once.

    Args:
        name: The file.
        checked: What is in it.
        can_skip: Whether --skip-faulty leaves faulty rows of this file out.
        use: What cannot be done with faulty rows.
    """
    if checked.problems:
        alike: dict[Fault, list[Problem]] = {}
        for found in checked.problems:
            alike.setdefault((found.field, found.what, found.fix), []).append(found)
        lines = [f"{same[0]}{_so_many(same)}" for same in list(alike.values())[:SHOWN]]
        lines += [f"and {len(alike) - SHOWN} other faults"] if len(alike) > SHOWN else []
        skip = ", or leave them out with --skip-faulty" if can_skip and checked.rows else ""
        good = f" {len(checked.rows)} rows are good." if checked.rows else ""
        raise InputError(
            f"{name} has rows that cannot be {use}:\n  " + "\n  ".join(lines),
            hint=f"Repair or remove these rows{skip}; nothing was {use.split()[0]}.{good}",
        )
    if not checked.rows:
        raise InputError(f"{name} holds no rows.", hint='Every line has to be a row such as {"messages": [...]}.')


def _so_many(same: Sequence[Problem]) -> str:
    """Return where the same fault is again, in words."""
    if len(same) == 1:
        return ""
    more = f" and {len(same) - 3} more" if len(same) > 3 else ""
    return f" (also {', '.join(f'{found.unit} {found.line}' for found in same[1:3])}{more})"


def _row(draft: Draft) -> Row:
    """Return the row of a draft without faults."""
    if not draft.turns:
        return Row(draft.place.number, text=str(draft.text), ends=draft.ends, unit=draft.place.unit)
    turns = tuple(Message(role=turn.role, content=turn.content) for turn in draft.turns)
    said = [n for n, turn in enumerate(draft.turns) if turn.role == "assistant" and turn.weight in (None, 1)]
    learned = tuple(said[-1:] if draft.last_only else said)
    other = str(draft.rejected.content) if draft.rejected else ""
    return Row(draft.place.number, turns, learned, unit=draft.place.unit, rejected=other)


def _faults(draft: Draft) -> list[Problem]:
    if not draft.turns:
        wrong = content_fault(draft.text)
        return [problem(draft.place, "text", *wrong)] if wrong else []
    faults = [fault for turn in draft.turns for fault in turn_faults(turn)]
    if draft.rejected is not None:
        faults += answer_faults(draft.turns[-1], draft.rejected)
    return [problem(draft.place, *fault) for fault in faults] or _order_faults(draft)


def _order_faults(draft: Draft) -> list[Problem]:
    turns = draft.turns
    if turns[-1].role != "assistant":
        what = f"is {turns[-1].role}"
        return [problem(draft.place, turns[-1].role_field, what, "end with the assistant's answer")]
    first = 1 if turns[0].role == "system" else 0
    for n, turn in enumerate(turns[first:]):
        wanted = "assistant" if n % 2 else "user"
        if turn.role != wanted:
            fix = f"{wanted} comes here: turns alternate, user first"
            return [problem(draft.place, turn.role_field, f"is {turn.role}", fix)]
    return _none_learned(draft, turns)


def _none_learned(draft: Draft, turns: Sequence[Turn]) -> list[Problem]:
    if any(turn.role == "assistant" and turn.weight in (None, 1) for turn in turns):
        return []
    field = turns[-1].role_field.rpartition(".")[0] or turns[-1].role_field
    return [problem(draft.place, f"{field}.weight", "is 0 on every answer: nothing would be learned", "give one 1")]
