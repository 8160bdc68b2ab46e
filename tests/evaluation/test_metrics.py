from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from doceo.core.errors import InputError, UsageError
from evaluation.metric import statistics
from evaluation.metrics import METRICS, load, load_all
from evaluation.metrics.squad import normalized
from evaluation.tokens import words

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared reference data is not beside the repository")
DOG = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
DOG_REFERENCES = [
    ["The dog bit the man.", "The dog had bit the man."],
    ["It was not unexpected.", "No one was surprised."],
    ["The man bit him first.", "The man had bitten the dog."],
]
WORDS = ["the", "a", "dog", "bit", "man", "had", "no", "one", "it", "was", "him", "Bob,", "end."]
sentence = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)


def corpus(name: str, hypotheses: list[str], references: list[list[str]]) -> float:
    metric = load(name)
    rows = [row for row in statistics(metric, hypotheses, references) if row is not None]
    return float(metric.corpus(np.stack(rows).sum(axis=0, keepdims=True))[0])


def item(name: str, hypothesis: str, *references: str) -> float | None:
    metric = load(name)
    row = statistics(metric, [hypothesis], [list(references)])[0]
    return None if row is None else metric.item(row)


def test_corpus_bleu_is_sacrebleus_published_value() -> None:
    assert corpus("bleu", DOG, DOG_REFERENCES) == pytest.approx(48.530827, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "hypothesis", "reference", "expected"),
    [
        ("rouge1", "testing", "testing one two", 50.0),
        ("rouge2", "testing one", "testing one two", 200 / 3),
        ("rougeL", "testing two", "testing one two", 80.0),
        ("rouge1", "", "testing one two", 0.0),
        ("em", "The Eiffel Tower!", "eiffel tower", 100.0),
        ("em", "Eiffel Towers", "eiffel tower", 0.0),
        ("f1", "in the old town hall", "the town hall", 200 * 2 / 6),
        ("f1", "", "town hall", 0.0),
        ("bleu", "forty minutes", "forty minutes", 100.0),
        ("bleu", "", "forty minutes", 0.0),
        ("chrf", "forty minutes", "forty minutes", 100.0),
    ],
)
def test_known_values(name: str, hypothesis: str, reference: str, expected: float) -> None:
    assert item(name, hypothesis, reference) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(sentence, st.lists(sentence.filter(str.strip), min_size=1, max_size=3)), min_size=1, max_size=6)
)
def test_bleu_and_chrf_equal_sacrebleu(rows: list[tuple[str, list[str]]]) -> None:
    hypotheses, references = [h for h, _ in rows], [r for _, r in rows]
    most = max(len(r) for r in references)
    streams = [[r[i] if i < len(r) else None for r in references] for i in range(most)]
    bleu = BLEU(effective_order=True).corpus_score(hypotheses, streams).score
    assert corpus("bleu", hypotheses, references) == pytest.approx(bleu, abs=1e-9)
    assert corpus("chrf", hypotheses, references) == pytest.approx(
        CHRF().corpus_score(hypotheses, streams).score, abs=1e-9
    )
    if any(len(h.split()) >= 4 for h in hypotheses):
        assert bleu == pytest.approx(BLEU().corpus_score(hypotheses, streams).score, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="ascii"), max_size=60), st.text(st.characters(codec="ascii"), max_size=60))
def test_rouge_equals_rouge_score_on_ascii(hypothesis: str, reference: str) -> None:
    theirs = RougeScorer(["rouge1", "rouge2", "rougeL"]).score(reference, hypothesis)
    for name, score in theirs.items():
        if words(reference):
            assert item(name, hypothesis, reference) == pytest.approx(100 * score.fmeasure)
        else:
            assert item(name, hypothesis, reference) is None


@pytest.mark.parametrize(
    "text",
    [
        "Είναι ζωντανή γλώσσα, είναι ζωντανή",
        "机器学习是人工智能的一个分支",
        "हिन्दी में उत्तर",
        "مرحبا بالعالم",
        "ภาษาไทยง่าย",
    ],
)
@pytest.mark.parametrize("name", ["rouge1", "rouge2", "rougeL", "em", "f1", "chrf", "bleu"])
def test_identical_text_of_any_script_is_perfect(name: str, text: str) -> None:
    assert item(name, text, text) == pytest.approx(100)


