"""The checks of a gate as JUnit XML, the form in which CI servers read the results of tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from evaluation.gate import Check
from evaluation.gate_words import in_words

# What no XML document may hold, however it is written (XML 1.0, section 2.2).
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def junit(name: str, checks: Sequence[Check]) -> str:
    """Return a JUnit XML document: a test case for each check, a failure where something got worse.

    What could not be measured is skipped. Every case has its figures as output.
    """
    counts = {
        "tests": len(checks),
        "failures": sum(check.outcome == "worse" for check in checks),
        "errors": 0,
        "skipped": sum(check.outcome == "undefined" for check in checks),
    }
    numbers = {key: str(value) for key, value in counts.items()}
    root = ElementTree.Element("testsuites", numbers)
    suite = ElementTree.SubElement(root, "testsuite", {"name": _legal(name), **numbers, "time": "0"})
    for check in checks:
        where = {"classname": _legal(f"{check.set}.{check.system}"), "name": _legal(check.metric), "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", where)
        words = _legal(in_words(check))
        if check.outcome == "worse":
            failure = ElementTree.SubElement(case, "failure", {"message": words, "type": "worse"})
            failure.text = words
        elif check.outcome == "undefined":
            ElementTree.SubElement(case, "skipped", {"message": words})
        else:
            ElementTree.SubElement(case, "system-out").text = words
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
