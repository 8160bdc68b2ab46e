"""The card of a dataset names what its files hold, and only files that hold something."""

from __future__ import annotations

from data.dataset import Dataset
from data.dataset_card import dataset_card
from data.leaks import LeakCheck
from doceo.core.records import Example, Message, Question
from doceo.text.passages import REFUSAL


def row(style: str, answer: str, *passages: str) -> Example:
    turns = (Message(role="user", content="Q?"), Message(role="assistant", content=answer))
    return Example.model_validate(
        {"id": f"e_{style}{answer}", "style": style, "messages": turns, "chunk_ids": passages, "pair_id": "p_1"}
    )


DATASET = Dataset(
    train=[row("closed", "A"), row("open", "A [1]", "c_1"), row("open", REFUSAL, "c_2"), row("conversation", "A")],
    validation=[row("closed", "B")],
    taught=[Question(pair_id="p_2", set="taught", question="Q?", references=("A",))],
    unseen=[],
    check=LeakCheck(questions=1, rows=5, removed={"near question": 2, "kept-out text": 1}, untrained=1),
)


def test_the_card_says_what_there_is() -> None:
    card = dataset_card(DATASET)
    assert "| `train.jsonl` | 4 |" in card
    assert "| open | 2 | 50.0 % |" in card
    assert "| of `open`, refusals | 1 | 25.0 % |" in card
    assert "Leak check: 0 of 1 held-out questions, and no kept-out text, in 5 rows; 3 rows taken out for it" in card
    assert "kept-out text 1, near question 2." in card
    assert "path: unseen.jsonl" not in card
