"""A Modelfile for Ollama: the chat template in Go's template language, and the marks at which an answer ends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from data.jsonl import write_text
from doceo.core.errors import ExportFailed
from finetune.export.chat_turns import Turn, Turns, turns_of
from finetune.export.measured import fixed_date

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MODELFILE = "Modelfile"
MOST_CONTEXT = 8192
_TEMPLATE = re.compile(r'^TEMPLATE """(.*?)"""$', re.MULTILINE | re.DOTALL)
_STOP = re.compile(r'^PARAMETER stop "(.*)"$', re.MULTILINE)


class Modelfile(NamedTuple):
    """What a Modelfile says."""

    template: str
    stops: list[str]


def write_modelfile(
    folder: Path, gguf: str, tokenizer: PreTrainedTokenizerBase, ends: Sequence[int], context: int, *, add_bos: bool
) -> None:
    """Write a Modelfile beside a GGUF file.

    Args:
        folder: Where.
        gguf: Name of the GGUF file there.
        tokenizer: The model's, with its chat template.
        ends: Ids that end an answer.
        context: Tokens that the model reads.
        add_bos: Whether Ollama puts the token that begins a text before the prompt by itself.

    Raises:
        ExportFailed: The chat template does more than Go's language can say.
        StorageError: The file cannot be written.
    """
    turns = turns_of(lambda talk: _render(tokenizer, talk))
    if turns is None:
        raise ExportFailed(
            "The model's chat template does more than to put marks around messages; Ollama's language cannot say it.",
            hint="Export with --to gguf and write the TEMPLATE of the Modelfile by hand, after Ollama's documentation.",
        )
    begin = str(tokenizer.bos_token or "") if add_bos else ""
    stops = stop_marks(tokenizer, turns, ends)
    lines = [
        f"FROM ./{gguf}",
        f'TEMPLATE """{go_template(turns, begin)}"""',
        *(f'PARAMETER stop "{mark}"' for mark in stops),
        f"PARAMETER num_ctx {min(context, MOST_CONTEXT)}",
    ]
    write_text(folder / MODELFILE, "\n".join(lines) + "\n")


def read_modelfile(folder: Path) -> Modelfile:
    """Return what a Modelfile says. Raises ExportFailed where it has no template."""
    text = (folder / MODELFILE).read_text(encoding="utf-8")
    found = _TEMPLATE.search(text)
    if found is None:
        raise ExportFailed(f"{folder / MODELFILE} has no TEMPLATE.", hint="Export the model again.")
    return Modelfile(found[1], _STOP.findall(text))


def go_template(turns: Turns, begin: str = "") -> str:
    """Return a chat template in Go's language; `begin` is left out at its start, as Ollama adds it."""
    literals = turns._asdict() | {
        "begin": turns.begin.removeprefix(begin),
        "system_begin": turns.system_begin.removeprefix(begin),
    }
    form = _SYSTEM_LAST if turns.system_place == "last" else _SYSTEM_FIRST
    return re.sub(r"<(\w+)>", lambda place: _text(literals[place[1]]), form)


_SYSTEM_FIRST = """\
{{- $before := "" }}
{{- range $i, $m := .Messages }}
{{- if eq $m.Role "system" }}<system_begin>{{ $m.Content }}
{{- else if eq $m.Role "user" }}
{{- if eq $before "" }}<begin>{{ else if eq $before "system" }}<system_end>{{ else }}<answer_end>{{ end }}
{{- $m.Content }}<asked>
{{- else if eq $m.Role "assistant" }}<answer_lead>{{ $m.Content }}
{{- end }}
{{- $before = $m.Role }}
{{- end }}
{{- if eq $before "user" }}<open_answer>{{ end -}}
"""
_SYSTEM_LAST = """\
{{- $before := "" }}
{{- range $i, $m := .Messages }}
{{- if eq $m.Role "user" }}
{{- if eq $before "" }}<begin>{{ else }}<answer_end>{{ end }}
{{- if and $.System (eq (len (slice $.Messages $i)) 1) }}{{ $.System }}<system_end>{{ end }}
{{- $m.Content }}<asked>
{{- $before = "user" }}
{{- else if eq $m.Role "assistant" }}<answer_lead>{{ $m.Content }}
{{- $before = "assistant" }}
{{- end }}
{{- end }}
{{- if eq $before "user" }}<open_answer>{{ end -}}
"""


def trims(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether a chat template leaves out the white space around a message."""
    return _render(tokenizer, [{"role": "user", "content": " a "}]) == _render(
        tokenizer, [{"role": "user", "content": "a"}]
    )


def stop_marks(tokenizer: PreTrainedTokenizerBase, turns: Turns, ends: Sequence[int]) -> list[str]:
    """Return the texts of the tokens that end an answer, and of the special ones that may begin the next turn."""
    marks = [str(tokenizer.convert_ids_to_tokens(end)) for end in ends]
    after = [mark for mark in tokenizer.all_special_tokens if mark in turns.answer_end]
    return list(dict.fromkeys([*marks, *sorted(after, key=turns.answer_end.index)]))


def create(folder: Path, name: str) -> str:
    """Add the model to Ollama where its program is installed; return what came of it, in words."""
    program = shutil.which("ollama")
    command = f"ollama create {name} -f {quote(str(folder / MODELFILE))}"
    if program is None:
        return f"Ollama is not installed here; where it is: {command}"
    done = subprocess.run(
        [program, "create", name, "-f", str(folder / MODELFILE)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return f"ollama create failed ({' '.join(done.stderr.split())[-200:]}); try again with: {command}"
    return f"Added to Ollama: ollama run {name}"


def _render(tokenizer: PreTrainedTokenizerBase, talk: list[Turn]) -> str:
    more = fixed_date(str(tokenizer.chat_template))
    return str(tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True, **more))


def _text(literal: str) -> str:
    """Return an action that writes a literal; Go reads JSON's escapes."""
    return f"{{{{ {json.dumps(literal, ensure_ascii=False)} }}}}" if literal else ""
