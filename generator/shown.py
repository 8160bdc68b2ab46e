"""How passages, conversations and wishes are put into prompts, the same in all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.records import Chunk, Document, Kind, Message

_REMEMBERED = 40
_LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nb": "Norwegian", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def passages(chunks: Sequence[Chunk], documents: Mapping[str, Document]) -> str:
    """Return passages with where each stands; several are numbered from 1."""
    return "\n\n".join(
        _passage(chunk, documents[chunk.document_id], f" {number}" if len(chunks) > 1 else "")
        for number, chunk in enumerate(chunks, 1)
    )


def _passage(chunk: Chunk, document: Document, number: str) -> str:
    title = document.title or document.source
    section = " > ".join(part for part in chunk.heading_path if part and part != title)
    place = f"Document: {title}\nSection: {section or '(none)'}"
    return f"{place}\n<passage{number}>\n{chunk.text}\n</passage{number}>"


def conversation(history: Sequence[Message]) -> str:
    """Return the turns before a question as a block of their own, or "" where there are none."""
    if not history:
        return ""
    names = {"user": "Reader", "assistant": "Assistant"}
    lines = [f"{names[turn.role]}: {turn.content}" for turn in history if turn.role in names]
    return "The conversation so far:\n" + "\n".join(lines) + "\n\n"


def listed(questions: Sequence[str]) -> str:
    """Return questions as a list, the latest forty, or "(none)"."""
    return "".join(f"\n- {question}" for question in questions[-_REMEMBERED:]) or "(none)"


def language_name(code: str) -> str:
    """Return what a prompt calls the language with an ISO 639-1 code: its English name, else the passage's own."""
    name = _LANGUAGES.get(code.lower().partition("-")[0])
    return f"{name}, the language of the passage" if name else "the language of the passage"


def amount(n: int, several: str = "") -> str:
    """Return how many are wanted, and what holds where there are several."""
    return f"{n} ({several})" if n > 1 and several else str(n)


def wanted(kinds: Sequence[Kind], n: int) -> str:
    """Return what stands after "Kinds:" where n pairs are asked for."""
    if not kinds:
        return "different ones, as the passage allows" if n > 1 else "whichever suits the passage"
    return f"{' or '.join(kinds)} only; write fewer pairs where the passage holds no more of that kind"


def samples(examples: Sequence[Mapping[str, str]], *, reasoning: bool = False) -> str:
    """Return the user's own pairs as a block that shows what is wanted, or "" where there are none.

    Args:
        examples: `question`, `answer` and, where there is one, `rationale` of each.
        reasoning: Whether the steps to the answer are shown too.
    """
    if not examples:
        return ""
    blocks = []
    for one in examples:
        steps = f"\nRationale: {one['rationale']}" if reasoning and one.get("rationale") else ""
        blocks.append(f"Question: {one['question']}{steps}\nAnswer: {one['answer']}")
    head = "Pairs from elsewhere; they show the manner that is wanted, not the subject or the language:\n\n"
    return head + "\n\n".join(blocks) + "\n\n"
