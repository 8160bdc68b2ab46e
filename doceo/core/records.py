"""The records that travel between rooms, one for every arrow of the pipeline.

All are frozen; their JSON forms are the lines of a run's files. Offsets are half-open and count Unicode code
points of `Document.text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from doceo.core.fingerprint import identify, sha256

Kind = Literal[
    "definition", "fact", "entity", "quantity", "date", "list", "procedure", "reason", "comparison", "boolean",
    "summary", "multi-hop", "multi-turn", "unanswerable",
]  # fmt: skip
Difficulty = Literal["easy", "medium", "hard"]
Style = Literal["closed", "open", "conversation"]
OrderForm = Literal["pairs", "multi-hop", "multi-turn", "unanswerable"]
Role = Literal["system", "user", "assistant"]
SetName = Literal["taught", "unseen", "taught-written", "unseen-written"]


class Record(BaseModel):
    """A frozen record; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(Record):
    """One turn of a conversation."""

    role: Role
    content: str


class Span(Record):
    """The characters `start` to `end` (half-open, code points) of one document's text."""

    document_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"span ends at {self.end}, before its start {self.start}")
        return self


class Document(Record):
    """A document as text. `pages` holds the start offset of each page, or nothing where there are no pages."""

    id: str
    source: str
    media_type: str
    title: str
    text: str
    sha256: str
    pages: tuple[int, ...] = ()
    metadata: dict[str, str] = {}

    @staticmethod
    def identify(text: str) -> str:
        """Return the id of a document with this text."""
        return "d_" + sha256(text)[:16]

    def page(self, offset: int) -> int | None:
        """Return the page number (from 1) that holds an offset, or None where there are no pages."""
        return sum(start <= offset for start in self.pages) or None


class Section(Record):
    """Where inside a chunk's text other headings stand above than at its beginning."""

    start: int
    heading_path: tuple[str, ...]


class Chunk(Record):
    """A passage of a document: `document.text[span.start:span.end] == text`. `tokens` are the embedder's.

    `heading_path` are the headings above its beginning; `sections` are those further on, where small ones share it.
    """

    id: str
    document_id: str
    span: Span
    text: str
    heading_path: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    tokens: int
    text_sha256: str

    @staticmethod
    def identify(span: Span) -> str:
        """Return the id of the chunk at a span."""
        return identify("c_", span.document_id, span.start, span.end)

    def headings(self, start: int) -> tuple[str, ...]:
        """Return the headings above a place in the text."""
        return headings_at(start, self.heading_path, self.sections)


def headings_at(start: int, first: tuple[str, ...], sections: Sequence[Section]) -> tuple[str, ...]:
    """Return the headings above a place in a chunk's text, `first` being those above its beginning."""
    return next((one.heading_path for one in reversed(sections) if one.start <= start), first)


class Evidence(Record):
    """The words of a document that prove an answer: `document.text[span.start:span.end] == quote`."""

    span: Span
    quote: str


class Pair(Record):
    """A question and its answer, with where the answer stands.

    An answerable pair that was accepted has evidence; an unanswerable one has none and keeps in `chunk_ids` the
    passages that were searched. A rejected one may lack evidence: that can be why it was rejected.
    """

    id: str
    question: str
    answer: str
    answerable: bool = True
    history: tuple[Message, ...] = ()
    rationale: str = ""
    evidence: tuple[Evidence, ...] = ()
    chunk_ids: tuple[str, ...] = ()
    kind: Kind = "fact"
    difficulty: Difficulty = "medium"
    topic: str = ""
    language: str = "en"
    scores: dict[str, float] = {}
    teacher: str
    prompt_hash: str = ""
    round: int = 0

    @staticmethod
    def identify(question: str, answer: str, evidence: tuple[Evidence, ...]) -> str:
        """Return the id of a pair."""
        return identify("p_", question, answer, [e.model_dump() for e in evidence])


class Order(Record):
    """What a teacher is asked for: about `n` pairs.

    `pairs` and `multi-turn` are made from one chunk; `multi-hop` from two or more, each of which the answer needs;
    `unanswerable` asks what one chunk's readers would ask and neither it nor the rest of the corpus answers.
    `kinds` are those wanted (none: any), `known` the questions that exist already.
    """

    form: OrderForm = "pairs"
    chunks: tuple[Chunk, ...] = Field(min_length=1)
    n: int = Field(ge=0)
    kinds: tuple[Kind, ...] = ()
    known: tuple[str, ...] = ()
    language: str = ""

    @property
    def chunk(self) -> Chunk:
        """The first chunk."""
        return self.chunks[0]


