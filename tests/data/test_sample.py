"""The sample that ships: enough words, five formats, questions whose evidence stands where they say, true defaults."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from data.loaders import LOADERS, SOURCE_CODE, loader_of
from doceo.cli.main import VERBS
from doceo.core.config import (
    AnswerConfig,
    ChunkConfig,
    DatasetConfig,
    EngineConfig,
    EvaluateConfig,
    FinetuneConfig,
    Gate,
    GateConfig,
    GenerateConfig,
    PretrainConfig,
    ReadConfig,
    RetrieveConfig,
)
from doceo.core.records import Kind
from finetune.recipe import PATIENCE, RANK, SMALL_RANK
from generator.card_sections import REPEATS
from generator.judge import POINTS
from generator.judge_check import shipped
from generator.planning import LLM_KINDS

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
FILES = sorted((SAMPLE / "handbook").iterdir())
QUESTIONS = [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
HELD_OUT = json.loads((SAMPLE / "sample.json").read_text(encoding="utf-8"))["held_out"]


LABELS = shipped()
GOOD = sum(label.good for label in LABELS)
BAD = len(LABELS) - GOOD
NUMBERS = {4: "four", 8: "eight", 14: "fourteen"}


def in_words(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


MIX = in_words([f"{share:g} % {kind}" for kind, share in LLM_KINDS.items()])


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


@cache
def text_of(source: str) -> str:
    """Return a document's text on one line."""
    path = SAMPLE / source
    return " ".join(loader_of(path.suffix)(path.read_bytes(), 2**26).text.split())


def test_five_formats_and_enough_words() -> None:
    assert Counter(path.suffix for path in FILES) == {".md": 7, ".html": 4, ".pdf": 3, ".docx": 2, ".epub": 2}
    assert sum(len(text_of(f"handbook/{path.name}").split()) for path in FILES) >= 15_000
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 1_500_000


def test_card_states_the_words_of_every_document() -> None:
    card = (SAMPLE / "README.md").read_text(encoding="utf-8")
    stated = {name: int(words) for name, words in re.findall(r"^\| `([^`]+)` \|.*\| (\d+) \|$", card, re.MULTILINE)}
    found = {path.name: len(text_of(f"handbook/{path.name}").split()) for path in FILES}
    assert stated == pytest.approx(found, rel=0.02)


def test_every_document_has_a_title_and_pdfs_have_pages() -> None:
    for path in FILES:
        loaded = loader_of(path.suffix)(path.read_bytes(), 2**26)
        assert loaded.title, path.name
        assert path.suffix != ".pdf" or len(loaded.pages) >= 4, path.name


def test_held_out_documents_exist_and_are_about_a_fifth() -> None:
    words = {f"handbook/{path.name}": len(text_of(f"handbook/{path.name}").split()) for path in FILES}
    assert set(HELD_OUT) <= set(words)
    assert 0.18 <= sum(words[source] for source in HELD_OUT) / sum(words.values()) <= 0.27
    assert len({Path(source).suffix for source in HELD_OUT}) >= 3


def test_sixty_questions_half_about_documents_kept_out() -> None:
    assert Counter(question["set"] for question in QUESTIONS) == {"taught-written": 30, "unseen-written": 30}
    assert all((q["source"] in HELD_OUT) == (q["set"] == "unseen-written") for q in QUESTIONS)
    assert {q["source"] for q in QUESTIONS} == {f"handbook/{path.name}" for path in FILES}


def test_no_question_is_repeated() -> None:
    assert len({re.sub(r"\W+", " ", q["question"]).strip().lower() for q in QUESTIONS}) == 60
    assert len({q["id"] for q in QUESTIONS}) == 60


