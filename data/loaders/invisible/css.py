"""Styles that make text invisible: inline declarations, and the rules that stand in a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Declarations = dict[str, str]
_NESTED = re.compile(r"@[^{};@]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
"""Rules for print, for narrow screens and the like: they say nothing about the page as it is."""
_LONGEST_SHEET, _MOST_RULES = 200_000, 60
_FAR = 500.0
"""Pixels from which text lies beside the page. Widths of pages come in this size, and no indent does."""
_PIXELS = {"px": 1.0, "pt": 4 / 3, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "in": 96.0, "cm": 38.0, "mm": 3.8,
           "vw": 10.0, "vh": 10.0, "": 1.0}  # fmt: skip
_OF_PAGE, _OF_LETTER = 10.0, 0.16
"""Pixels of one per cent of a page's width, and of a letter's usual size."""
_LENGTH = re.compile(r"(-?\d*\.?\d+)\s*([a-z%]*)")
_WHITES = frozenset({"white", "snow", "ghostwhite", "ivory", "floralwhite"})
_RGB = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\b.*\)")
_HEX = re.compile(r"#(?:([0-9a-f]{3})[0-9a-f]?|([0-9a-f]{6})(?:[0-9a-f]{2})?)")
_LIGHT = 0xF5
"""Value of a colour's weakest part from which it cannot be told from white paper."""
_CLEAR = re.compile(r"transparent|#(?:[0-9a-f]{3}0|[0-9a-f]{6}00)|(?:rgba|hsla)\(.*,\s*0*\.?0+%?\s*\)")
_BACKGROUND = ("background", "background-color", "background-image")


def declarations(style: str) -> Declarations:
    """Return {property: value} of a style attribute or the body of a rule, lower-cased, without `!important`."""
    pairs = (part.partition(":") for part in style.lower().split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs if value.strip()}


def hides(found: Declarations) -> bool:
    """Return whether declarations leave nothing to see of an element, whatever stands around it."""
    return any(test(found) for test in _TESTS)


def shows(found: Declarations) -> bool:
    """Return whether declarations undo what another rule hid."""
    return bool({"display", "visibility", "opacity"} & found.keys()) and not hides(found)


def is_white(found: Declarations) -> bool:
    """Return whether the text is white and no background is declared with it."""
    return _is_light(found.get("color", "")) and not has_background(found)


def has_background(found: Declarations) -> bool:
    """Return whether a background is declared, so that white text can be seen on it."""
    return any(found.get(name) and not _is_whitish(found[name]) for name in _BACKGROUND)


def rules(sheet: str) -> Iterator[tuple[str, Declarations]]:
    """Yield (selector, declarations) of a style sheet in order: those that could hide something or show it again.

    Rules for a state of an element (`:hover`) are left out. Linear, and bounded.
    """
    found = 0
    first, *rest = sheet[:_LONGEST_SHEET].split("/*")
    plain = _NESTED.sub(" ", "".join([first, *(part.partition("*/")[2] for part in rest)]))
    for part in plain.split("}"):
        head, _, body = part.partition("{")
        selector, declared = head.rpartition(";")[2].strip(), declarations(body)
        if selector and ":" not in selector and (hides(declared) or shows(declared) or is_white(declared)):
            found += 1
            yield selector, declared
        if found == _MOST_RULES:
            return


def _is_light(value: str) -> bool:
    if value in _WHITES:
        return True
    if found := _HEX.fullmatch(value):
        digits = found[2] or "".join(digit * 2 for digit in found[1])
        return min(int(digits[at : at + 2], 16) for at in (0, 2, 4)) >= _LIGHT
    rgb = _RGB.fullmatch(value)
    return rgb is not None and min(map(int, rgb.groups())) >= _LIGHT


def _is_whitish(value: str) -> bool:
    return _is_light(value) or value in ("none", "transparent", "inherit", "initial", "unset")


def _pixels(value: str, hundredth: float = _OF_PAGE) -> float | None:
    """Return a length in pixels, roughly; None for what is no length."""
    found = _LENGTH.fullmatch(value)
    return float(found[1]) * (hundredth if found[2] == "%" else _PIXELS.get(found[2], 1.0)) if found else None


def _below(name: str, limit: float, hundredth: float = _OF_PAGE) -> Callable[[Declarations], bool]:
    def test(found: Declarations) -> bool:
        size = _pixels(found.get(name, ""), hundredth)
        return size is not None and size <= limit

    return test


def _off_page(found: Declarations) -> bool:
    sides = ("left", "right", "top", "bottom") if found.get("position") in ("absolute", "fixed") else ()
    for name in (*sides, "text-indent", "margin-left", "margin-top"):
        size = _pixels(found.get(name, ""))
        if size is not None and size <= -_FAR:
            return True
    return False


def _no_room(found: Declarations) -> bool:
    small = any(_below(name, 1.0)(found) for name in ("width", "height", "max-width", "max-height"))
    return small and found.get("overflow", "") in ("hidden", "clip")


def _own_colour(found: Declarations) -> bool:
    back = found.get("background-color") or found.get("background", "")
    return bool(back) and back == found.get("color")


_TESTS: tuple[Callable[[Declarations], bool], ...] = (
    lambda found: found.get("display") == "none",
    lambda found: found.get("visibility") in ("hidden", "collapse"),
    lambda found: bool(re.fullmatch(r"0*\.?0+%?|0*\.0[0-4]\d*", found.get("opacity", ""))),
    lambda found: bool(_CLEAR.fullmatch(found.get("color", ""))),
    lambda found: found.get("clip", "").replace(" ", "") in ("rect(0,0,0,0)", "rect(0000)", "rect(1px,1px,1px,1px)"),
    lambda found: found.get("clip-path", "").replace(" ", "") in ("inset(50%)", "inset(100%)", "circle(0)"),
    lambda found: found.get("transform", "").replace(" ", "") in ("scale(0)", "scale(0,0)"),
    lambda found: bool(re.match(r"0(?:px|pt|em|rem|%)?(?:/|\s|$)", _font_size(found))),
    _below("font-size", 1.4, _OF_LETTER),
    _off_page,
    _no_room,
    _own_colour,
)


def _font_size(found: Declarations) -> str:
    """Return the size in a `font` shorthand, or ""."""
    size = re.search(r"(?:^|\s)(\d\S*)", found.get("font", ""))
    return size[1] if size else "-"
