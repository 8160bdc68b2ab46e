"""JSON in a model's reply: wrapped in prose or code fences, without its last bracket, with commas forgotten."""

from __future__ import annotations

import json
import re

_DECODER = json.JSONDecoder(strict=False)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)


def candidates(text: str) -> list[str]:
    """Return the stretches of a reply that may be JSON, likeliest first."""
    fenced = [match[1].strip() for match in _FENCE.finditer(text) if "{" in match[1] or "[" in match[1]]
    whole: list[str] = []
    rest: list[str] = []
    for at in sorted(at for at in (text.find("{"), text.find("[")) if at >= 0):
        tail = text[at:]
        try:
            whole.append(tail[: _DECODER.raw_decode(tail)[1]])
        except (ValueError, RecursionError):
            last = max(tail.rfind("}"), tail.rfind("]"))
            # Prose after the JSON goes; without any closing bracket the reply was cut off.
            rest += [tail[: last + 1], tail] if last > 0 else [tail]
    return list(dict.fromkeys([*fenced, *whole, *rest]))


def load(text: str) -> tuple[object, bool]:
    """Return the value of a text that should be JSON, None where it cannot be mended, and whether it had to be."""
    try:
        return json.loads(text, strict=False), False
    except (ValueError, RecursionError):
        import json_repair

        try:
            return json_repair.loads(text, skip_json_loads=True), True
        except (ValueError, RecursionError):
            return None, True
