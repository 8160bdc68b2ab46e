from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.store import ANSWERS, DOCUMENTS, Run
from doceo.core.records import Answer, Chunk, Citation, Document, Ledger, Pair, Rejected, Span, Verdict
from evaluation.view.answers import introduction, pieces_of, worked_examples
from evaluation.view.charts import bars, curve
from evaluation.view.dataset import outcome, use
from evaluation.view.passages import Excerpt, Library, Quote, clip
from evaluation.view.records import read_run

MakePair = Callable[[Document, str, str], Pair]


def citation(n: int) -> Citation:
    return Citation(
        n=n,
        document_id="d",
        source="s",
        title="t",
        span=Span(document_id="d", start=0, end=1),
        quote="q",
        verified=True,
    )


def marked(shown: Excerpt) -> list[list[str]]:
    return [part.text.split() for part in shown.parts if part.kind == "mark"]


def test_an_answer_is_shown_with_its_sources_and_its_short_form() -> None:
    answer = Answer(text="It takes forty minutes [1][2].", short="forty minutes", citations=(citation(1), citation(2)))
    shown = [(piece.kind, piece.text) for piece in pieces_of(answer)]
    assert shown == [
        ("plain", "It takes "),
        ("short", "forty minutes"),
        ("source", "1"),
        ("source", "2"),
        ("plain", "."),
    ]


def test_a_bracket_that_is_no_source_stays_text() -> None:
    assert [p.text for p in pieces_of(Answer(text="See a[3] or [1, 2]", citations=(citation(1),)))] == [
        "See a[3] or [1, 2]"
    ]


