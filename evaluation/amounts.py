"""Amounts as people say them."""

from __future__ import annotations

from evaluation.table import number


def duration(seconds: float) -> str:
    """Return seconds as `85 ms`, `1.3 s`, `140 s`."""
    if seconds < 0.1:
        return f"{1000 * seconds:.2g} ms"
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds:,.0f} s"


def size(count: int) -> str:
    """Return bytes as `310 kB`, `14 MB`, `1.2 GB`."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def signed(value: float, unit: str = "") -> str:
    """Return a difference with its sign, as `+3.1` or `−0.4`."""
    return minus(f"{'+' if value >= 0 else '-'}{number(abs(value), unit)}")


def minus(text: str) -> str:
    """Return a number's text with the sign that is as wide as a plus."""
    return text.replace("-", "\u2212")


def listed(names: list[str] | tuple[str, ...], word: str = "and") -> str:
    """Return names as `a, b and c`."""
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