def test_files_say_what_their_sources_say(tmp_path: Path) -> None:
    for package in ("reportlab", "docx", "markdown_it"):
        pytest.importorskip(package)
    script = SAMPLE.parents[1] / "docs" / "handbook" / "build.py"
    build = runpy.run_path(str(script))["build"]
    build(tmp_path)
    assert len(list(tmp_path.iterdir())) == 11
    for path in tmp_path.iterdir():
        built = loader_of(path.suffix)(path.read_bytes(), 2**26).text
        assert " ".join(built.split()) == text_of(f"handbook/{path.name}"), path.name


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q["id"])
def test_question_is_whole_and_its_quote_stands_once_in_its_document(question: dict[str, str]) -> None:
    assert question["question"].endswith("?")
    assert question["answer"]
    assert question["answer"] not in question["answers"]
    assert text_of(question["source"]).count(" ".join(question["quote"].split())) == 1


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("documents-and-chunks.md", f"a file above {ReadConfig().megabytes} MB is skipped"),
        ("documents-and-chunks.md", f"A file may take at most {ReadConfig().seconds:.0f} seconds to read"),
        (
            "documents-and-chunks.md",
            f"target size of a chunk is {ChunkConfig().target_tokens} tokens, "
            f"and the largest size is {ChunkConfig().max_tokens} tokens",
        ),
        ("question-generator.md", f"The default number of pairs is {GenerateConfig().pairs}."),
        ("documents-and-chunks.md", f"at most {ReadConfig().memory:,} MB of memory"),
        ("question-generator.md", f"The default concurrency is {EngineConfig().concurrency} requests."),
        ("question-generator.md", f"asks for at most {NUMBERS[GenerateConfig().per_request]} pairs"),
        ("question-generator.md", f"in at most {NUMBERS[GenerateConfig().rounds]} rounds"),
        ("question-generator.md", f"{NUMBERS[len(get_args(Gate))]} gates: {in_words(get_args(Gate))}."),
        ("question-generator.md", f"{NUMBERS[len(get_args(Kind))]} kinds: {in_words(get_args(Kind))}."),
        ("question-generator.md", f"is asked for {MIX} questions"),
        ("question-generator.md", f"A pair with a mark of {GateConfig().judge - 1} on any point"),
        ("question-generator.md", f"on {len(LABELS)} labelled pairs, of which {GOOD} are good and {BAD} have"),
        ("datasets-and-held-out-sets.md", f"default, {percent(DatasetConfig().open_share)} of the rows are open rows"),
        ("datasets-and-held-out-sets.md", f"open rows, {percent(DatasetConfig().closed_share)} are closed rows and"),
        ("datasets-and-held-out-sets.md", f"and {percent(DatasetConfig().conversation_share)} are conversations."),
        ("datasets-and-held-out-sets.md", f"In {percent(DatasetConfig().refusal_share)} of the open rows"),
        ("datasets-and-held-out-sets.md", f"keeps {percent(DatasetConfig().validation_share)} of the"),
        ("datasets-and-held-out-sets.md", f"takes {percent(GenerateConfig().taught_share)} of the pairs"),
        ("datasets-and-held-out-sets.md", f"default {percent(GenerateConfig().unseen_share)} of the documents"),
        ("tokenizers-and-pretraining.epub", f"of the small model has {PretrainConfig().vocab_size:,} tokens"),
        ("tokenizers-and-pretraining.epub", f"The default depth is {PretrainConfig().depth} layers."),
        ("tokenizers-and-pretraining.epub", f"The context is {PretrainConfig().context:,} tokens long"),
        ("tokenizers-and-pretraining.epub", f"small model uses {PretrainConfig().batch_tokens:,} tokens"),
        ("tokenizers-and-pretraining.epub", f"Training lasts {PretrainConfig().seconds:.0f} seconds by default"),
        ("lora-fine-tuning.pdf", f"a rank of {RANK} by default, and a rank of {SMALL_RANK} for a base"),
        ("lora-fine-tuning.pdf", f"Doceo uses a batch size of {FinetuneConfig().batch_size}."),
        ("lora-fine-tuning.pdf", f"Patience {PATIENCE} evaluations off"),
        ("faq.html", f"a checkpoint every {FinetuneConfig().save_steps} steps"),
        ("retrieval-and-context.epub", f"up to {RetrieveConfig().candidates} candidates"),
        ("retrieval-and-context.epub", f"The weight of dense search is {RetrieveConfig().dense_weight},"),
        ("command-line.md", f"| Passages given to the answerer | {RetrieveConfig().k} |"),
        ("command-line.md", f"| Longest answer | {AnswerConfig().max_tokens} tokens |"),
        ("evaluation.html", f"Doceo uses {EvaluateConfig().resamples:,} resamples"),
    ],
)  # fmt: skip
def test_the_handbook_states_the_program_s_defaults(source: str, sentence: str) -> None:
    assert sentence in text_of(f"handbook/{source}")


def test_the_handbook_names_every_format_and_every_reason_it_can() -> None:
    formats = text_of("handbook/documents-and-chunks.md")
    assert [ending for ending in LOADERS if ending not in SOURCE_CODE and f"`{ending}`" not in formats] == []
    reasons = text_of("handbook/question-generator.md")
    named = [*REPEATS, *(f"judge_{point}" for point in POINTS)]
    assert [reason for reason in named if f"`{reason}`" not in reasons] == []


def test_the_handbook_lists_the_verbs_that_there_are() -> None:
    listed = text_of("handbook/command-line.md").partition("## A first session")[0]
    assert set(re.findall(r"\| `([a-z-]+)` \|", listed)) == set(VERBS)