def test_chinese_is_compared_letter_by_letter() -> None:
    assert 0 < (item("f1", "机器学习", "机器翻译") or 0) < 100
    assert 0 < (item("rouge1", "机器学习", "机器翻译") or 0) < 100


def test_words_keep_marks_with_their_letters() -> None:
    assert words("हिन्दी, naïve ﬁle_name") == ["हिन्दी", "naïve", "file", "name"]


def test_an_article_alone_is_kept() -> None:
    assert normalized("A") == ("a",)
    assert item("em", "vitamin A", "A") == 0


@pytest.mark.parametrize("name", METRICS)
def test_without_references_a_metric_is_undefined(name: str) -> None:
    assert statistics(load(name), ["x", "y"], [[], ["", " "]]) == [None, None]


@pytest.mark.parametrize("name", METRICS)
def test_the_best_of_several_references_counts(name: str) -> None:
    assert item(name, "forty minutes by ferry", "a day", "forty minutes by ferry") == pytest.approx(100)


@pytest.mark.parametrize("name", METRICS)
def test_signatures_say_the_scale_and_the_name_is_the_tables(name: str) -> None:
    metric = load(name)
    assert metric.name == name
    assert "|scale:100|" in metric.signature


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(sentence, sentence.filter(str.strip)), min_size=1, max_size=8), st.randoms(use_true_random=False)
)
def test_the_order_of_answers_does_not_matter(rows: list[tuple[str, str]], shuffle: random.Random) -> None:
    mixed = list(rows)
    shuffle.shuffle(mixed)
    for name in METRICS:
        one = corpus(name, [h for h, _ in rows], [[r] for _, r in rows])
        other = corpus(name, [h for h, _ in mixed], [[r] for _, r in mixed])
        assert one == pytest.approx(other)
        assert 0 <= one <= 100.0001


def test_mixed_up_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="2 answers, but references for 1"):
        statistics(load("f1"), ["a", "b"], [["a"]])
    with pytest.raises(InputError, match="not a list of texts"):
        statistics(load("f1"), ["a"], ["abc"])


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        load("rouge-l")
    assert "Did you mean rougeL?" in caught.value.hint
    assert [m.name for m in load_all(["f1", "em", "f1"])] == ["f1", "em"]


def test_the_table_of_metrics_imports_none() -> None:
    code = "import sys, evaluation.scoring, evaluation.table; sys.exit(bool({'sacrebleu', 'nltk'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


@shared
def test_squad_predictions_give_their_published_figures() -> None:
    dev = json.loads(gzip.decompress((SHARED / "squad/squad-v1.1-dev.first24.json.gz").read_bytes()))
    published = json.loads((SHARED / "metrics/squad-predictions.logistic-regression.json").read_text())
    asked = [q for article in dev["data"] for p in article["paragraphs"] for q in p["qas"]]
    hypotheses = [published["predictions"].get(q["id"], "") for q in asked]
    references = [[answer["text"] for answer in q["answers"]] for q in asked]
    # Not equal to the last digit: punctuation outside ASCII is dropped too (2 of 4,807 answers).
    assert corpus("em", hypotheses, references) == pytest.approx(published["this_split"]["exact_match"], abs=0.06)
    assert corpus("f1", hypotheses, references) == pytest.approx(published["this_split"]["f1"], abs=0.06)


@shared
def test_real_answers_give_their_published_bleu_and_chrf() -> None:
    dolly = json.loads(gzip.decompress((SHARED / "metrics/dolly_flan-t5-base.json.gz").read_bytes()))
    hypotheses = [line["prediction"] for line in dolly["items"]]
    references = [[line["reference"]] for line in dolly["items"]]
    assert corpus("bleu", hypotheses, references) == pytest.approx(dolly["corpus_bleu"], abs=1e-9)
    assert corpus("chrf", hypotheses, references) == pytest.approx(dolly["chrf2"], abs=1e-9)


@shared
def test_rouge_reference_cases() -> None:
    cases = json.loads((SHARED / "metrics/rouge_cases.json").read_text())["cases"]
    chosen = [c for c in cases if c["rouge_type"] in METRICS and not c["use_stemmer"]]
    assert len(chosen) > 8
    for case in chosen:
        value = item(case["rouge_type"], case["prediction"], case["target"]) or 0
        assert value / 100 == pytest.approx(case["fmeasure"], abs=max(case["tolerance"], 6e-6)), case["note"]
