"""Made-up questions with right, wrong and odd answers, on which a metric is checked."""

from __future__ import annotations

from doceo.core.records import Answer, Citation, Evidence, Hit, Question, Span, Usage
from evaluation.case import Case

_FACTS = (
    ("How long does the ferry take?", "The ferry takes forty minutes from Velm to Orsund."),
    ("When was the mill of Velm built?", "The mill of Velm was built in 1874 by Ada Torp."),
    ("What does the archive keep?", "The archive keeps 1,200 letters of fishermen."),
    ("Πότε ανοίγει το μουσείο;", "Το μουσείο ανοίγει κάθε Τρίτη στις δέκα."),
    ("图书馆几点开门?", "图书馆每天早上九点开门。"),
    ("Who keeps the lighthouse?", "Marta Lind keeps the lighthouse of Orsund."),
)
_OTHER = "Rye bread stays fresh for some days, they say there."
_LONG = 200
"""Characters of a document of the town; fact n stands at the beginning of document n, nothing else is told there."""


def right_cases() -> list[Case]:
    """Return questions that are answered as they should be, quickly, with their evidence; the last is refused."""
    found = [
        _case(n, fact, (_cited(n, 0, len(fact), fact, verified=True),), (_hit(n, 0), _hit(n, _LONG)), 0.9, 1)
        for n, (_, fact) in enumerate(_FACTS)
    ]
    return [*found, _refusal(0.1, answerable=False)]


def wrong_cases() -> list[Case]:
    """Return the same questions with wrong answers, slow and dear, that cite something else, or refused in vain."""
    found = [
        _case(n, _OTHER, (_cited(n, _LONG, 2 * _LONG, "Something else.", verified=False),), (_hit(n, _LONG),), 0.2, 9)
        for n in range(len(_FACTS) - 1)
    ]
    answered = _question(len(_FACTS), answerable=False)
    sure = Answer(text=_OTHER, hits=(_hit(0, _LONG),), chance=0.9, usage=_usage(9))
    return [*found, _case(0, _FACTS[0][1], (), (_hit(0, _LONG),), 0.1, 9), Case(answered, sure)]


def odd_cases() -> list[Case]:
    """Return an empty answer, one without references, one without documents, and a refusal of what can be answered."""
    question = _question(0)
    bare = question.model_copy(update={"references": (), "evidence": ()})
    return [
        Case(question, Answer(text="")),
        Case(bare, Answer(text="It takes an hour.")),
        Case(question, Answer(text="Forty minutes.")),
        Case(question, Answer(text="?!", hits=(_hit(0, 0),))),
        _refusal(0.3, answerable=True),
    ]


def _question(n: int, *, answerable: bool = True) -> Question:
    if not answerable:
        return Question(pair_id=f"p{n}", set="unseen", question="Who?", references=("Nobody knows.",), answerable=False)
    asked, fact = _FACTS[n]
    evidence = Evidence(span=Span(document_id=f"d{n}", start=0, end=len(fact)), quote=fact)
    return Question(pair_id=f"p{n}", set="unseen", question=asked, references=(fact,), evidence=(evidence,))


def _case(
    n: int, text: str, citations: tuple[Citation, ...], hits: tuple[Hit, ...], chance: float, seconds: float
) -> Case:
    answer = Answer(text=f"{text} [1]", citations=citations, hits=hits, chance=chance, usage=_usage(seconds))
    return Case(_question(n), answer)


def _refusal(chance: float, *, answerable: bool) -> Case:
    question = _question(0 if answerable else len(_FACTS), answerable=answerable)
    text = question.references[0] if not answerable else "I cannot find this in the documents."
    return Case(question, Answer(text=text, refused=True, hits=(_hit(0, _LONG),), chance=chance, usage=_usage(1)))


def _cited(n: int, start: int, end: int, quote: str, *, verified: bool) -> Citation:
    span = Span(document_id=f"d{n}", start=start, end=end)
    return Citation(n=1, document_id=f"d{n}", source=f"{n}.md", title="", span=span, quote=quote, verified=verified)


def _hit(n: int, start: int) -> Hit:
    span = Span(document_id=f"d{n}", start=start, end=start + _LONG)
    return Hit(chunk_id=f"c{n}{start}", source=f"{n}.md", span=span, score=1.0)


def _usage(seconds: float) -> Usage:
    tokens = int(10 * seconds)
    return Usage(prompt_tokens=tokens, completion_tokens=tokens, cost=seconds / 1000, seconds=seconds)
