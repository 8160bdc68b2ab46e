"""Languages of texts, and words in any script."""

from __future__ import annotations

import pytest

from doceo.text.language import UNKNOWN, count_words, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The pool is 25 metres long and opens at eight.", "en"),
        ("Das Becken ist 25 Meter lang und öffnet um acht Uhr.", "de"),
        ("Le bassin mesure 25 mètres et ouvre à huit heures.", "fr"),
        ("La piscina mide 25 metros y abre a las ocho.", "es"),
        ("Бассейн имеет длину 25 метров.", "ru"),
        ("人人生而自由，在尊严和权利上一律平等。", "zh"),
        ("すべての人間は、生まれながらにして自由である。", "ja"),
        ("모든 인간은 태어날 때부터 자유롭다.", "ko"),
        ("| Day | Opens |\n| --- | --- |\n| Monday | the pool opens in the morning |", "en"),
        ("", UNKNOWN),
        ("1874", UNKNOWN),
        ("a,b,c", UNKNOWN),
        ("| 4 | 5 |\n| --- | --- |\n| 6 | 7 |" * 50, UNKNOWN),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_the_main_language_of_a_long_text_and_none_of_a_mixture() -> None:
    english = "The tower was built in the spring by the engineer. " * 100
    parts = {
        "de": "Der Turm wurde im Frühling von der Ingenieurin gebaut. ",
        "fr": "La tour a été construite au printemps par une femme. ",
        "ru": "Башня была построена весной инженером. ",
    }
    assert language_of(english * 5 + parts["de"] * 60) == "en"
    assert language_of("".join(words * 200 for words in (english[:51], *parts.values()))) == UNKNOWN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("The pool's depth is 1.8 m - well-lit.", 7),
        ("| Day | Opens |\n| --- | --- |", 2),
        ("人人生而自由。", 6),
        ("すべての人間 and 3 more", 9),
        ("모든 인간은 자유롭다.", 3),
        ("word " * 1_000_000, 1_000_000),
    ],
)
def test_words(text: str, words: int) -> None:
    assert count_words(text) == words