@settings(max_examples=80, deadline=None)
@given(st.text("ab \n#|*`-.é", max_size=300), st.data())
def test_an_excerpt_of_any_span_shows_its_quote(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    document = Document(id="d", source="s.md", media_type="text/markdown", title="t", text=text, sha256="0")
    quote = Quote(Span(document_id="d", start=start, end=end), text[start:end])
    (shown,) = Library({"d": document}, []).excerpts([quote], room=40)
    assert shown.found
    assert marked(shown) == [text[start:end].split()]
    assert sum(len(part.text) for part in shown.parts if part.kind != "mark") <= 40 * 2 + 4


@settings(max_examples=60, deadline=None)
@given(
    st.text("ab \n.", min_size=9, max_size=300),
    st.lists(st.tuples(st.integers(0, 290), st.integers(1, 30)), max_size=4),
)
def test_every_quote_is_shown_once_whatever_they_share(text: str, places: list[tuple[int, int]]) -> None:
    document = Document(id="d", source="s.md", media_type="text/plain", title="t", text=text, sha256="0")
    spans = [Span(document_id="d", start=at, end=min(at + n, len(text))) for at, n in places if at < len(text)]
    quotes = [Quote(span, text[span.start : span.end], n) for n, span in enumerate(spans, 1)]
    shown = Library({"d": document}, []).excerpts(quotes, room=60)
    numbers = [part.n for excerpt in shown for part in excerpt.parts if part.kind == "mark"]
    assert sorted(n or 0 for n in numbers) == list(range(1, len(spans) + 1))
    assert all(excerpt.found for excerpt in shown)


def test_quotes_of_one_passage_share_an_excerpt() -> None:
    text = "One is first. Two follows. Three ends it." + " Filler." * 200 + " Far away."
    document = Document(id="d", source="s.md", media_type="text/plain", title="t", text=text, sha256="0")
    quotes = [
        Quote(Span(document_id="d", start=text.index(q), end=text.index(q) + len(q)), q, n)
        for n, q in ((1, "Three ends it."), (2, "One is first."), (3, "Far away."))
    ]
    near, far = Library({"d": document}, []).excerpts(quotes, room=100)
    assert [(part.n, part.text) for part in near.parts[:3]] == [
        (2, "One is first."),
        (None, " Two follows. "),
        (1, "Three ends it."),
    ]
    assert near.numbers == [1, 2]
    assert far.numbers == [3]


def test_an_excerpt_stays_in_its_chunk_and_names_the_place() -> None:
    text = "First part. " * 30 + "\n\n" + "The ferry takes an hour. " * 20 + "\n\n### Third\n\nIt is slow."
    start = text.index("The ferry")
    document = Document(
        id="d", source="s.md", media_type="text/markdown", title="T", text=text, sha256="0", pages=(0, 99)
    )
    span = Span(document_id="d", start=start, end=len(text))
    chunk = Chunk(
        id="c", document_id="d", span=span, text=text[start:], heading_path=("T", "Second"), tokens=9, text_sha256="0"
    )
    library = Library({"d": document}, [chunk])
    (shown,) = library.excerpts([Quote(Span(document_id="d", start=start, end=start + 24), text[start : start + 24])])
    assert shown.parts[0].kind == "mark"
    assert shown.place == "T > Second · page 2"
    assert shown.parts[-1].text.endswith("…")
    (slow,) = library.excerpts([Quote(Span(document_id="d", start=len(text) - 11, end=len(text)), "It is slow.")])
    assert slow.place == "T > Second > Third · page 2"


def test_an_unknown_document_is_shown_as_its_quote() -> None:
    (shown,) = Library({}, []).excerpts([Quote(Span(document_id="d", start=3, end=4), "q", 2, "other.pdf")])
    assert (marked(shown), shown.source, shown.found, shown.numbers) == ([["q"]], "other.pdf", False, [2])


def test_headings_and_marks_of_markdown_are_not_shown_raw() -> None:
    text = "## Heat\n\n**Copper** conducts heat.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## Next\n\n"
    document = Document(id="d", source="s.md", media_type="text/markdown", title="t", text=text, sha256="0")
    start = text.index("conducts")
    (shown,) = Library({"d": document}, []).excerpts(
        [Quote(Span(document_id="d", start=start, end=start + 8), "conducts")]
    )
    assert [(part.kind, part.text) for part in shown.parts] == [
        ("heading", "Heat"),
        ("plain", "\n\nCopper "),
        ("mark", "conducts"),
        ("plain", " heat.\n\na · b\n1 · 2"),
    ]


def test_clip_cuts_at_a_word() -> None:
    assert clip("one two three", 9) == "one two …"
    assert clip("one", 9) == "one"


def test_worked_examples_cite_and_no_quote_comes_twice(build: Callable[..., Run]) -> None:
    records = read_run(build((DOCUMENTS, ANSWERS)))
    worked = worked_examples(records, Library(records.documents, ()))
    quotes = [str(marked(work.sources[0])) for work in worked]
    assert len(worked) == 3
    assert len(set(quotes)) == 3
    assert {work.system for work in worked} == {"quote+rag"}
    assert introduction(worked) == "These are 3 of its best answers, of 1 document."
    assert introduction(worked[:1]) == "This is one of its best answers."
    unsure = [worked[0], replace(worked[1], outcome="unknown")]
    assert introduction(unsure) == "These are 2 of its answers, of 1 document; whether they are right is not known."
    some = [worked[0], replace(worked[1], outcome="wrong")]
    assert introduction(some).endswith("of its answers, of 1 document; none that cites a source is known to be right.")
    apart = replace(worked[1], sources=(replace(worked[1].sources[0], source="other.md"),))
    assert introduction([worked[0], apart]) == "These are 2 of its best answers, of 2 documents."


def test_right_answers_are_shown_before_wrong_ones(build: Callable[..., Run]) -> None:
    records = read_run(build((DOCUMENTS, ANSWERS)))
    first = worked_examples(records, Library(records.documents, ()))[0]
    lines = [
        line.model_copy(update={"references": ("something else",)}) if line.question == first.question else line
        for line in records.answers["quote+rag"]
    ]
    changed = replace(records, answers={"quote+rag": tuple(lines)})
    worked = worked_examples(changed, Library(changed.documents, ()))
    assert first.question not in {work.question for work in worked}
    assert {work.outcome for work in worked} == {"right"}


def test_bars_gather_the_rest() -> None:
    rows = bars({f"k{n}": 20 - n for n in range(20)}, limit=5)
    assert [row.label for row in rows] == ["k0", "k1", "k2", "k3", "16 others"]
    assert rows[0].share == 100


def test_the_ledger_is_shown_whole(make_document: Callable[..., Document], make_pair: MakePair) -> None:
    pair = make_pair(make_document("The heron waits."), "What waits?", "heron")
    unproven = pair.model_copy(update={"evidence": ()})
    reasons = {"form": pair, "quote_not_found": unproven, "answer_not_supported": unproven, "not_selected": pair}
    rejected = [Rejected(pair=p, verdict=Verdict(accepted=False, reason=reason)) for reason, p in reasons.items()]
    counts = dict.fromkeys(reasons, 1)
    ledger = Ledger(requested=5, asked=7, accepted=1, rejected=counts, failed={"timed_out": 2})
    shown = outcome(ledger, [pair], rejected)
    assert shown is not None
    assert (shown.rate, shown.exact) == ("14 %", "80.0 %")
    assert [bar.value for bar in shown.bars] == ["1", "1", "1", "1", "1", "2"]
    assert shown.bars[-1].label == "timed out"
    empty = outcome(Ledger(requested=5, asked=0, accepted=0), (), ())
    assert empty is not None
    assert (empty.rate, empty.exact) == ("none", "")


def test_use_names_training_and_test_rows() -> None:
    assert use({"taught": 3, "train": 20, "unseen": 0, "validation": 2}) == (
        "20 training and 2 validation rows were made; kept out of them for testing: 3 taught questions."
    )
    assert use({}) == ""


def test_the_curve_lies_in_its_frame() -> None:
    shown = curve([{"step": n, "loss": 5 / n} | ({"eval_loss": 4.0} if n == 3 else {}) for n in range(1, 9)])
    assert shown is not None
    points = [tuple(map(float, point.split(","))) for point in shown.train.split()]
    assert len(points) == 8
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in points)
    assert shown.validation_points[0][0] == pytest.approx(37.5)
    assert dict(shown.facts)["loss"] == "5.00 → 0.62"
    assert curve([{"step": 1, "loss": 2.0}]) is None
    flat = curve([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 2.0}])
    assert flat is not None
