"""Files that cannot be trained on, each with what has to be said of it."""

from __future__ import annotations

import json
from typing import NamedTuple

Turn = dict[str, object]


def user(content: object = "Who?") -> Turn:
    return {"role": "user", "content": content}


def assistant(content: object = "Ada.", **more: object) -> Turn:
    return {"role": "assistant", "content": content, **more}


def chat(*turns: object) -> bytes:
    return json.dumps({"messages": turns}).encode()


def choice(*worse: Turn) -> bytes:
    """Return a row whose preferred answer is Ada."""
    row = {"input": {"messages": [user()]}, "preferred_output": [assistant()], "non_preferred_output": worse}
    return json.dumps(row).encode()


GOOD = chat(user(), assistant())


class Broken(NamedTuple):
    """A file that cannot be trained on: what it holds, and what has to be said of it."""

    content: bytes
    line: int
    field: str
    what: str
    cure: str
    name: str = "rows.jsonl"


_LINES = {
    "no messages": (b'{"id": 7}', "messages", "is missing (found id)", "write it, or remove"),
    "misspelt messages": (b'{"mesages": []}', "messages", "is missing (found mesages)", "rename mesages to messages"),
    "a completion without its prompt": (b'{"completion": "x"}', "prompt", "is missing", "write it, or remove the row"),
    "an empty list": (chat(), "messages", "is empty, not a list of turns", 'write [{"role"'),
    "text for a list": (b'{"messages": "hello"}', "messages", "is not a list of turns", 'write [{"role"'),
    "a turn that is a text": (chat("hello"), "messages[0]", "is not an object", 'write {"role"'),
    "null content": (chat(user(), assistant(None)), "messages[1].content", "is null", "write the text"),
    "no content": (chat(user(), {"role": "assistant"}), "messages[1].content", "is missing", "write the text"),
    "blank content": (chat(user(" \n"), assistant()), "messages[0].content", "is empty", "write the text"),
    "a number as content": (chat(user(), assistant(42)), "messages[1].content", "is a number", "in quotes"),
    "an image": (
        chat(user([{"type": "image_url"}]), assistant()), "messages[0].content", "is a list", "write it as a string",
    ),
    "an unknown role": (chat({"role": "human", "content": "x"}, assistant()), "messages[0].role", "'human'", "one of"),
    "no role": (chat({"content": "x"}, assistant()), "messages[0].role", "is missing", "use one of system, user"),
    "a developer": (chat({"role": "developer", "content": "x"}, user(), assistant()), "messages[0].role", "", "system"),
    "a tool": (
        chat(user(), {"role": "tool", "content": "6"}, assistant()), "messages[1].role", "'tool'", "not trained",
    ),
    "tools": (
        json.dumps({"messages": [user(), assistant()], "tools": [{"type": "function"}]}).encode(),
        "tools", "would be ignored", "remove it",
    ),
    "half a character": (
        chat(user("a\ud83d"), assistant()), "messages[0].content", "(\\ud83d) at character 2", "the whole character",
    ),
    "nothing to be seen": (chat(user(), assistant("\u200b\ufeff ")), "messages[1].content", "is empty", "write"),
    "capitals": (b'{"Instruction": "x", "Output": "y"}', "instruction", "is missing", "rename Instruction to instr"),
    "a blank in a name": (b'{" messages": []}', "messages", "is missing", "rename ' messages' to messages"),
    "a choice without a question": (b'{"chosen": "y", "rejected": "z"}', "prompt", "is missing", "write the text"),
    "a choice without a worse answer": (
        b'{"prompt": "x", "chosen": "y"}', "rejected", "is missing", "write it, or remove the row",
    ),
    "a choice between the same": (
        choice(assistant()), "non_preferred_output[0].content", "is the same as", "another answer",
    ),
    "an empty worse answer": (choice(assistant("")), "non_preferred_output[0].content", "is empty", "write the text"),
    "a worse answer of the user": (choice(user()), "non_preferred_output[0].role", "is 'user'", "the assistant's"),
    "a worse answer of a tool": (
        choice({"role": "tool", "content": "6"}), "non_preferred_output[0].role", "is 'tool'", "the assistant's",
    ),
    "a worse answer of two turns": (
        choice(assistant("No."), assistant("Yes.")), "non_preferred_output", "has 2 turns", "one answer",
    ),
    "a weighty worse answer": (
        choice(assistant("No.", weight=0)), "non_preferred_output[0].weight", "is 0", "both answers are learned from",
    ),
    "no worse answer": (choice(), "non_preferred_output", "is empty, not a list", 'write [{"role"'),
    "choices with tools": (
        json.dumps(json.loads(choice(assistant("No."))) | {"input": {"messages": [user()], "tools": [1]}}).encode(),
        "input.tools", "would be ignored", "remove it",
    ),
    "two conversations": (
        json.dumps({"chosen": [user("a"), assistant()], "rejected": [user("b"), assistant("No.")]}).encode(),
        "rejected", "does not begin with the turns of chosen", "the same turns before both",
    ),
    "rows in a row": (
        b'{"data": [{"prompt": "x", "completion": "y"}]}', "messages", "", "make the list in data the whole file",
    ),
    "a tab": (b'{"text": "a\tb"}', "line", "is not JSON: Invalid control character at character", "as \\t and \\n"),
    "brackets without end": (b"[" * 100_000, "line", "is not JSON: nested too deeply", "one JSON object a line"),
    "a number without end": (b'{"text": ' + b"9" * 5000 + b"}", "line", "thousands of digits", "one JSON object"),
    "line ends of old Macs": (GOOD + b"\r" + GOOD, "line", "is not JSON: Extra data", "end lines with a line feed"),
    "a call of a tool": (
        chat(user(), assistant("x", tool_calls=[{"id": 1}])), "messages[1]", "has tool_calls", "remove it",
    ),
    "the user last": (chat(user(), assistant(), user()), "messages[2].role", "is user", "end with the assistant"),
    "two users": (chat(user(), user(), assistant()), "messages[1].role", "is user", "assistant comes here"),
    "the assistant first": (chat(assistant()), "messages[0].role", "is assistant", "user comes here"),
    "a weight of a half": (chat(user(), assistant(weight=0.5)), "messages[1].weight", "is 0.5", "write 1"),
    "true for a weight": (chat(user(), assistant(weight=True)), "messages[1].weight", "is True", "write 1"),
    "a weighty user": (
        chat({**user(), "weight": 1}, assistant()), "messages[0].weight", "is 1 on a turn of user", "remove it",
    ),
    "no weight at all": (chat(user(), assistant(weight=0)), "messages[1].weight", "nothing would be learned", "give"),
    "unknown keys": (chat(user(), assistant(name="bot")), "messages[1]", "has name", "remove it"),
    "no JSON": (b"{not json}", "line", "is not JSON", "one JSON object a line"),
    "an object over several lines": (b"{", "line", "is not JSON", "over several lines"),
    "a cut line": (GOOD[:30], "line", "is not JSON", "one JSON object a line"),
    "a list on a line": (b"3", "line", "is a number, not an object", "one JSON object a line"),
    "NUL bytes": (b"\x00\x00", "line", "is not JSON", "one JSON object a line"),
    "not UTF-8": (
        '{"prompt": "Où est le café à côté de la forêt?", "completion": "Là-bas, près du château."}'.encode("cp1252"),
        "line", "is not UTF-8 (byte 14)", "save the file as UTF-8; it seems to be cp1252",
    ),
    "Alpaca without an output": (b'{"instruction": "Say hi.", "input": ""}', "output", "is missing", "write it"),
    "Alpaca's output empty": (b'{"instruction": "Say hi.", "output": ""}', "output", "is empty", "write the text"),
    "ShareGPT of a stranger": (
        b'{"conversations": [{"from": "cat", "value": "Miau"}, {"from": "gpt", "value": "Hm."}]}',
        "conversations[0].from", "'cat'", "use one of",
    ),
    "ShareGPT without words": (
        b'{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt"}]}',
        "conversations[1].value", "is missing", "write the text",
    ),
    "a blank text": (b'{"text": " "}', "text", "is empty", "write the text"),
    "a seed without instances": (b'{"instruction": "x", "instances": []}', "instances", "is empty", "write"),
}  # fmt: skip
BROKEN = {
    **{name: Broken(GOOD + b"\n\n" + line + b"\n", 3, *wanted) for name, (line, *wanted) in _LINES.items()},
    "rows of no format": Broken(b'{"a": 1}\n', 1, "messages", "is missing (found a)", '{"instruction", "output"}'),
    "a huge line": Broken(b"x" * (16 * 2**20 + 1) + b"\n", 1, "line", "longer than 16 MB", "split it"),
    "UTF-16": Broken(GOOD.decode().encode("utf-16"), 1, "file", "is UTF-16", "save it as UTF-8"),
    "UTF-16 without its mark": Broken(GOOD.decode().encode("utf-16-be"), 1, "file", "is UTF-16", "save it as UTF-8"),
    "a deep array": Broken(b"[" * 100_000, 1, "line", "nested too deeply", "one JSON array", "rows.json"),
    "two columns of a name": Broken(
        b"question,answer,answer\nWho?,Ada,Bob\n", 1, "answer", "name of two columns", "rename or remove", "faq.csv"
    ),
    "a table without a first line": Broken(
        b"Who?,Ada\nWhat?,Bob\n", 2, "messages", "is missing", "the first line names the columns", "faq.csv"
    ),
    "an array with a number": Broken(b"[" + GOOD + b", 3]", 2, "row", "is a number", "one JSON object", "rows.json"),
    "an array cut off": Broken(b"[" + GOOD + b",\n", 2, "line", "is not JSON", "one JSON array", "rows.json"),
    "a table with a lost cell": Broken(
        b"question,answer\nWho?\n", 2, "row", "not as many cells", "in double quotes", "faq.csv"
    ),
    "a table with an open quote": Broken(
        b'question,answer\n"Who?,Ada\n', 2, "row", "is not CSV", "check the double quotes", "faq.csv"
    ),
    "a table without answers": Broken(
        b"question,reply\nWho?,Ada\n", 2, "answer", "is missing", "write it", "faq.csv"
    ),
    "an empty cell": Broken(b"Question,Answer\nWho?,\n", 2, "Answer", "is empty", "write the text", "faq.csv"),
}  # fmt: skip
