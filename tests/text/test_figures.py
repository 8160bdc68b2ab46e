import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.text.figures import figures


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It began on July 5, 2002 in Rome.", [("date", "July 5, 2002")]),
        ("On 5 July 2002 it ended.", [("date", "5 July 2002")]),
        ("It was 1998 then.", [("year", "1998")]),
        ("About 45% of 12,000 rows.", [("percent", "45%"), ("quantity", "12,000 rows")]),
        ("It cost $3.5 million.", [("money", "$3.5 million")]),
        ("It waits 30 seconds.", [("quantity", "30 seconds")]),
        ("There are three kinds.", [("number", "three")]),
        ("By Ian Murdock and IBM.", [("name", "Ian Murdock"), ("name", "IBM")]),
        ("Version 1.2.3-4 of x86_64.", []),
    ],
)
def test_known_figures(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(f.kind, text[f.start : f.end]) for f in figures(text)] == expected


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("12 ,.%$-ABCabc thousandyears\n")), max_size=80))
def test_figures_are_ordered_and_apart(text: str) -> None:
    end = 0
    for figure in figures(text):
        assert end <= figure.start < figure.end <= len(text)
        end = figure.end
