"""What of an earlier generation still holds after documents changed."""

from __future__ import annotations

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Evidence, Pair, Rejected, Span, Verdict
from generator.carried import Asked, carried


def chunk(document: str, start: int, text: str) -> Chunk:
    span = Span(document_id=document, start=start, end=start + len(text))
    return Chunk(
        id=Chunk.identify(span), document_id=document, span=span, text=text, tokens=9, text_sha256=sha256(text)
    )


def pair_of(of: Chunk, quote: str, question: str = "Q?", answer: str = "A") -> Pair:
    start = of.span.start + of.text.index(quote)
    span = Span(document_id=of.document_id, start=start, end=start + len(quote))
    evidence = (Evidence(span=span, quote=quote),)
    return Pair(
        id=Pair.identify(question, answer, evidence),
        question=question,
        answer=answer,
        evidence=evidence,
        chunk_ids=(of.id,),
        teacher="t",
    )


def asked(*chunks: Chunk) -> list[Asked]:
    return [Asked(chunk_id=c.id, span=c.span, text_sha256=c.text_sha256, asked=2) for c in chunks]


OLD = chunk("d_1", 0, "Bees dance."), chunk("d_1", 20, "Ants walk."), chunk("d_2", 0, "Wasps sting.")
PAIRS = [pair_of(OLD[0], "dance"), pair_of(OLD[1], "walk"), pair_of(OLD[2], "sting")]


def test_nothing_changed_keeps_everything() -> None:
    refused = [Rejected(pair=PAIRS[0], verdict=Verdict(accepted=False, reason="form"))]
    kept = carried(PAIRS, refused, asked(*OLD), OLD)
    assert (list(kept.pairs), kept.retired, list(kept.rejected)) == (PAIRS, 0, refused)
    assert kept.asked == {c.id: 2 for c in OLD}


def test_an_edited_document_retires_only_its_changed_passages() -> None:
    now = chunk("d_9", 5, "Bees dance."), chunk("d_9", 30, "Ants run."), OLD[2]
    kept = carried(PAIRS, [], asked(*OLD), now)
    assert kept.retired == 1
    assert [pair.question for pair in kept.pairs] == ["Q?", "Q?"]
    moved = kept.pairs[0]
    assert moved.chunk_ids == (now[0].id,)
    span = moved.evidence[0].span
    assert (span.document_id, now[0].text[span.start - 5 : span.end - 5]) == ("d_9", "dance")
    assert moved.id == Pair.identify(moved.question, moved.answer, moved.evidence) != PAIRS[0].id
    assert kept.pairs[1] == PAIRS[2]
    assert kept.asked == {now[0].id: 2, OLD[2].id: 2}


def test_a_pair_on_two_passages_needs_both() -> None:
    both = PAIRS[0].model_copy(
        update={"evidence": (*PAIRS[0].evidence, *PAIRS[1].evidence), "chunk_ids": (OLD[0].id, OLD[1].id)}
    )
    assert carried([both], [], asked(*OLD), OLD[:2]).retired == 0
    assert carried([both], [], asked(*OLD), OLD[:1]).retired == 1


def test_passages_of_equal_text_are_not_taken_twice() -> None:
    twins = chunk("d_1", 0, "Bees dance."), chunk("d_2", 7, "Bees dance.")
    pairs = [pair_of(twins[0], "dance", "One?"), pair_of(twins[1], "dance", "Two?")]
    now = [chunk("d_3", 0, "Bees dance.")]
    kept = carried(pairs, [], asked(*twins), now)
    assert (len(kept.pairs), kept.retired) == (1, 1)


def test_a_passage_that_stands_where_it_stood_is_its_own_first() -> None:
    twins = chunk("d_1", 0, "Bees dance."), chunk("d_2", 7, "Bees dance.")
    pairs = [pair_of(twins[0], "dance", "One?"), pair_of(twins[1], "dance", "Two?")]
    kept = carried(pairs, [], asked(*twins), [twins[1]])
    assert (list(kept.pairs), kept.retired) == ([pairs[1]], 1)


def test_rewordings_are_told_apart() -> None:
    again = pair_of(OLD[0], "dance", "In other words?")
    kept = carried([*PAIRS, again], [], asked(*OLD), OLD)
    assert (list(kept.pairs), list(kept.rewordings)) == (PAIRS, [again])
