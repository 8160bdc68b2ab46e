"""The report on data: what it counts, what it warns of, and where it stops a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from doceo.core.config import FinetuneConfig
from doceo.core.errors import InputError, TrainingError
from doceo.core.records import Message
from finetune.checks import Checked, Row, load_rows
from finetune.data_check import check_data
from finetune.data_report import DataReport
from finetune.examples import IGNORED
from finetune.preflight import prepare

from .chat_templates import FAMILIES, tokenizer_for
from .conftest import FACTS, rows, write_rows
from .model_families import make_model

GEMMA, OURS = (tokenizer_for(FAMILIES[name].template) for name in ("gemma", "ours"))


def _row(line: int, question: str, answer: str = "Ada.", system: str = "") -> Row:
    first = (Message(role="system", content=system),) if system else ()
    return Row(line, (*first, Message(role="user", content=question), Message(role="assistant", content=answer)))


def _report(
    *found: Row, held: tuple[Row, ...] = (), tokenizer: PreTrainedTokenizerFast = OURS, longest: int = 128
) -> DataReport:
    checked = Checked(list(found), [], ["line 9"], {"messages": len(found)})
    return prepare(tokenizer, "rows.jsonl", checked, longest, held=held).report


def test_what_is_counted(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", list(rows(FACTS)))
    checked = load_rows(path)
    prepared = prepare(OURS, path.name, checked, 256)
    report, train = prepared.report, prepared.train.rows
    assert (report.rows, report.examples, report.ended) == (6, 6, 6)
    assert report.tokens == sum(len(row.input_ids) for row in train)
    assert report.learned_tokens == sum(label != IGNORED for row in train for label in row.labels)
    assert report.learned_share == pytest.approx(report.learned_tokens / report.tokens, abs=1e-4)
    assert sum(report.lengths.values()) == 6
    assert report.longest <= max(report.lengths)
    assert report.end_of_turn == "<|im_end|>"
    assert report.sample == (
        "<|im_start|>user\nWhat is a chunk?<|im_end|>\n<|im_start|>assistant\n"
        "⟦A chunk is a passage of a document.<|im_end|>⟧"
    )
    assert DataReport.model_validate_json(report.model_dump_json()) == report
    said = "\n".join(report.said())
    assert "6 messages" in said
    assert report.sample in said


def test_lengths_are_sorted_into_doubling_bars() -> None:
    report = _report(_row(1, "a"), _row(2, "b" * 40), _row(3, "c" * 41), longest=200)
    assert list(report.lengths) == sorted(report.lengths)
    assert all(end in (32, 64, 128) for end in report.lengths)


def test_questions_on_both_sides_are_named() -> None:
    trained = tuple(_row(n, q) for n, q in enumerate(("Who wrote the first program?", "What is a loom for today?")))
    held = (
        _row(4, "who wrote the first program"),
        _row(5, "And what is a loom for today, if anything?"),
        _row(6, "Where does the index of the run stand?"),
    )
    report = _report(*trained, held=held)
    assert report.same_questions == 1
    assert report.overlapping_places[0] == "line 4"
    assert any("held-out questions are trained too" in note for note in report.notes)
    assert not _report(*trained, held=held[2:]).overlapping_places


def test_what_somebody_may_not_expect_is_said() -> None:
    report = _report(_row(1, "Who?", system="Be brief."), _row(2, "long " * 200), tokenizer=GEMMA)
    text = " ".join(report.notes)
    assert "put before the user's first words" in text
    assert "1 rows are longer than 128 tokens and are left out (line 2)" in text
    assert "1 rows repeat an earlier one and are left out (line 9)" in text
    assert report.sample.startswith("<s><start_of_turn>user\nBe brief.\n\nWho?")
    assert "⟦Ada.<end_of_turn>⟧" in report.sample


def test_special_tokens_in_a_text_are_named() -> None:
    assert any("special tokens as text" in note and "line 3" in note for note in _report(_row(3, "<|im_end|>?")).notes)
    assert not any("special tokens" in note for note in _report(_row(3, "im_end?")).notes)


def test_other_answers_to_a_question_are_named() -> None:
    rows = (_row(1, "Who?"), _row(2, "who ", "Bob."), _row(3, "Who?", "ada"), _row(4, "Who?", "Bob.", system="Lie."))
    (note,) = [note for note in _report(*rows).notes if "otherwise" in note]
    assert "1 rows answer what an earlier row asks, and answer it otherwise (line 2)" in note
    assert not any(
        "otherwise" in note for note in _report(_row(1, "What is 2+3?"), _row(2, "What is 2-3?", "-1")).notes
    )


def test_characters_that_a_damaged_text_leaves_are_named() -> None:
    notes = _report(_row(1, "Caf\ufffd?"), _row(2, "a\x00b"), _row(3, "a\tb\r\n")).notes
    assert any("2 rows hold control characters" in note and "(line 1, line 2)" in note for note in notes)


def test_rows_to_validate_on_that_are_too_long_are_named() -> None:
    held = (_row(7, "long " * 200),)
    notes = _report(_row(1, "Who?"), held=held).notes
    assert any("1 of 1 rows to validate on are too long and are left out (line 7); nothing" in n for n in notes)
    assert not any("to validate on" in n for n in _report(_row(1, "Who?"), held=(_row(2, "When?"),)).notes)


def test_a_row_that_the_template_refuses_is_named() -> None:
    strict = "{% for m in messages %}{% if 'x' in m.content %}{{ raise_exception('No x.') }}{% endif %}{% endfor %}"
    with pytest.raises(TrainingError, match=r"refuses line 7: No x\."):
        _report(_row(7, "x"), tokenizer=tokenizer_for(strict))
    with pytest.raises(TrainingError, match=r"line 8: .* leaves out what the assistant says"):
        _report(_row(8, "y"), tokenizer=tokenizer_for(strict))


def test_conversations_that_become_several_rows_are_counted() -> None:
    turns = tuple(Message(role=role, content=said) for role, said in [("user", "a"), ("assistant", "b")] * 2)  # type: ignore[arg-type]
    checked = Checked([Row(1, turns)], [], [], {"messages": 1})
    report = prepare(tokenizer_for(FAMILIES["qwen-3"].template), "rows.jsonl", checked, 128).report
    assert (report.rows, report.examples) == (1, 2)
    assert any("a row for each answer" in note for note in report.notes)


def test_nothing_to_learn_stops_the_training() -> None:
    with pytest.raises(TrainingError, match=r"All 1 rows of rows\.jsonl are longer than 128 tokens"):
        _report(_row(1, "long " * 200))
    with pytest.raises(TrainingError, match=r"Nothing of rows\.jsonl would be learned"):
        _report()


def test_the_check_without_a_training(tmp_path: Path) -> None:
    base = make_model("llama-3", tmp_path / "base")
    (base / "model.safetensors").write_bytes(b"")  # the weights are not read
    path = write_rows(tmp_path / "rows.jsonl", list(rows({f"What is {n}?": f"It is {n}." for n in range(40)})))
    report = check_data(str(base), path, None, FinetuneConfig(holdout_share=0.1))
    assert (report.rows, report.validation_rows, report.max_length) == (36, 4, 192)
    validation = write_rows(tmp_path / "validation.jsonl", list(rows({"What is 7?": "It is 7."})))
    both = check_data(str(base), path, validation, FinetuneConfig())
    assert (both.rows, both.validation_rows, both.same_questions) == (40, 1, 1)
    broken = tmp_path / "broken.jsonl"
    broken.write_text(json.dumps({"messages": []}))
    with pytest.raises(InputError, match="line 1, messages"):
        check_data(str(base), broken, None, FinetuneConfig())
