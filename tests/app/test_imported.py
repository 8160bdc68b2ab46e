"""Pairs from a file, and pairs after a review: report, export and dataset go on from there."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from data.jsonl import read_json, read_jsonl, write_json, write_jsonl
from data.manifest import read as read_manifest
from data.store import CHUNKS, DATASET, DOCUMENTS, PAIRS, Run
from doceo.app.stages.exported import export_pairs
from doceo.app.stages.imported import import_file, remake_dataset
from doceo.app.stages.pairs import load_pairs
from doceo.app.stages.report import make_report
from doceo.app.stages.reviewed import review_run
from doceo.core.config import ChunkConfig, DatasetConfig, GenerateConfig, ReadConfig
from doceo.core.errors import InputError, RunError, UsageError
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Evidence, Ledger, Message, Pair, Rejected, Span

FACTS = [f"The {name} weighs {n} grams." for n, name in enumerate(("heron", "mill", "bridge", "ferry", "lamp"), 2)]
TEXT = "\n\n".join(FACTS)
DOCUMENT = Document(
    id=Document.identify(TEXT), source="a/facts.md", media_type="text/plain", title="F", text=TEXT, sha256=""
)  # fmt: skip
ROWS = [{"instruction": f"What is number {n}?", "output": f"It is {n}."} for n in range(30)]


def chunk(fact: str) -> Chunk:
    start = TEXT.index(fact)
    span = Span(document_id=DOCUMENT.id, start=start, end=start + len(fact))
    return Chunk(
        id=Chunk.identify(span), document_id=DOCUMENT.id, span=span, text=fact, tokens=9, text_sha256=sha256(fact)
    )


def pair(fact: str) -> Pair:
    place = chunk(fact)
    evidence = (Evidence(span=place.span, quote=fact),)
    question = f"What is known of this: {fact[4:9]}?"
    return Pair(
        id=Pair.identify(question, fact, evidence), question=question, answer=fact, evidence=evidence,
        chunk_ids=(place.id,), teacher="extractive",
    )  # fmt: skip


def documents(run: Run) -> None:
    with run.stage(DOCUMENTS, config=[ReadConfig()]).making() as work:
        write_jsonl(work / "documents.jsonl", [DOCUMENT])
        write_jsonl(work / "skipped.jsonl", [])
    with run.stage(CHUNKS, config=[ChunkConfig()]).making() as work:
        write_jsonl(work / "chunks.jsonl", [chunk(fact) for fact in FACTS])


@pytest.fixture
def made(tmp_path: Path) -> Run:
    """A run whose pairs were generated."""
    run = Run(tmp_path / "made")
    documents(run)
    pairs = [pair(fact) for fact in FACTS]
    with run.stage(PAIRS, config=[GenerateConfig(unseen_share=0)], prompts={"teacher": "extractive"}).making() as work:
        write_jsonl(work / "pairs.jsonl", pairs)
        write_jsonl(work / "rejected.jsonl", [])
        write_json(work / "ledger.json", Ledger(requested=5, asked=5, accepted=5).model_dump())
        write_json(work / "coverage.json", {})
        (work / "card.md").write_text("---\nx: y\n---\n\n# Dataset\n\n## Cost\n\nIt cost 3 USD.\n", encoding="utf-8")
    return run


def rows(run: Run, name: str = "train") -> list[dict[str, object]]:
    return [json.loads(line) for line in (run.path / DATASET / f"{name}.jsonl").read_text("utf-8").splitlines()]


def test_anybodys_file_becomes_a_run(tmp_path: Path) -> None:
    file, run = tmp_path / "alpaca.json", Run(tmp_path / "run")
    file.write_text(json.dumps([*ROWS, ROWS[3]]), encoding="utf-8")
    done = import_file(run, file, "", DatasetConfig(validation_share=0.1))
    assert (done.format, done.unchanged, len(done.made.pairs)) == ("alpaca", False, 30)
    assert done.made.ledger == Ledger(requested=31, asked=31, accepted=30, rejected={"exact": 1})
    assert len(read_jsonl(run.path / PAIRS / "rejected.jsonl", Rejected)) == 1
    assert all(not p.evidence and p.teacher == "imported" for p in done.made.pairs)
    assert len(rows(run)) + len(rows(run, "validation")) == 30
    assert rows(run, "validation")
    assert not rows(run, "taught") + rows(run, "unseen")
    assert {row["metadata"]["pair_id"] for row in rows(run)} == {None}  # type: ignore[index]
    card = (run.path / PAIRS / "card.md").read_text("utf-8")
    assert "30 question and answer pairs of 31 requested, imported from a file." in card
    assert "0 of 30 accepted answerable pairs carry words of a document; 30 came without" in card
    assert "| imported from | `alpaca.json` |" in card
    assert make_report(run).is_file()
    assert export_pairs(run, "openai", "train", tmp_path / "out.jsonl", 0).rows == 30
    again = import_file(run, file, "", DatasetConfig(validation_share=0.1))
    assert again.unchanged


def test_an_export_comes_back_with_its_evidence(made: Run, tmp_path: Path) -> None:
    remake_dataset(made, load_pairs(made), None, DatasetConfig())
    exported = export_pairs(made, "csv", "all", tmp_path / "out.csv", 0)
    assert exported.rows == 5
    alone = import_file(Run(tmp_path / "alone"), tmp_path / "out.csv", "", DatasetConfig())
    assert sorted(alone.made.pairs, key=str) == sorted(load_pairs(made).pairs, key=str)
    card = (tmp_path / "alone" / PAIRS / "card.md").read_text("utf-8")
    assert "5 of 5 accepted answerable pairs carry words of a document. The run has no documents to check" in card


def test_evidence_that_does_not_stand_in_the_runs_documents_is_refused(tmp_path: Path) -> None:
    right, other = pair(FACTS[0]), pair(FACTS[1])
    wrong = other.model_copy(update={"evidence": (other.evidence[0].model_copy(update={"quote": "The mill"}),)})
    moved = pair(FACTS[2]).model_copy(update={"chunk_ids": ("c_elsewhere",)})
    write_jsonl(tmp_path / "pairs.jsonl", [right, wrong, moved])
    run = Run(tmp_path / "run")
    documents(run)
    done = import_file(run, tmp_path / "pairs.jsonl", "", DatasetConfig())
    assert done.made.ledger.rejected == {"span_mismatch": 1}
    assert [p.chunk_ids for p in done.made.pairs] == [right.chunk_ids, (chunk(FACTS[2]).id,)]
    assert read_json(run.path / PAIRS / "coverage.json")["sentences"] == 0.4  # type: ignore[index]
    assert {row["metadata"]["pair_id"] for row in rows(run)} <= {right.id, moved.id}  # type: ignore[index]


def test_same_question_after_other_turns_is_another_pair(tmp_path: Path) -> None:
    turns = [[{"role": "user", "content": x}, {"role": "assistant", "content": "ok"}] for x in "ab"]
    last = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    write_jsonl(tmp_path / "chat.jsonl", [{"messages": before + last} for before in [*turns, turns[1]]])
    done = import_file(Run(tmp_path / "run"), tmp_path / "chat.jsonl", "", DatasetConfig())
    assert len({p.id for p in done.made.pairs}) == 2
    assert done.made.pairs[1].history[0] == Message(role="user", content="b")
    assert done.made.ledger.rejected == {"exact": 1}


def test_generated_pairs_are_not_replaced_by_a_file(made: Run, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(ROWS))
    with pytest.raises(RunError, match="pairs that were generated"):
        import_file(made, tmp_path / "x.json", "", DatasetConfig())
    with pytest.raises(InputError, match="cannot be read"):
        import_file(Run(tmp_path / "new"), tmp_path / "nothing.json", "", DatasetConfig())
    assert not (tmp_path / "new").exists()
    with pytest.raises(UsageError, match="no format"):
        import_file(Run(tmp_path / "new"), tmp_path / "x.json", "alpacca", DatasetConfig())
    import_file(Run(tmp_path / "new"), tmp_path / "x.json", "", DatasetConfig())
    with pytest.raises(InputError, match="passages"):
        export_pairs(Run(tmp_path / "new"), "beir", "train", tmp_path / "beir", 0)


def test_a_review_drops_pairs_and_everything_follows(made: Run, tmp_path: Path) -> None:
    remake_dataset(made, load_pairs(made), None, DatasetConfig(validation_share=0))
    pairs = load_pairs(made).pairs
    stage = read_manifest(made.path / PAIRS)
    file = tmp_path / "review.json"
    decisions = [
        {"pair_id": pairs[0].id, "decision": "drop", "note": "dull"},
        {"pair_id": pairs[1].id, "decision": "keep"},
    ]
    write_json(file, {"run": "made", "decisions": [*decisions, {"pair_id": "p_gone", "decision": "drop"}]})
    done = review_run(made, file)
    assert (done.kept, done.dropped, done.unknown) == (1, 1, ("p_gone",))
    left = load_pairs(made)
    assert left.pairs == pairs[1:]
    assert left.ledger == Ledger(requested=5, asked=5, accepted=4, rejected={"review": 1})
    (dropped,) = read_jsonl(made.path / PAIRS / "rejected.jsonl", Rejected)
    assert (dropped.pair, dropped.verdict.detail) == (pairs[0], "dull")
    assert read_manifest(made.path / PAIRS) == stage
    assert read_json(made.path / PAIRS / "coverage.json")["sentences"] == 0.8  # type: ignore[index]
    assert {row["metadata"]["pair_id"] for row in rows(made)} == {p.id for p in pairs[1:]}  # type: ignore[index]
    card = (made.path / PAIRS / "card.md").read_text("utf-8")
    assert "A person looked at 2 pairs on the report's page, kept 1 and dropped 1." in card
    assert "It cost 3 USD." in card

    write_json(file, {"run": "made", "decisions": [{"pair_id": pairs[0].id, "decision": "keep"}]})
    assert review_run(made, file).restored == 1
    assert load_pairs(made).ledger == Ledger(requested=5, asked=5, accepted=5)
    stored = read_json(made.path / "review.json")
    assert {d["pair_id"]: d["decision"] for d in stored["decisions"]} == {  # type: ignore[index]
        pairs[0].id: "keep", pairs[1].id: "keep", "p_gone": "drop"
    }  # fmt: skip


def test_a_review_of_another_run_changes_nothing(made: Run, tmp_path: Path) -> None:
    before = {p.name: p.read_bytes() for p in (made.path / PAIRS).iterdir()}
    write_json(tmp_path / "r.json", {"run": "other", "decisions": [{"pair_id": "p_x", "decision": "drop"}]})
    with pytest.raises(InputError, match="made for the run other"):
        review_run(made, tmp_path / "r.json")
    assert before == {p.name: p.read_bytes() for p in (made.path / PAIRS).iterdir()}
    assert not (made.path / "review.json").exists()


def test_quiz_and_cards_name_the_documents(made: Run, tmp_path: Path) -> None:
    remake_dataset(made, load_pairs(made), None, DatasetConfig())
    for form in ("quiz", "anki"):
        done = export_pairs(made, form, "all", tmp_path / form, 3)
        assert "cannot be imported again" in done.note
        assert (tmp_path / form).read_text("utf-8").count("a/facts.md") == 5
    with pytest.raises(UsageError, match="no set"):
        export_pairs(made, "csv", "tests", tmp_path / "x.csv", 0)
    note = export_pairs(made, "openai", "all", tmp_path / "train.jsonl", 0).note
    assert str(tmp_path / "train.evidence.jsonl") in note


def test_public_formats_that_are_never_exported_are_imported(tmp_path: Path) -> None:
    dolly, tree, packed = tmp_path / "dolly.jsonl", tmp_path / "tree.json", tmp_path / "faq.csv.gz"
    dolly.write_text('{"instruction": "Who?", "context": "1843", "response": "Ada."}\n' * 2)
    said = [("1", None, "prompter", "Who?"), ("2", "1", "assistant", "Ada."), ("3", "2", "prompter", "When?")]
    said.append(("4", "3", "assistant", "In 1843."))
    names = ("message_id", "parent_id", "role", "text")
    tree.write_text(json.dumps([dict(zip(names, turn, strict=True)) for turn in said]))
    packed.write_bytes(gzip.compress(b"question,answer\nWho?,Ada.\n"))
    wanted = {
        dolly: ("dolly", "Who?\n\n1843", "Ada.", 0),
        tree: ("oasst", "When?", "In 1843.", 2),
        packed: ("question and answer", "Who?", "Ada.", 0),
    }
    for file, (form, question, answer, before) in wanted.items():
        done = import_file(Run(tmp_path / f"run-{file.stem}"), file, "", DatasetConfig())
        (pair,) = done.made.pairs
        assert (done.format, pair.question, pair.answer, len(pair.history)) == (form, question, answer, before)
        assert done.made.ledger.rejected == ({"exact": 1} if file == dolly else {})
    dolly.write_text('{"instruction": "Who?", "response": ""}\n{"instruction": "\\ud800", "response": "Ada."}\n')
    with pytest.raises(InputError, match=r"(?s)line 1, response: is empty.*line 2, instruction: holds half"):
        import_file(Run(tmp_path / "none"), dolly, "", DatasetConfig())
