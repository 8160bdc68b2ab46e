"""Check every measured number of the pages against the results file that it came from. Run by `make check`.

`docs/figures.toml` says which sections of which pages hold measured numbers and, for each line of them, where its
numbers stand: a pattern of the text with {} for every number, and as many expressions over the files of
benchmarks/results (by their names, as parsed JSON). A number is right if the value rounds to it; a number of such a
section that no pattern covers is an error, so that no figure is printed without its file.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "docs" / "figures.toml"
RESULTS = ROOT / "benchmarks" / "results"
NUMBER = r"[-+−]?(?:\d[\d,]*\d|\d)?(?:\.\d+)?(?:e[-+]?\d+)?(?<=\d)"
FOUND = re.compile(rf"(?<![\w@./`-])(?<!\d ){NUMBER}(?![\w@]|\.\d|-\w)")
_CODE = re.compile(r"`[^`]*`|\]\([^)]*\)|https?://\S+|\b\d{4}-\d\d-\d\d\b")
HELPERS: dict[str, Any] = {
    "min": min, "max": max, "sum": sum, "len": len, "abs": abs, "round": round, "median": statistics.median,
    "mean": statistics.mean, "all": all, "sorted": sorted, "range": range,
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A piece of a page with {} for each number, and an expression for each."""

    page: str
    text: str
    values: tuple[str, ...]

    @property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of the piece in a page whose blanks are single spaces."""
        parts = [re.escape(part) for part in " ".join(self.text.split()).split("{}")]
        return re.compile(f"({NUMBER})".join(parts))


def pick(rows: Iterable[Mapping[str, Any]], **wanted: object) -> Mapping[str, Any]:
    """Return the only row that has all these values. Raises LookupError where there is none, or more than one."""
    found = [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows have {wanted}")
    return found[0]


def results(folder: Path = RESULTS) -> dict[str, Any]:
    """Return the parsed results by file name."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}


def agrees(printed: str, value: float) -> bool:
    """Return whether a value rounds to a printed number."""
    plain = printed.replace(",", "").replace("−", "-")
    if "e" in plain:
        digits = len(plain.split("e", maxsplit=1)[0].lstrip("-+").replace(".", ""))
        return f"{value:.{digits - 1}e}" == f"{float(plain):.{digits - 1}e}"
    decimals = len(plain.partition(".")[2])
    return bool(abs(float(plain) - value) <= 0.5 * 10**-decimals + 1e-9)


def check_page(
    page: str, text: str, figures: Sequence[Figure], sections: Sequence[str], known: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what is wrong with a page's numbers."""
    plain, covered = " ".join(text.split()), set[int]()
    for figure in figures:
        matches = list(figure.pattern.finditer(plain))
        if len(matches) != 1:
            yield f"{page}: {len(matches)} places read like {figure.text!r}"
            continue
        covered.update(range(*matches[0].span()))
        if len(figure.values) != figure.text.count("{}"):
            yield f"{page}: {figure.text!r} has {figure.text.count('{}')} numbers and {len(figure.values)} values"
            continue
        for printed, expression in zip(matches[0].groups(), figure.values, strict=True):
            yield from _compared(page, printed, expression, known)
    for heading in sections:
        yield from _uncovered(page, heading, text, plain, covered)


def _compared(page: str, printed: str, expression: str, known: Mapping[str, Any]) -> Iterator[str]:
    try:
        value = eval(expression, {"__builtins__": {}, "pick": pick, **HELPERS, **known})
    except (LookupError, NameError, TypeError, SyntaxError) as error:
        yield f"{page}: {expression} cannot be worked out: {error!r}"
        return
    if not agrees(printed, float(value)):
        yield f"{page}: it says {printed}, but {expression} is {value:g}"


def _uncovered(page: str, heading: str, text: str, plain: str, covered: set[int]) -> Iterator[str]:
    """Yield the numbers of a section that stand in no figure; those in code and links are not looked at."""
    body = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#{{1,6}} |\Z)", text, re.MULTILINE | re.DOTALL)
    if body is None:
        yield f"{page}: there is no section {heading!r}"
        return
    section = " ".join(body[2].split())
    start = plain.index(section)
    hidden = {at for code in _CODE.finditer(section) for at in range(*code.span())}
    for number in FOUND.finditer(section):
        if number.start() not in hidden and start + number.start() not in covered:
            around = section[max(0, number.start() - 40) : number.end() + 30]
            yield f"{page}, {heading}: {number[0]} comes from no results file: ... {around} ..."


def check() -> list[str]:
    """Return what is wrong with the numbers of all pages."""
    listed = tomllib.loads(FIGURES.read_text(encoding="utf-8"))
    known = results()
    wrong: list[str] = []
    for page, given in listed.items():
        figures = [Figure(page, one["text"], tuple(one["values"])) for one in given.get("figures", ())]
        text = (ROOT / page).read_text(encoding="utf-8")
        wrong += check_page(page, text, figures, given.get("sections", ()), known)
    return wrong


def main() -> None:
    """Print what is wrong and exit with 1 if anything is."""
    wrong = check()
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
