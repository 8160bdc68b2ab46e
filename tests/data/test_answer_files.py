"""Which file holds which system's answers, and a file of answers that grows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.answers import answer_files, file_of, read_facts, write_facts
from data.growing import grow, read_grown
from data.jsonl import write_jsonl
from doceo.core.errors import InputError
from doceo.core.records import Message, SystemFacts

PLAIN = ("base", "tuned", "base+rag", "tuned+rag", "quote+rag", "recorded", "tuned+rag@formal")
ODD = (
    "openai:gpt-4o",
    "adapter:runs/a/5-adapter+rag",
    "adapter:runs/a-5-adapter+rag",
    "../x",
    "hf:Q/w",
    "a b",
    "ü",
    "",
)


def test_plain_names_are_file_names_and_odd_ones_are_made_safe() -> None:
    assert [file_of(name) for name in PLAIN] == [f"{name}.jsonl" for name in PLAIN]
    made = [file_of(name) for name in ODD]
    assert len(set(made)) == len(ODD)
    assert file_of("openai:gpt-4o") == "openai-gpt-4o-1cffe337.jsonl"


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_name_has_a_safe_file_of_its_own(one: str, other: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9+@=_.-]{1,110}\.jsonl", file_of(one))
    assert not file_of(one).startswith(".")
    assert (file_of(one) == file_of(other)) == (one == other)


def test_files_are_found_by_the_systems_that_they_belong_to(tmp_path: Path) -> None:
    names = ["openai:m@http://h/v1+rag", "tuned", "base"]
    for name in names:
        write_jsonl(tmp_path / file_of(name), [])
    write_facts(tmp_path, {name: SystemFacts(file=file_of(name), parameters=7) for name in names})
    write_jsonl(tmp_path / "of-an-older-program.jsonl", [])
    assert list(answer_files(tmp_path)) == ["base", "tuned", "of-an-older-program", names[0]]
    assert read_facts(tmp_path)[names[0]].parameters == 7
    (tmp_path / "systems.json").write_text('{"base": {"size": 1}}')
    with pytest.raises(InputError, match=r"systems\.json"):
        answer_files(tmp_path)


def test_a_growing_file_keeps_what_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "part"
    said = [Message(role="user", content=f"line {n}\u2028ä") for n in range(5)]
    assert read_grown(file, Message) == []
    grow(file, said[:2])
    grow(file, said[2:])
    assert read_grown(file, Message) == said
    file.write_bytes(file.read_bytes()[:-3])
    assert read_grown(file, Message) == said[:4]