class Draft(Record):
    """A pair as its teacher proposes it, before any check. `quotes` is what the teacher says proves the answer.

    A teacher that knows where its one quote stands gives `span`; else the quotes are searched for in the chunks that
    were ordered from. A turn of a conversation carries the turns before it in `history`.
    """

    question: str
    answer: str
    quotes: tuple[str, ...] = ()
    span: Span | None = None
    answerable: bool = True
    history: tuple[Message, ...] = ()
    rationale: str = ""
    kind: Kind = "fact"
    difficulty: Difficulty = "medium"
    score: float = 0.0


class Verdict(Record):
    """What became of a proposed pair, and why."""

    accepted: bool
    reason: str = ""
    detail: str = ""


class Rejected(Record):
    """A line of `rejected.jsonl`."""

    pair: Pair
    verdict: Verdict


class Skipped(Record):
    """A line of `skipped.jsonl`: a file that gave no document."""

    source: str
    reason: str
    detail: str = ""


class Ledger(Record):
    """What became of every pair that was asked for: asked = accepted + rejected + failed."""

    requested: int
    asked: int
    accepted: int
    rejected: dict[str, int] = {}
    failed: dict[str, int] = {}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = self.accepted + sum(self.rejected.values()) + sum(self.failed.values())
        if self.asked != total:
            raise ValueError(f"the ledger does not add up: asked {self.asked}, accounted for {total}")
        return self


class Example(Record):
    """One training row: the last message is what is learned. Imported rows have no `pair_id`."""

    id: str
    style: Style
    messages: tuple[Message, ...]
    pair_id: str | None = None
    chunk_ids: tuple[str, ...] = ()


class Question(Record):
    """A held-out question with its references. Written ones were not made by the generator."""

    pair_id: str
    set: SetName
    question: str
    references: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()
    history: tuple[Message, ...] = ()
    answerable: bool = True
    kind: str = ""
    difficulty: str = ""
    topic: str = ""
    author: str = ""


class Arm(Record):
    """A hit's place in one retrieval arm; rank counts from 1."""

    rank: int
    score: float


class Hit(Record):
    """A retrieved passage: fused score and, per arm (`dense`, `lexical`, ...), rank and score.

    `flags` names what in its text looks like an instruction to a model (`doceo.text.injections`).
    """

    chunk_id: str
    source: str
    heading_path: tuple[str, ...] = ()
    page: int | None = None
    span: Span
    score: float
    arms: dict[str, Arm] = {}
    flags: tuple[str, ...] = ()


class Passage(Record):
    """A hit with what the index stores of it: enough to quote it and to show where it stands.

    `sections` say where in its text other headings stand above than at its beginning.
    """

    hit: Hit
    title: str
    text: str
    sections: tuple[Section, ...] = ()

    def headings(self, start: int) -> tuple[str, ...]:
        """Return the headings above a place in the text."""
        return headings_at(start, self.hit.heading_path, self.sections)


class Citation(Record):
    """A source of an answer.

    `verified` says that code found `quote` at `span` of the document, and that it says what the answer says. `flags`
    name what in its passage reads like an order to a model.
    """

    n: int
    document_id: str
    source: str
    title: str
    page: int | None = None
    heading_path: tuple[str, ...] = ()
    span: Span
    quote: str
    verified: bool
    flags: tuple[str, ...] = ()


