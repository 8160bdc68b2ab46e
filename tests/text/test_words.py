import pytest

from doceo.text.verbs import VERBS, base_of, third_person
from doceo.text.words import content_words, is_plural, stem, words


def test_words_keep_inner_marks() -> None:
    assert words("The Debian-policy isn't v4.6_2, is it?") == ["the", "debian-policy", "isn't", "v4.6_2", "is", "it"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("files", "file"),
        ("running", "run"),
        ("stopped", "stop"),
        ("policies", "policy"),
        ("classes", "class"),
        ("uses", "used"),
    ],
)
def test_stem_joins_forms_of_one_word(left: str, right: str) -> None:
    assert stem(left) == stem(right)


@pytest.mark.parametrize("word", ["analysis", "class", "status", "this", "bus"])
def test_stem_leaves_final_s_of_the_singular(word: str) -> None:
    assert stem(word) == word


def test_content_words_leave_stop_words_out() -> None:
    assert content_words("What is the size of the files?") == ["size", "file"]


@pytest.mark.parametrize(
    ("word", "plural"), [("packages", True), ("people", True), ("class", False), ("PDFs", True), ("analysis", False)]
)
def test_plural(word: str, plural: bool) -> None:
    assert is_plural(word) is plural


@pytest.mark.parametrize(
    ("base", "s", "past", "participle", "ing"),
    [
        ("use", "uses", "used", "used", "using"),
        ("carry", "carries", "carried", "carried", "carrying"),
        ("stop", "stops", "stopped", "stopped", "stopping"),
        ("write", "writes", "wrote", "written", "writing"),
        ("pass", "passes", "passed", "passed", "passing"),
        ("run", "runs", "ran", "run", "running"),
        ("lie", "lies", "lay", "lain", "lying"),
        ("transfer", "transfers", "transferred", "transferred", "transferring"),
        ("found", "founds", "founded", "founded", "founding"),
    ],
)
def test_verb_forms(base: str, s: str, past: str, participle: str, ing: str) -> None:
    verb = VERBS[base]
    assert (verb.s, verb.past, verb.participle, verb.ing) == (s, past, participle, ing)


def test_base_of_a_form() -> None:
    assert base_of("wrote", "past") == "write"
    assert base_of("wrote", "s") is None
    assert base_of("found", "past") == "find"
    assert base_of("zebra", "base") is None


def test_forms_of_unlisted_verbs_by_rule() -> None:
    assert third_person("blorp") == "blorps"
