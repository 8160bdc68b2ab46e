"""Modelfiles say what the chat template says: read back, rendered, and compared as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trl
from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from doceo.core.errors import ExportFailed
from doceo.text.chat_template import CHATML, PLAIN
from finetune.export.chat_turns import Turn, turns_of
from finetune.export.gguf_tokenizer import plain_template
from finetune.export.go_template import render
from finetune.export.measured import fixed_date
from finetune.export.ollama import go_template, read_modelfile, stop_marks, trims, write_modelfile
from tests.finetune.tiny_models import tiny_tokenizer

SHIPPED = Path(trl.__file__).parent / "chat_templates"
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}{% if m['role'] == 'user' %}"
    "{{ '[INST] ' + m['content'] + ' [/INST]' }}{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
)
SYSTEM_LAST = (
    "{%- set talk = messages[1:] if messages[0]['role'] == 'system' else messages -%}{{- bos_token -}}"
    "{%- for m in talk -%}{%- if m['role'] == 'user' -%}{{- '[INST] ' -}}"
    "{%- if loop.last and messages[0]['role'] == 'system' -%}{{- messages[0]['content'] + '\\n\\n' -}}{%- endif -%}"
    "{{- m['content'] + '[/INST]' -}}{%- else -%}{{- m['content'] + eos_token -}}{%- endif -%}{%- endfor -%}"
)
TEMPLATES = {"ours": CHATML, "plain": PLAIN, "mistral": MISTRAL, "system-last": SYSTEM_LAST}
NAMES = ("llama3", "llama3_1", "llama3_2", "qwen2_5", "qwen3", "gemma", "gemma3", "phi3", "phi3_5", "glm4moe")


def talk(*turns: str, system: str = "") -> list[Turn]:
    first = [{"role": "system", "content": system}] if system else []
    return first + [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(turns)]


TALKS = [
    talk("Why?"),
    talk("Why?", system='Be "kind".\n{{ .Not }} an action.'),
    talk("first", "a }} b", 'say "x"', "a\tb", "third"),
    talk("first", "answer", "second", system="Two lines\nof it."),
]


def template(name: str) -> str:
    return TEMPLATES.get(name) or (SHIPPED / f"{name}.jinja").read_text(encoding="utf-8")


def reference(text: str, messages: list[Turn]) -> str:
    rendered, _ = render_jinja_template(
        conversations=[messages],
        chat_template=text,
        add_generation_prompt=True,
        bos_token="<s>",
        eos_token="</s>",
        **fixed_date(text),
    )
    return str(rendered[0])


@pytest.mark.parametrize("name", [*TEMPLATES, *NAMES])
def test_a_go_template_writes_what_the_chat_template_writes(name: str) -> None:
    text = template(name)
    turns = turns_of(lambda messages: reference(text, messages))
    assert turns is not None
    equal = 0
    for messages in TALKS:
        try:
            expected = reference(text, messages)
        except TemplateError:
            assert messages[0]["role"] == "system"
            continue
        assert render(go_template(turns), messages) == expected
        # where Ollama puts the beginning before the prompt, the template leaves it out
        assert render(go_template(turns, "<s>"), messages) == expected.removeprefix("<s>")
        equal += 1
    assert equal >= 2


def test_a_template_that_does_more_than_marks_is_not_expressible() -> None:
    counted = "{% for m in messages %}{{ loop.length }}{{ m['content'] | upper }}{% endfor %}"
    assert turns_of(lambda messages: reference(counted, messages)) is None
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = counted
    with pytest.raises(ExportFailed, match="Ollama's language cannot say it"):
        write_modelfile(Path(), "x.gguf", tokenizer, [2], 512, add_bos=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a {{- "b" -}} c', "abc"),
        ('a {{ "b" }} c', "a b c"),
        ("{{ range .Messages }}<{{ .Role }}>{{ .Content }}{{ end }}!", "<user>q<assistant>a!"),
        ("{{ range $i, $m := .Messages }}{{ len (slice $.Messages $i) }}{{ $m.Role }} {{ end }}", "2user 1assistant "),
        ('{{ $x := "1" }}{{ range .Messages }}{{ $x = .Content }}{{ end }}{{ $x }}', "a"),
        ("{{ if .System }}S{{ else if eq 1 2 }}T{{ else }}U{{ end }}", "U"),
        ('{{ if and (eq 1 1) (not .System) }}yes{{ end }}{{ if or .System (ne "a" "a") }}no{{ end }}', "yes"),
        ('{{ `raw \\n` }}{{ "\\"}}\\n" }}', 'raw \\n"}}\n'),
    ],
)
def test_gos_language_as_its_documentation_says(text: str, expected: str) -> None:
    assert render(text, talk("q", "a")) == expected


@pytest.mark.parametrize("text", ["{{ nothing 1 }}", "{{ $x }}", "{{ if .System }}", "{{ end }}", "{{ $x = 1 }}"])
def test_what_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(ExportFailed):
        render(text, talk("q"))


def test_a_modelfile_is_read_back(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    write_modelfile(tmp_path, "m.gguf", tokenizer, [tokenizer.eos_token_id, 0], 16384, add_bos=False)
    found = read_modelfile(tmp_path)
    for messages in TALKS:
        expected = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        assert render(found.template, messages) == expected
    assert found.stops == ["<|im_end|>", "<|endoftext|>", "<|im_start|>"]
    assert (tmp_path / "Modelfile").read_text().endswith("PARAMETER num_ctx 8192\n")
    assert not trims(tokenizer)
    tokenizer.chat_template = template("llama3")
    assert trims(tokenizer)
    turns = turns_of(lambda messages: reference(template("llama3"), messages))
    assert turns is not None
    assert stop_marks(tokenizer, turns, [2]) == ["<|im_end|>"]


def test_marks_for_training_are_taken_out_and_nothing_else_changes() -> None:
    for name in ("qwen3_training", "llama3_training", "gemma_training", "phi3_training"):
        marked = (SHIPPED / f"{name}.jinja").read_text(encoding="utf-8")
        plain = plain_template(marked)
        assert re.search(r"\{%-? *endgeneration", re.sub(r"\{#.*?#\}", "", marked, flags=re.DOTALL))
        assert not re.search(r"\{%-? *(end)?generation", re.sub(r"\{#.*?#\}", "", plain, flags=re.DOTALL))
        assert reference(plain, TALKS[2]) == reference(marked, TALKS[2])
