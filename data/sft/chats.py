"""Rows that are conversations: OpenAI's `messages`, ShareGPT's `conversations`, prompts with completions."""

from __future__ import annotations

from collections.abc import Mapping

from data.sft.drafts import MISSING, Draft, Place, Turn

_SHAREGPT = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant", "bard": "assistant"}
_KNOWN = {"role", "content", "weight"}


def messages(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return the row of {"messages": [{"role", "content", "weight"?}, ...], "system"?}.

    A row that Doceo made (its metadata has a `pair_id`) has its last turn learned alone: the earlier ones are other
    facts, or a teacher's, that no evidence proves.
    """
    metadata = row.get("metadata")
    own = isinstance(metadata, Mapping) and bool(metadata.get("pair_id"))
    turns = (*system_turn(row), *turns_of("messages", row.get("messages", MISSING)))
    return [Draft(place, "messages", turns, last_only=own)]


def sharegpt(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return the row of {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", ...}], "system"?}."""
    said = row.get("conversations", MISSING)
    turns: tuple[Turn, ...]
    if isinstance(said, list) and all(isinstance(turn, Mapping) and "role" in turn for turn in said):
        turns = turns_of("conversations", said)
    elif isinstance(said, list) and said:
        turns = tuple(_sharegpt_turn(f"conversations[{n}]", turn) for n, turn in enumerate(said))
    else:
        turns = turns_of("conversations", said)
    return [Draft(place, "sharegpt", (*system_turn(row), *turns))]


def completion(place: Place, row: Mapping[str, object]) -> list[Draft]:
    """Return the row of {"prompt", "completion"}: texts, which become question and answer, or lists of turns."""
    asked, answered = row.get("prompt", MISSING), row.get("completion", MISSING)
    before = turns_of("prompt", asked) if isinstance(asked, list) else (Turn("prompt", "user", "prompt", asked),)
    if isinstance(answered, list):
        after = turns_of("completion", answered)
        # What stands in a prompt is given, not learned, assistant's turns too.
        before = tuple(turn._replace(weight=0) if turn.role == "assistant" else turn for turn in before)
    else:
        after = (Turn("completion", "assistant", "completion", answered),)
    return [Draft(place, "completion", (*system_turn(row), *before, *after))]


def system_turn(row: Mapping[str, object]) -> tuple[Turn, ...]:
    """Return the turn of a row's own `system` field, where it says something."""
    said = row.get("system")
    return () if said in (None, "") else (Turn("system", "system", "system", said),)


def turns_of(name: str, said: object) -> tuple[Turn, ...]:
    """Return the turns of a list. What is no list becomes one turn without a role, whose content is the fault."""
    if not isinstance(said, list) or not said:
        return (Turn(name, None, name, said),)
    return tuple(_turn(f"{name}[{n}]", turn) for n, turn in enumerate(said))


def _turn(field: str, turn: object) -> Turn:
    if not isinstance(turn, Mapping):
        return Turn(field, None, field, turn)
    more = tuple(sorted(key for key, value in turn.items() if key not in _KNOWN and value not in (None, [], "")))
    content = _joined(turn.get("content", MISSING))
    return Turn(f"{field}.role", turn.get("role", MISSING), f"{field}.content", content, turn.get("weight"), more)


def _joined(content: object) -> object:
    """Return the text of OpenAI's list of content parts where all of them are text, else what was given."""
    if (
        isinstance(content, list)
        and content
        and all(isinstance(p, Mapping) and p.get("type") == "text" for p in content)
    ):
        texts = [part.get("text") for part in content]
        return "\n".join(texts) if all(isinstance(text, str) for text in texts) else content
    return content


def _sharegpt_turn(field: str, turn: object) -> Turn:
    if not isinstance(turn, Mapping):
        return Turn(field, None, field, turn)
    speaker = turn.get("from", MISSING)
    role = _SHAREGPT.get(speaker, speaker) if isinstance(speaker, str) else speaker
    return Turn(f"{field}.from", role, f"{field}.value", turn.get("value", MISSING), turn.get("weight"))
