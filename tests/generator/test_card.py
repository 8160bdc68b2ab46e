"""The card says every figure it is given, nothing it is not, and opens as a dataset card."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.jsonl import write_jsonl, write_text
from doceo.core.records import Evidence, Ledger, Pair, Rejected, Span, Verdict
from generator.card import CardFacts, card, recount, with_files

SHARES = {"sentences": 0.5, "sections": 1.0, "characters": 0.25, "terms": 0.125}


def pair(n: int, **more: object) -> Pair:
    span = Span(document_id="d_1", start=n, end=n + 4)
    values = {"evidence": (Evidence(span=span, quote="1874"),), "topic": "towers", **more}
    return Pair.model_validate({"id": f"p_{n}", "question": f"Number {n}?", "answer": "1874", "teacher": "t"} | values)


PAIRS = [pair(1), pair(2), pair(3, answerable=False, evidence=(), kind="unanswerable")]
REJECTED = [
    Rejected(pair=pair(4, evidence=()), verdict=Verdict(accepted=False, reason="quote_not_found")),
    Rejected(pair=pair(5, evidence=()), verdict=Verdict(accepted=False, reason="answer_not_supported")),
    Rejected(pair=pair(6), verdict=Verdict(accepted=False, reason="near")),
]
LEDGER = Ledger(
    requested=4, asked=7, accepted=3, rejected={"quote_not_found": 1, "answer_not_supported": 1, "near": 1},
    failed={"not_returned": 1},
)  # fmt: skip
ROWS = [
    {"source": "towers.md", "pairs": 2, "characters": 0.5},
    {"source": "long.md", "pairs": 1, "characters": 0.0004},
]
BARE = CardFacts(name='a "run": x', pairs=PAIRS, ledger=LEDGER, coverage={**SHARES, "documents": ROWS})
FULL = CardFacts(
    name="run",
    pairs=PAIRS,
    ledger=LEDGER,
    coverage={**SHARES, "documents": ROWS},
    rejected=REJECTED,
    sets={"train": 2, "taught": 1},
    leak="No held-out question stands among the training rows.",
    models={"teacher": "openai:big", "student": "hf:small", "judge": ""},
    difficulty="closed-book by hf:small",
    diversity={
        "before": {"vendi": 2.0, "distinct_1": 0.5, "prefixes": {"what is": 0.75}},
        "after": {
            "vendi": 2.5,
            "distinct_1": 0.625,
            "kind_entropy": 0.918,
            "prefixes": {"who is": 0.5, "how far": 0.5},
        },
    },
    private={"email": 2},
    redacted=True,
    judge="measured: agrees with people on 9 of 10",
    cost="12 calls, 3,400 tokens.",
    cost_usd=0.03,
    gates=("form", "exact"),
    prompts={"pairs": "abc123"},
    seed=7,
    packages={"doceo": "0.1.0"},
)


def test_a_full_card_says_every_figure() -> None:
    text = card(FULL)
    for words in (
        "3 question and answer pairs of 4 requested, made by t.",
        "| rejected: near | 1 |",
        "| failed: not_returned | 1 |",
        "2 of 2 accepted answerable pairs carry words of a document, located by code.",
        "before rejection it was 4 of 5 (80.0%)",
        "| characters | 25.0% |",
        "| taught | 1 |",
        "No held-out question stands among the training rows.",
        "| unanswerable | 1 |",
        "Difficulty: closed-book by hf:small.",
        "| towers | 3 |",
        "| Vendi score (how many different questions they amount to) | 2.000 | 2.500 |",
        "| entropy of kinds, in bits |  | 0.918 |",
        "| commonest openings | what is 75% | how far 50%, who is 50% |",
        "| nearly the same words | 1 |",
        "| email | 2 |\n\nThese were replaced by marks",
        "Judge: measured: agrees with people on 9 of 10.",
        "12 calls, 3,400 tokens. That is 0.01000 USD for each accepted pair (0.0300 USD in all).",
        "| student | `hf:small` |",
        "| prompt pairs | `abc123` |",
        "| seed | 7 |",
        "No person has rated these pairs.",
    ):
        assert words in text
    assert "| judge |" not in text


def test_a_bare_card_claims_nothing() -> None:
    text = card(BARE)
    assert "Judge: not measured." in text
    assert "Difficulty was not measured." in text
    assert "Secrets and personal data were not looked for." in text
    assert "USD" not in text
    assert "Diversity" not in text
    assert "Unknown: the run has no documents." in card(CardFacts("x", PAIRS, LEDGER, {}))
    without = [pair(1, evidence=())]
    assert (
        "0 of 1 accepted answerable pairs carry words of a document; 1 came without (imported). The run has no"
        in card(CardFacts("x", without, Ledger(requested=1, asked=1, accepted=1), {}))
    )


def test_a_review_changes_the_counts_and_nothing_of_the_making() -> None:
    before = with_files(card(FULL), {"default": [("all_pairs", "some.jsonl")]})
    left = LEDGER.model_copy(update={"accepted": 2, "rejected": {**LEDGER.rejected, "review": 1}})
    facts = CardFacts(
        "run", PAIRS[1:], left, FULL.coverage, REJECTED, sets={"train": 1}, rated_by="A person looked at 3 pairs."
    )
    after = recount(before, facts)
    for words in (
        "2 question and answer pairs of 4",
        "| rejected: review | 1 |",
        "| train | 1 |",
        "A person looked at 3",
    ):
        assert words in after
    for words in ("closed-book by hf:small", "No person has rated"):
        assert words not in after
    for words in ("2.500", "12 calls", "`abc123`", "| email | 2 |", "measured: agrees", 'path: "some.jsonl"'):
        assert words in after
    assert recount(after, facts) == after


def test_the_hub_reads_the_head() -> None:
    hub = pytest.importorskip("huggingface_hub")
    head = hub.DatasetCard(card(BARE)).data
    assert head.pretty_name == 'a "run": x'
    assert (head.language, head.license, head.size_categories) == (["en"], "unknown", ["n<1K"])
    assert head.task_categories == ["question-answering", "text-generation"]
    assert "synthetic" in head.tags
    assert head.configs == [{"config_name": "default", "data_files": [{"split": "pairs", "path": "pairs.jsonl"}]}]


def test_load_dataset_opens_the_folder_by_its_card(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    write_jsonl(tmp_path / "pairs.jsonl", [*PAIRS, pair(9, scores={"rank": 1.0})])
    write_jsonl(tmp_path / "rejected.jsonl", REJECTED)
    write_text(tmp_path / "ledger.json", "{}")
    write_text(tmp_path / "README.md", card(BARE))
    found = datasets.load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["pairs"]
    assert found["pairs"][1]["evidence"][0]["quote"] == "1874"
    files = {"default": [("train", "pairs.jsonl")], "rejected": [("rejected", "rejected.jsonl")]}
    write_text(tmp_path / "README.md", with_files(card(BARE), files))
    again = datasets.load_dataset(str(tmp_path), "rejected", cache_dir=str(tmp_path / "cache"))
    assert again["rejected"][2]["verdict"]["reason"] == "near"
    assert "configs" not in with_files(card(BARE), {})
