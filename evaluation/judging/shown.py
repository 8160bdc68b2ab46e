"""A question, what is known of it, and an answer, as a judge is shown them. Whose answer it is, is not shown.

Everything stands between tags with a code that depends on all of it, so that no text in it can close them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from doceo.core.fingerprint import identify
from doceo.core.records import Answer, Citation, Document, Evidence, Span
from doceo.text.passages import heading_line
from doceo.text.sentences import sentence_spans
from evaluation.case import Case

EMPTY = "(The answer is empty.)"
NO_CITATION = "(The answer cites nothing.)"
UNANSWERABLE = "The documents do not answer this question. The right answer is to say so, in any words."
UNKNOWN = "No right answer is known."
_MOST_REFERENCES = 6
_LONGEST = 2400
"""Characters of one piece of text; nothing that is cited or proves an answer is usually longer."""
Documents = Mapping[str, Document]


def answer_id(case: Case) -> str:
    """Return the id of what a judge is shown of an answer: the same for two systems that answer alike."""
    q, a = case.question, case.answer
    asked = [q.set, q.pair_id, q.question, list(q.history), list(case.references), q.answerable, list(q.evidence)]
    cited = [[citation.n, citation.quote, _place(citation, a)] for citation in a.citations]
    return identify("a_", asked, a.text, cited)


def code(*cases: Case) -> str:
    """Return the code of the tags around what is shown of one or two answers."""
    return identify("", *sorted(answer_id(case) for case in cases))[:8]


def question_shown(case: Case, code: str) -> str:
    """Return the question, after the turns before it."""
    names = {"user": "Reader", "assistant": "Assistant"}
    turns = [f"{names[turn.role]}: {turn.content}" for turn in case.question.history if turn.role in names]
    before = [_tagged("conversation", code, "\n".join(turns))] if turns else []
    return "\n\n".join([*before, _tagged("question", code, case.question.question)])


def known_shown(case: Case, documents: Documents, code: str) -> str:
    """Return what is known of the right answer: references, and the sentences of the documents that prove them."""
    if not case.question.answerable:
        return UNANSWERABLE
    references = case.references[:_MOST_REFERENCES]
    right = [_tagged("right answer", code, text) for text in references] or [UNKNOWN]
    proofs = dict.fromkeys(_proof(evidence, documents) for evidence in case.question.evidence)
    return "\n\n".join([*right, *(_tagged("words of the documents", code, proof) for proof in proofs)])


def answer_shown(case: Case, documents: Documents, code: str, which: str = "") -> str:
    """Return the answer with its markers, and the passages that it cites.

    Args:
        case: The answer.
        documents: Id -> document; of one that is missing the quote alone is shown.
        code: The code of the tags.
        which: `first` or `second`, where there are two.
    """
    name = f"{which} answer".strip()
    cited = [_tagged(f"text cited by the {name}", code, text) for text in _cited(case.answer, documents)]
    text = _tagged(name, code, case.answer.text.strip() or EMPTY)
    return "\n\n".join([text, *(cited or [NO_CITATION])])


def _tagged(name: str, code: str, text: str) -> str:
    return f"<{name} {code}>\n{text}\n</{name} {code}>"


def _cited(answer: Answer, documents: Documents) -> Iterator[str]:
    """Yield the texts that an answer cites, each once, with the numbers that stand for it."""
    numbers: dict[tuple[str, str], list[int]] = {}
    for citation in answer.citations:
        place = _place(citation, answer)
        document = documents.get(place.document_id)
        text = document.text[place.start : place.end] if document else citation.quote
        of_place = numbers.setdefault((heading_line(citation.title, citation.heading_path), text), [])
        of_place += [citation.n] * (citation.n not in of_place)
    for (heading, text), several in numbers.items():
        marks = "".join(f"[{n}]" for n in several)
        yield f"{marks} {heading}\n{text[:_LONGEST].strip()}"


def _place(citation: Citation, answer: Answer) -> Span:
    """Return the passage that a citation names, or its quote's own place where no hit holds it."""
    for hit in answer.hits:
        inside = hit.span.start <= citation.span.start and citation.span.end <= hit.span.end
        if hit.span.document_id == citation.document_id and inside:
            return hit.span
    return citation.span


def _proof(evidence: Evidence, documents: Documents) -> str:
    """Return the sentences that hold a piece of evidence, and the one before, under the document's title.

    A date alone says little, and what "it" is stands before.
    """
    document = documents.get(evidence.span.document_id)
    if document is None:
        return evidence.quote
    start, end = evidence.span.start, evidence.span.end
    spans = _sentences(document.text)
    touching = [at for at, (a, b) in enumerate(spans) if a < end and start < b]
    if touching:
        start, end = min(start, spans[max(0, touching[0] - 1)][0]), max(end, spans[touching[-1]][1])
    text = document.text[start:end] if end - start <= _LONGEST else evidence.quote[:_LONGEST]
    return f"{document.title or document.source}\n{text.strip()}"


@lru_cache(maxsize=32)
def _sentences(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(sentence_spans(text))
