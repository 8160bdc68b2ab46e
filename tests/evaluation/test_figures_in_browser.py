"""The figures and the questions of the report as Chromium shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.store import ANSWERS, CHUNKS, DATASET, DOCUMENTS, PAIRS, SCORES, Run
from evaluation.report import write_report
from tests.evaluation.chromium import CHROMIUM, act

ALL = (DOCUMENTS, CHUNKS, PAIRS, DATASET, ANSWERS, SCORES)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


def test_one_set_at_a_time_and_what_a_cell_says(build: Callable[..., Run], tmp_path: Path) -> None:
    page = write_report(build(ALL), tmp_path / "report.html")
    steps = """
      const open = () => all(".set-block").filter((block) => !block.hidden).map((block) => block.dataset.set);
      const Press = frame.contentWindow.KeyboardEvent;
      const press = (at, name) => at.dispatchEvent(new Press("keydown", { key: name, bubbles: true }));
      const tabs = all("#scores [role=tab]");
      seen.first = [open(), tabs.map((tab) => tab.getAttribute("aria-selected")), tabs.map((tab) => tab.tabIndex)];
      tabs[0].focus(); press(tabs[0], "ArrowRight");
      seen.second = [open(), frame.contentDocument.activeElement.textContent];
      press(tabs[1], "ArrowRight"); seen.round = open();
      const cells = all("#set-taught .heat td[data-words]");
      cells[0].focus(); seen.told = text("#set-taught .told span")[0];
      press(cells[0], "ArrowRight"); seen.beside = frame.contentDocument.activeElement.dataset.words.slice(0, 9);
      press(cells[1], "ArrowDown"); seen.below = text("#set-taught .told span")[0].slice(0, 19);
      all("#set-taught .told button")[0].click(); await pause(50);
      seen.shown = text("#browser .asked .q").map((line) => line.slice(0, 32));
      seen.filters = all("#browser select").filter((one) => one.value).map((one) => one.selectedOptions[0].textContent);
    """
    seen = act(page, steps, tmp_path)
    assert seen["first"] == [["taught"], ["true", "false"], [0, -1]]
    assert seen["second"] == [["taught-written"], "Taught, written4"]
    assert seen["round"] == ["taught"]
    assert seen["told"].startswith("base on fact: F1 ")
    assert (seen["beside"], seen["below"]) == ("quote+rag", "quote+rag on reason")
    assert seen["shown"] == ["What does sentence number 7 say?"]
    assert seen["filters"] == ["taught (4)", "reason (2)"]


def test_every_question_is_found_filtered_and_opened(build: Callable[..., Run], tmp_path: Path) -> None:
    page = write_report(build(ALL), tmp_path / "report.html")
    steps = """
      const form = all("#browser form")[0];
      const ask = async (values) => {
        form.reset();
        for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
        form.dispatchEvent(new frame.contentWindow.Event("input", { bubbles: true }));
        await pause(250);
        return [text("#browser .count")[0], text("#browser .asked .q").map((line) => line.slice(26, 27))];
      };
      seen.all = await ask({});
      seen.words = await ask({ text: "NUMBER 5" });
      seen.set = await ask({ "axis set": "1" });
      seen.wrong = await ask({ system: "0", outcome: "wrong" });
      seen.alone = await ask({ system: "0", outcome: "right" });
      seen.lost = await ask({ system: "0", outcome: "lost", "axis set": "0" });
      seen.apart = (await ask({ order: "apart" }))[0];
      await ask({ text: "number 5" });
      seen.marks = all("#browser .became").map((mark) => mark.title);
      const asked = all("#browser .asked")[0];
      asked.click();
      seen.open = [asked.getAttribute("aria-expanded")].concat(
        ["dd", "mark", ".expected"].map((name) => text("#browser .row " + name)));
      asked.click(); seen.closed = all("#browser .row .work").length;
      await ask({});
      all("#browser .asked")[0].focus();
      const down = new frame.contentWindow.KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true });
      frame.contentDocument.activeElement.dispatchEvent(down);
      seen.next = frame.contentDocument.activeElement === all("#browser .asked")[1];
    """
    seen = act(page, steps, tmp_path)
    assert seen["all"] == ["1–8 of 8", ["1", "3", "5", "7", "0", "2", "4", "6"]]
    assert seen["words"] == ["1–1 of 1", ["5"]]
    assert seen["set"] == ["1–4 of 4", ["0", "2", "4", "6"]]
    assert seen["wrong"][0] == "1–8 of 8"
    assert seen["alone"] == ["No question fits.", []]
    assert seen["lost"] == ["1–4 of 4", ["1", "3", "5", "7"]]
    assert seen["apart"] == "1–8 of 8"
    assert seen["marks"] == ["base: wrong, F1 22", "quote+rag: right, F1 100"]
    quote = "The archive opens on Tuesdays and on Fridays"
    assert seen["open"] == [
        "true",
        ["the the of and", f"{quote}.notes/birds.md"],
        [f"{quote}."],
        [f"expected {quote}."],
    ]
    assert seen["closed"] == 0
    assert seen["next"] is True