class Usage(Record):
    """Tokens, USD (None where no price is known) and seconds of one answer."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0


class Segment(Record):
    """A part of a prompt, such as `profile` or `retrieved`: its tokens, what was left out of it, and its hash.

    A server that keeps the beginning of prompts reads again only what stands behind the first changed hash.
    """

    name: str
    tokens: int
    sha256: str
    left_out: int = 0


class Trace(Record):
    """How an answer came about.

    `queries` were searched for, made by `rewriting` (`none`, `rules`, or a model's name); `notes` say what did not
    go as asked, such as a reranker that was too slow. `counted_tokens` of the prompt are by our count, None where no
    model was asked.
    """

    queries: tuple[str, ...] = ()
    rewriting: str = "none"
    segments: tuple[Segment, ...] = ()
    counted_tokens: int | None = None
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = {}


class Answer(Record):
    """An answer with its sources. `text` marks citations as [n]; a refusal has none and says why in `reason`.

    `short` is the part of `text` that answers in a word or two, where a rule found one. `chance` is that of the
    passages holding an answer, 0 to 1, where it was worked out. Where a model's server would not take the question
    (`failed`), nothing was answered, and nothing decided either: it is no refusal that could be right.
    """

    text: str
    short: str | None = None
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    refused: bool = False
    reason: str = ""
    failed: bool = False
    chance: float | None = None
    usage: Usage = Usage()
    trace: Trace | None = None


class ProfileEntry(Record):
    """Something that a user has said about themselves: a fact, a preference, or how answers are to be (`style`).

    `source` is the turn that it was said in, or empty where it was entered by hand; `created` and `expires` are
    seconds since 1970, UTC, the latter None for an entry that stays.
    """

    id: str
    kind: Literal["fact", "preference", "style"]
    text: str
    source: str = ""
    created: float
    expires: float | None = None


class Turn(Record):
    """A stored message of a conversation; a refusal is not shown to a model again.

    `files` are the ids of the cited files of a vector store, by `Citation.source`.
    """

    id: str
    message: Message
    refused: bool = False
    answer: Answer | None = None
    files: dict[str, str] = {}
    created: float


class Answered(Record):
    """A line of `6-answers/<system>.jsonl`."""

    pair_id: str
    set: SetName
    question: str
    references: tuple[str, ...]
    answer: Answer


class SystemFacts(Record):
    """A value of `6-answers/systems.json`: what a system takes beside its answers, None where nobody tells.

    `file` holds its answers. Bytes are those of the base's weights in memory, of the adapter's beside them, and of the
    index on the disk. Where it was asked in batches (`batched`), the seconds of an answer hold an even share of the
    time that its batch was generated in.
    """

    file: str
    parameters: int | None = None
    model_bytes: int | None = None
    adapter_bytes: int | None = None
    index_bytes: int | None = None
    device: str | None = None
    batched: bool = False


class Item(Record):
    """A line of `7-scores/items.jsonl`: one metric of one answer; `value` is None where undefined."""

    system: str
    set: SetName
    metric: str
    pair_id: str
    value: float | None


class Score(Record):
    """One number with its interval. `value` is None where it is undefined; `note` then says why.

    On a scale of 0 to 100, or in `unit` (`s`, `tokens`, `USD`). `label` is the metric's name as people write it and
    `group` what it is about (`answer`, `evidence`, `retrieval`, `refusal`, `judged`, `cost`); `better` which of two
    values is better, where either is. `versus` names the system this score is compared with; `value` is then the paired
    difference, with its p-value, that corrected for all differences of the set (Holm), Cohen's d (`effect`), and the
    smallest true difference that such a test finds four times in five (`detectable`).
    """

    system: str
    set: SetName
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    signature: str = ""
    note: str = ""
    versus: str = ""
    label: str = ""
    group: str = "answer"
    unit: str = ""
    better: Literal["higher", "lower", ""] = "higher"
    p: float | None = None
    p_holm: float | None = None
    effect: float | None = None
    detectable: float | None = None


class Slice(Score):
    """A line of `slices.jsonl`: a score of the questions that have one value (`key`) on one axis, such as a topic."""

    axis: str
    key: str


class Gap(Record):
    """How weak a model is on a topic, kind or document: 0 (all right) to 1, with a 95 % interval.

    `weakness` is drawn towards the mean of all, `observed` is that of the `n` questions alone, None where there are
    none. Where it is known, `pairs` counts the trained pairs, and `covered` is the share of the text that they ask
    about.
    """

    axis: str
    key: str
    weakness: float
    n: int
    low: float
    high: float
    observed: float | None = None
    pairs: int | None = None
    covered: float | None = None


class Sampling(Record):
    """How a reply is to be drawn, as far as who asks says so; None: as the answering system is set."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    form: dict[str, object] | None = None
    strict: bool | None = None

    def on(self, request: ChatRequest) -> ChatRequest:
        """Return a request with what is said here in place of its own."""
        said = {name: value for name in type(self).model_fields if (value := getattr(self, name)) not in (None, ())}
        return request.model_copy(update=said) if said else request


class ChatRequest(Record):
    """What a chat model is asked. `form` is a JSON schema that the reply has to satisfy; an empty one: any object.

    Where `strict` is said, the form is a client's own: it is asked for as the client said, or the request is refused.
    Left out, it is asked for strictly where the server can, else more weakly.
    """

    messages: tuple[Message, ...]
    form: dict[str, object] | None = None
    temperature: float = 0.0
    max_tokens: int = 1024
    seed: int | None = None
    stop: tuple[str, ...] = ()
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    strict: bool | None = None


class ChatReply(Record):
    """What a chat model answered. `finish` is `stop`, `length` or `content_filter`."""

    text: str
    finish: str = "stop"
    usage: Usage = Usage()
