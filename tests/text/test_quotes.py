from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.text.quotes import locate

TEXT = (
    "IBM debuted in 1981 with the IBM Personal Computer.[12] The company later also found success with the ThinkPad, "
    "a “portable”\r\nmachine — sold to 14 countries.\n"
    "It is not required to register. 👩‍🚀 Café naïve e\u0301t\u00e9 ends here."
)


def found(quote: str, text: str = TEXT) -> str | None:
    place = locate(quote, text)
    return text[place[0] : place[1]] if place else None


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("the IBM Personal Computer.", "the IBM Personal Computer."),
        ('  "The company later also found success"  ', "The company later also found success"),
        ("the company LATER also  found\nsuccess", "The company later also found success"),
        ('a "portable" machine - sold to 14 countries', "a “portable”\r\nmachine — sold to 14 countries."),
        ("Personal Computer. The company later also", "Personal Computer.[12] The company later also"),
        ("**IBM debuted** in 1981", "IBM debuted in 1981"),
        ("Café naïve été ends", "Café naïve e\u0301t\u00e9 ends"),
        ("Cafe\u0301 nai\u0308ve e\u0301te\u0301 ends", "Café naïve e\u0301t\u00e9 ends"),
        ("👩‍🚀 Café", "👩‍🚀 Café"),
        ("Company later also had found succes with the ThinkPad", "company later also found success with the ThinkPad"),
    ],
)
def test_altered_quotes_are_found(quote: str, expected: str) -> None:
    assert found(quote) == expected


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "   \n",
        "IBM debuted in 1982 with the IBM Personal Computer.",  # another year
        "It is required to register.",  # the negation is gone
        "It is not not required to register.",
        "sold to forty countries of the whole wide world",
        "IBM was founded by somebody who is not named in this text at all",
        "x" * 400,
    ],
)
def test_other_quotes_are_not(quote: str) -> None:
    assert found(quote) is None


def test_table_rows_and_hyphens() -> None:
    table = "| Berries | Blueberry, Straw-\nberry |     150 |\n| Grain | Corn | 200 |"
    assert found("Berries: Blueberry, Strawberry: 150", table) == "Berries | Blueberry, Straw-\nberry |     150"
    assert found("Berries | Blueberry, Strawberry | 200", table) is None


def test_a_number_is_not_seen_inside_another() -> None:
    assert locate("50", "150 and 50") == (8, 10)
    assert found("costs -5.50 in all", "It costs 5.50 in all.") is None


def test_scripts_without_spaces() -> None:
    text = "東京は日本の首都であり、人口は約1400万人です。大阪は西日本の中心都市です。"
    assert found("人口は約1400万人です", text) == "人口は約1400万人です"
    assert found("日本の首都であり 人口は約1400万人です。", text) == "日本の首都であり、人口は約1400万人です。"


letters = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"]), st.sampled_from(list("ab .,-—\r\n\t“'\u0301👩‍🚀ﬁßİ1[]"))
    ),
    max_size=120,
)


@given(before=letters, quote=letters.filter(lambda text: text.strip() != ""), after=letters)
def test_an_exact_quote_is_always_found(before: str, quote: str, after: str) -> None:
    text = before + quote + after
    place = locate(quote, text)
    assert place is not None
    assert text[place[0] : place[1]] == quote


@given(quote=letters, text=letters)
@settings(max_examples=200)
def test_what_is_found_lies_in_the_text(quote: str, text: str) -> None:
    place = locate(quote, text)
    if place is not None:
        assert 0 <= place[0] < place[1] <= len(text)


WORDS = ["alpha", "Beta", "gamma,", "delta.", "12", "über", "née", "日本", "x-ray", "don't", "(note)", "3.5"]
words = st.lists(st.sampled_from(WORDS), min_size=6, max_size=40)


@given(words=words, data=st.data())
def test_changed_spaces_and_case_keep_the_words(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    start = data.draw(st.integers(0, len(words) - 4))
    chosen = words[start : start + 4]
    place = locate("\r\n  ".join(chosen).upper(), text)
    if sum(letter.isalnum() for word in chosen for letter in word) >= 8:
        assert place is not None
        kept = "".join(letter for letter in text[place[0] : place[1]].casefold() if letter.isalnum())
        assert kept == "".join(letter for word in chosen for letter in word.casefold() if letter.isalnum())
