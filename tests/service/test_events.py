"""What a stream carries: words, each citation when it is known, and at the end everything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from doceo.core.records import Answer, Citation, Message, ProfileEntry, Span
from doceo.service.routes.chat import _events

SPAN = Span(document_id="d", start=0, end=4)
CITED = Citation(n=1, document_id="d", source="a.txt", title="A", span=SPAN, quote="Old.", verified=True)


class Says:
    name = "m+rag"

    def answer(self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()) -> Answer:
        return Answer(text="Old [1].", citations=(CITED,), chance=0.7)

    def stream(
        self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()
    ) -> Iterator[str | Citation | Answer]:
        yield "Old "
        yield "[1]"
        yield CITED
        yield "."
        yield self.answer(question)


def test_a_citation_is_an_event_of_its_own() -> None:
    events = [
        line.removeprefix("data: ").strip() for line in _events(Says(), "Is it old?", [], {"id": "x"}, usage=False)
    ]
    assert events.pop() == "[DONE]"
    rows = [json.loads(event) for event in events]
    texts = [row["choices"][0]["delta"].get("content", "") for row in rows]
    assert "".join(texts) == "Old [1]."
    (at,) = [n for n, row in enumerate(rows) if row.get("citations") and row["choices"][0]["finish_reason"] is None]
    assert texts[at - 1] == "[1]"
    assert rows[at]["citations"][0]["quote"] == "Old."
    assert (rows[-1]["citations"], rows[-1]["chance"]) == (rows[at]["citations"], 0.7)
