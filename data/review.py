"""What a person decided on the pairs of a run: `review.json`, as the report's page saves it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from doceo.core.errors import InputError

REVIEW = "review.json"


class Decision(BaseModel):
    """One pair, kept or dropped, and perhaps why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair_id: str
    decision: Literal["keep", "drop"]
    note: str = ""


class Review(BaseModel):
    """The decisions on a run's pairs; a pair is decided on once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = ""
    decisions: tuple[Decision, ...]

    @model_validator(mode="after")
    def _once(self) -> Self:
        twice = [pair_id for pair_id, n in Counter(d.pair_id for d in self.decisions).items() if n > 1]
        if twice:
            raise ValueError(f"the pair {twice[0]} is decided on twice")
        return self

    def over(self, earlier: Self) -> Self:
        """Return these decisions, and the earlier ones on other pairs."""
        mine = {decision.pair_id for decision in self.decisions}
        others = tuple(decision for decision in earlier.decisions if decision.pair_id not in mine)
        return self.model_copy(update={"decisions": (*others, *self.decisions)})


def read_review(path: Path) -> Review:
    """Read a review. Raises InputError naming the file and the field at fault."""
    try:
        return Review.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.", hint="Save one on the page that `doceo report` makes.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InputError(
            f"{path}: {place + ': ' if place else ''}{message}.",
            hint='It looks like {"run": "", "decisions": [{"pair_id": "p_1", "decision": "drop", "note": "why"}]}.',
        ) from error
