from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from doceo.core.errors import InputError, UsageError
from evaluation.metric import statistics
from evaluation.metrics import METRICS, load, load_all
from evaluation.metrics.squad import normalized
from evaluation.tokens import words

ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")
TEXTS = ("bleu", "bleu@intl", "chrf", "ter", *ROUGE, "em", "f1", "squad_em", "squad_f1")
"""Metrics that compare words, and need no model."""
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
        ("rougeLsum", "b c\na", "a\nb c", 100.0),
        ("rougeLsum", "Bees hum. Ants dig.", "Ants dig. Bees hum.", 100.0),
        ("rougeL", "Bees hum. Ants dig.", "Ants dig. Bees hum.", 50.0),
        ("ter", "the ferry takes an hour", "the ferry takes forty minutes", 40.0),
        ("ter", "takes the ferry forty minutes", "the ferry takes forty minutes", 20.0),
        ("em", "“Thoreau’s” – he said", "Thoreau's he said", 100.0),
        ("squad_em", "“Thoreau’s” – he said", "Thoreau's he said", 0.0),
        ("squad_f1", "in the old town hall", "the town hall", 200 * 2 / 6),
        ("bleu", "forty minutes", "forty minutes", 100.0),
        ("bleu", "", "forty minutes", 0.0),
        ("chrf", "forty minutes", "forty minutes", 100.0),
    ],
)
def test_known_values(name: str, hypothesis: str, reference: str, expected: float) -> None:
    assert item(name, hypothesis, reference) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(sentence, st.lists(sentence.filter(str.strip), min_size=1, max_size=3)), min_size=1, max_size=6)
)
def test_bleu_chrf_and_ter_equal_sacrebleu(rows: list[tuple[str, list[str]]]) -> None:
    hypotheses, references = [h for h, _ in rows], [r for _, r in rows]
    most = max(len(r) for r in references)
    streams = [[r[i] if i < len(r) else None for r in references] for i in range(most)]
    bleu = BLEU(effective_order=True).corpus_score(hypotheses, streams).score
    assert corpus("bleu", hypotheses, references) == pytest.approx(bleu, abs=1e-9)
    assert corpus("chrf", hypotheses, references) == pytest.approx(
        CHRF().corpus_score(hypotheses, streams).score, abs=1e-9
    )
    assert corpus("ter", hypotheses, references) == pytest.approx(
        TER().corpus_score(hypotheses, streams).score, abs=1e-9
    )
    single = BLEU(effective_order=True).sentence_score(hypotheses[0], references[0]).score
    assert item("bleu", hypotheses[0], *references[0]) == pytest.approx(single, abs=1e-9)
    if any(len(h.split()) >= 4 for h in hypotheses):
        assert bleu == pytest.approx(BLEU().corpus_score(hypotheses, streams).score, abs=1e-9)


# two lines and more: rouge_score takes lines for sentences, ours cuts a text of one line
lines = st.lists(sentence.filter(str.strip), min_size=2, max_size=4).map("\n".join)
anything = st.text(st.characters(codec="ascii"), max_size=60).map(lambda text: f"a\n{text}\nb")


def one_and_some(texts: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, list[str]]]:
    return st.tuples(texts, st.lists(texts, min_size=1, max_size=3))


@settings(max_examples=80, deadline=None)
@given(st.one_of(one_and_some(lines), one_and_some(anything)))
def test_rouge_equals_rouge_score_on_ascii(pair: tuple[str, list[str]]) -> None:
    hypothesis, references = pair
    usable = [text for text in references if words(text)]
    theirs = RougeScorer(ROUGE).score_multi(usable, hypothesis) if usable else {}
    for name in ROUGE:
        value = item(name, hypothesis, *references)
        assert value == (pytest.approx(100 * theirs[name].fmeasure, abs=1e-9) if usable else None)


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
@pytest.mark.parametrize("name", [name for name in TEXTS if name != "ter"])
def test_identical_text_of_any_script_is_perfect(name: str, text: str) -> None:
    assert item(name, text, text) == pytest.approx(100)


def test_chinese_is_compared_letter_by_letter() -> None:
    assert 0 < (item("f1", "机器学习", "机器翻译") or 0) < 100
    assert 0 < (item("rouge1", "机器学习", "机器翻译") or 0) < 100


def test_words_keep_marks_with_their_letters() -> None:
    assert words("हिन्दी, naïve ﬁle_name") == ("हिन्दी", "naïve", "file", "name")


def test_an_article_alone_is_kept() -> None:
    assert normalized("A") == ("a",)
    assert item("em", "vitamin A", "A") == 0


@pytest.mark.parametrize("name", TEXTS)
def test_without_references_a_metric_is_undefined(name: str) -> None:
    assert statistics(load(name), ["x", "y"], [[], ["", " "]]) == [None, None]


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "ter"])
def test_the_best_of_several_references_counts(name: str) -> None:
    assert item(name, "forty minutes by ferry", "a day", "forty minutes by ferry") == pytest.approx(100)


@pytest.mark.parametrize("name", METRICS)
def test_signatures_say_the_scale_and_the_name_is_the_tables(name: str) -> None:
    metric = load(name)
    assert metric.name == name
    assert ("|scale:100|" in metric.signature) == (not metric.unit)
    assert load(name).signature == metric.signature


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(sentence, sentence.filter(str.strip)), min_size=1, max_size=8), st.randoms(use_true_random=False)
)
def test_the_order_of_answers_does_not_matter(rows: list[tuple[str, str]], shuffle: random.Random) -> None:
    mixed = list(rows)
    shuffle.shuffle(mixed)
    for name in TEXTS:
        one = corpus(name, [h for h, _ in rows], [[r] for _, r in rows])
        other = corpus(name, [h for h, _ in mixed], [[r] for _, r in mixed])
        assert one == pytest.approx(other)
        assert 0 <= one <= (100.0001 if name != "ter" else 1000)


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
