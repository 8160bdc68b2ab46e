"""`generate` with a chat model behind HTTP: costs, caps, edits, top-ups, local documents, reviews."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from data.jsonl import read_jsonl
from doceo.cli.main import app
from doceo.core.records import Document, Pair
from doceo.providers.openai_chat import OpenAIChat
from tests.app.saying import Saying

Start = Callable[[float], Any]
PLAIN = ("--gates", "form,exact,near,grounding", "--topics", "0", "--kinds", "fact=0", "--taught-share", "0")
PRICES = '[hosts."{host}"]\n"m" = {{ prompt = 10.0, completion = 100.0 }}\n'


def run_doceo(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], prog_name="doceo")


def by_model(server: Any, *more: str | Path) -> tuple[str | Path, ...]:
    return ("--teacher", "openai:m", "--base-url", server.address, *PLAIN, *more)


def pairs_of(run: Path) -> list[Pair]:
    return read_jsonl(run / "3-pairs" / "pairs.jsonl", Pair)


def ledger_of(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "3-pairs" / "ledger.json").read_text()))


def test_an_estimate_asks_nothing(library: Path, tmp_path: Path, teacher: Start) -> None:
    server = teacher(0)
    result = run_doceo("generate", library, "--out", tmp_path / "r", *by_model(server), "--estimate", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["estimate"]
    assert 0 < found["calls"]["low"] < found["calls"]["high"]
    assert found["usd"] == {"low": 0.0, "high": 0.0}
    assert server.seen() == 0
    assert not (tmp_path / "r" / "3-pairs").exists()
    priced = run_doceo("generate", library, "--out", tmp_path / "r", "--teacher", "openai:gpt-4.1-mini", "--estimate")
    assert "USD" in priced.stdout
    unknown = run_doceo("generate", library, "--out", tmp_path / "r", "--teacher", "openai:nobody-knows", "--estimate")
    assert "a price that is not known" in unknown.stdout


def test_the_cost_cap_stops_cleanly_and_the_same_command_goes_on(library: Path, tmp_path: Path, teacher: Start) -> None:
    server, whole = teacher(0), teacher(0)
    host = server.address.removeprefix("http://").removesuffix("/v1")
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES.format(host=host))
    common = ("--pairs", "12", "--concurrency", "2", "--prices", prices)
    spent = run_doceo("generate", library, "--out", tmp_path / "r", *by_model(server, *common, "--max-cost", "0.3"))
    assert spent.exit_code == 3, spent.stderr
    assert "--max-cost" in spent.stderr.splitlines()[-1]
    first, ledger = server.seen(), ledger_of(tmp_path / "r")
    assert 0 < ledger["accepted"] < 12
    assert ledger["failed"]["cost_cap"] > 0
    again = run_doceo("generate", library, "--out", tmp_path / "r", *by_model(server, *common, "--max-cost", "50"))
    assert again.exit_code == 0, again.stderr
    assert run_doceo("generate", library, "--out", tmp_path / "w", *by_model(whole, "--pairs", "12")).exit_code == 0
    assert server.seen() == whole.seen() > first
    assert pairs_of(tmp_path / "r") == pairs_of(tmp_path / "w")


def test_a_model_without_a_price_has_no_cap(library: Path, tmp_path: Path) -> None:
    result = run_doceo(
        "generate", library, "--out", tmp_path / "r", "--teacher", "openai:nobody-knows", "--max-cost", "1",
        "--base-url", "http://example.invalid/v1",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "--prices" in result.stderr


def test_an_edited_document_redoes_only_its_chunks(library: Path, tmp_path: Path, teacher: Start) -> None:
    server = teacher(0)
    papers = Path(shutil.copytree(library, tmp_path / "papers"))
    common = ("generate", papers, "--out", tmp_path / "r", *by_model(server, "--pairs", "12", "--unseen-share", "0"))
    assert run_doceo(*common).exit_code == 0
    before, asked = pairs_of(tmp_path / "r"), server.seen()
    ferry = papers / "ferry.md"
    ferry.write_text(ferry.read_text().replace("opened in 1902", "opened in 1905"))
    result = run_doceo(*common)
    assert result.exit_code == 0, result.stderr
    said = next(line for line in result.stderr.splitlines() if "retired" in line)
    assert "pairs of unchanged passages are kept" in said, said
    after = pairs_of(tmp_path / "r")
    assert len(after) == 12
    texts = {d.id: d.text for d in read_jsonl(tmp_path / "r" / "1-documents" / "documents.jsonl", Document)}
    for pair in after:
        for evidence in pair.evidence:
            assert texts[evidence.span.document_id][evidence.span.start : evidence.span.end] == evidence.quote
    untouched = [pair for pair in before if pair.evidence[0].span.document_id in texts]
    assert {pair.id for pair in untouched} <= {pair.id for pair in after}
    assert server.seen() - asked <= 3
    assert run_doceo(*common).exit_code == 0
    assert server.seen() - asked <= 3


def test_more_pairs_top_up(library: Path, tmp_path: Path, teacher: Start) -> None:
    server = teacher(0)
    common = ("generate", library, "--out", tmp_path / "r")
    assert run_doceo(*common, *by_model(server, "--pairs", "6")).exit_code == 0
    first, asked = pairs_of(tmp_path / "r"), server.seen()
    assert run_doceo(*common, *by_model(server, "--pairs", "10")).exit_code == 0
    assert len(pairs_of(tmp_path / "r")) == 10
    assert {pair.id for pair in first} <= {pair.id for pair in pairs_of(tmp_path / "r")}
    assert server.seen() - asked <= 4


def test_another_gate_pays_nothing_again(library: Path, tmp_path: Path, teacher: Start) -> None:
    server = teacher(0)
    common = ("generate", library, "--out", tmp_path / "r", *by_model(server, "--pairs", "8"))
    assert run_doceo(*common).exit_code == 0
    asked = server.seen()
    assert run_doceo(*common, "--gate-support", "0.4").exit_code == 0
    assert server.seen() == asked


def test_a_local_document_is_never_sent(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Saying()
    monkeypatch.setattr(OpenAIChat, "complete", lambda _, request: said.complete(request))
    result = run_doceo(
        "generate", library, "--out", tmp_path / "r", "--pairs", "12", "--teacher", "openai:m", "--local",
        "library/ferry.md", "--base-url", "http://far.example/v1", *PLAIN,
    )  # fmt: skip
    assert result.exit_code in (0, 3), result.stderr
    assert "1 local documents are not sent" in result.stderr
    assert said.texts and not any("Bryne" in text for text in said.texts)
    makers = {(pair.teacher, "Bryne" in pair.question + pair.answer) for pair in pairs_of(tmp_path / "r")}
    assert ("extractive", True) in makers
    assert ("openai:m", True) not in makers


def test_dropped_pairs_stay_dropped(library: Path, tmp_path: Path) -> None:
    common = ("generate", library, "--out", tmp_path / "r", "--pairs", "12")
    assert run_doceo(*common).exit_code == 0
    bad = pairs_of(tmp_path / "r")[3]
    review = tmp_path / "mine.json"
    review.write_text(json.dumps({"run": "r", "decisions": [{"pair_id": bad.id, "decision": "drop", "note": "odd"}]}))
    result = run_doceo("review", tmp_path / "r", "--apply", review)
    assert result.exit_code in (0, 3), result.stderr
    assert bad.id not in {pair.id for pair in pairs_of(tmp_path / "r")}
    assert ledger_of(tmp_path / "r")["rejected"]["review"] == 1
    assert run_doceo(*common, "--seed", "4").exit_code in (0, 3)
    assert run_doceo(*common).exit_code in (0, 3)
    assert bad.id not in {pair.id for pair in pairs_of(tmp_path / "r")}


def test_secrets_and_addresses_are_replaced_before_anything_is_made_of_them(tmp_path: Path) -> None:
    source = tmp_path / "mail.md"
    source.write_text(
        "# The Aldern office\n\nThe Aldern office is a post office that serves the harbour of Aldern. Questions go to "
        "maria.holt@aldern-harbour.org. The Aldern office was opened in 1874 by the town council.\n"
    )
    assert run_doceo("generate", source, "--out", tmp_path / "r", "--pairs", "2", "--redact").exit_code in (0, 3)
    for file in (tmp_path / "r").rglob("*"):
        assert not file.is_file() or b"maria.holt" not in file.read_bytes(), file
    document = read_jsonl(tmp_path / "r" / "1-documents" / "documents.jsonl", Document)[0]
    assert "[EMAIL-1]" in document.text
    assert document.id == Document.identify(document.text)


def test_a_language_that_the_built_in_teacher_cannot_read_is_said(tmp_path: Path) -> None:
    source = tmp_path / "turm.md"
    sentence = "Der Leuchtturm von Aldern ist ein Turm aus Stein, der den Eingang zum Hafen bewacht. "
    source.write_text("# Der Leuchtturm\n\n" + sentence * 3 + "Er wurde im Jahr 1874 von Maria Holt gebaut.\n")
    result = run_doceo("generate", source, "--out", tmp_path / "r", "--pairs", "5")
    assert result.exit_code == 3
    assert "English only" in result.stderr.splitlines()[-1]


def test_checks_that_need_a_model_are_refused_without_one(library: Path, tmp_path: Path) -> None:
    result = run_doceo("generate", library, "--out", tmp_path / "r", "--gates", "form,judge")
    assert result.exit_code == 2
    assert "--judge MODEL" in result.stderr


def test_questions_of_a_test_set_are_not_asked_again(library: Path, tmp_path: Path) -> None:
    assert run_doceo("generate", library, "--out", tmp_path / "a", "--pairs", "10").exit_code == 0
    tested = [pair.question for pair in pairs_of(tmp_path / "a")][:4]
    file = tmp_path / "test.jsonl"
    file.write_text("".join(json.dumps({"question": question}) + "\n" for question in tested))
    run_doceo("generate", library, "--out", tmp_path / "b", "--pairs", "10", "--against", file)
    assert not {pair.question for pair in pairs_of(tmp_path / "b")} & set(tested)
    assert ledger_of(tmp_path / "b")["rejected"]["against"] >= 1


def test_shares_in_percent_are_checked(library: Path, tmp_path: Path) -> None:
    result = run_doceo("generate", library, "--out", tmp_path / "r", "--kinds", "date=80,reason=80")
    assert result.exit_code == 2
    assert run_doceo("generate", library, "--out", tmp_path / "r", "--kinds", "date").exit_code == 2
    assert run_doceo("generate", library, "--out", tmp_path / "r", "--kinds", "recipe=5").exit_code == 2
