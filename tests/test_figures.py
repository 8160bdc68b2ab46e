"""Every measured number of the pages is that of the results file which it came from, and the check notices others."""

from __future__ import annotations

import pytest

from scripts.check_figures import Figure, agrees, check, check_page, pick

KNOWN = {"speed": {"runs": [{"s": 1.234}, {"s": 1.25}], "share": 0.4567}}
PAGE = "## Measured\n\nIt takes 1.2 to 1.25 s\n(`speed.json`, 3 cores) and 46 % of `x 9`.\n\n## Other\n\nAbout 7.\n"
FIGURES = [
    Figure("p", "It takes {} to {} s", ("speed['runs'][0]['s']", "max(one['s'] for one in speed['runs'])")),
    Figure("p", "(`speed.json`, 3 cores) and {} %", ("100 * speed['share']",)),
]


def test_the_numbers_of_the_pages_come_from_the_results() -> None:
    assert check() == []


def test_a_page_that_is_right() -> None:
    assert list(check_page("p", PAGE, FIGURES, ["Measured"], KNOWN)) == []


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("1.25", "1.26", "it says 1.26"),
        ("46 %", "47 %", "it says 47"),
        ("It takes", "It takes about", "0 places read like"),
        ("of `x 9`", "of 9", "9 comes from no results file"),
        ("## Measured", "## Measures", "there is no section 'Measured'"),
    ],
)
def test_what_is_wrong_is_found(old: str, new: str, wrong: str) -> None:
    found = list(check_page("p", PAGE.replace(old, new), FIGURES, ["Measured"], KNOWN))
    assert any(wrong in line for line in found)


def test_a_value_that_is_not_there_is_told() -> None:
    gone = [Figure("p", "It takes {} to", ("speed['walks']",)), *FIGURES[1:]]
    assert any("cannot be worked out" in line for line in check_page("p", PAGE, gone, [], KNOWN))


@pytest.mark.parametrize(
    ("printed", "value", "same"),
    [
        ("1.2", 1.249, True),
        ("1.2", 1.26, False),
        ("+3", 2.6, True),
        ("−0.5", -0.46, True),
        ("1,200", 1200.4, True),
        (".95", 0.951, True),
        ("2e-6", 1.9e-6, True),
        ("2e-6", 2.6e-6, False),
    ],
)
def test_a_number_is_its_value_rounded(printed: str, value: float, same: bool) -> None:
    assert agrees(printed, value) is same


def test_one_row_is_picked() -> None:
    rows = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert pick(rows, b=2) is rows[1]
    with pytest.raises(LookupError, match="2 rows"):
        pick(rows, a=1)
