"""Systems under two names, and citations set by set."""

from __future__ import annotations

from collections.abc import Sequence

from doceo.core.records import Answer, Answered, Citation, SetName, Span, Usage
from evaluation.cited import cited
from evaluation.copies import copies, left_out


def lines(texts: Sequence[str], seconds: float = 1.0, set_name: SetName = "taught") -> list[Answered]:
    return [
        Answered(
            pair_id=str(n),
            set=set_name,
            question="?",
            references=("x",),
            answer=Answer(text=text, usage=Usage(seconds=seconds)),
        )
        for n, text in enumerate(texts)
    ]


def test_a_system_under_a_second_name_is_a_copy_whatever_time_it_took() -> None:
    answered = {
        "base": lines("ab"),
        "tuned": lines("ab"),  # of another kind: that tuning changed nothing is a result
        "adapter:runs/a/5-adapter": list(reversed(lines("ab", 9.0))),
        "adapter:b": lines("ac"),
        "tuned+rag": lines("ab"),
        "recorded": lines("ab"),
        "hf:other": lines("ab"),
    }
    found = copies(answered)
    assert found == {"adapter:runs/a/5-adapter": "tuned", "hf:other": "base"}
    assert left_out(found) == (
        "Left out: adapter:runs/a/5-adapter, with the same answers as tuned; hf:other, with the same answers as base."
    )
    assert left_out({}) == ""


def test_citations_are_counted_set_by_set() -> None:
    span = Span(document_id="d", start=0, end=1)
    quote = Citation(n=1, document_id="d", source="s", title="t", span=span, quote="q", verified=True)
    answer = Answer(text="a [1]", citations=(quote, quote.model_copy(update={"verified": False})))
    taught = [lines("a")[0].model_copy(update={"answer": answer}), *lines("bc")[1:]]
    unseen = [lines("a", set_name="unseen")[0].model_copy(update={"answer": answer})]
    found = cited({"quote+rag": [*taught, *unseen], "base": lines("abc")})
    assert [(one.set, one.system, one.citing, one.answers) for one in found] == [
        ("taught", "quote+rag", 1, 2),
        ("unseen", "quote+rag", 1, 1),
    ]
    assert found[0].words == "quote+rag: 1 of 2 citations verified (50%), in 1 of 2 answers"
