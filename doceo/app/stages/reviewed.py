"""Stage 3 after a person has looked at the pairs: what was dropped is rejected, dataset and card follow."""

from __future__ import annotations

import shutil
from pathlib import Path

from data import manifest as manifests
from data.jsonl import storage_error, write_json, write_jsonl, write_text
from data.review import REVIEW, Decision, Review, read_review
from data.store import CHUNKS, DATASET, PAIRS, Run, swap
from doceo.app.stages.documents import load_ingested
from doceo.app.stages.imported import remake_dataset
from doceo.app.stages.pairs import Made, held_out, load_pairs, rejected_of, split_of
from doceo.core.config import DatasetConfig
from doceo.core.errors import InputError
from generator.card import CardFacts, recount
from generator.coverage import coverage
from generator.review import Reviewed, apply_review

RATED = "A person looked at "


def review_run(run: Run, file: Path) -> Reviewed:
    """Apply the decisions of a file to a run, and keep them as its `review.json` beside those made before.

    Raises:
        InputError: The file is no review, none of its pairs is of this run, or the written questions that the
            dataset was made with are gone.
        StageMissing: The run has no pairs.
    """
    review = read_review(file)
    made, rejected = load_pairs(run), rejected_of(run)
    done = apply_review(made.pairs, rejected, made.ledger, review.decisions)
    if review.decisions and len(done.unknown) == len(review.decisions):
        raise InputError(
            f"{file} decides on no pair of {run.path}"
            + (f"; it was made for the run {review.run}." if review.run and review.run != run.name else "."),
            hint="Save it again on the page that `doceo report` makes of this run.",
        )
    recipe = _recipe(run) if run.has(DATASET) else None
    kept = review.over(read_review(run.path / REVIEW)) if (run.path / REVIEW).is_file() else review
    # Kept first: a process that dies now leaves decisions that can be applied again.
    write_json(run.path / REVIEW, kept.model_copy(update={"run": run.name}).model_dump())
    _rewrite(run, done, kept)
    if recipe:
        remake_dataset(run, Made(done.pairs, done.ledger), *recipe)
    return done


def _rewrite(run: Run, done: Reviewed, kept: Review) -> None:
    """Write the stage anew with its own manifest: it still is what its config and inputs make, and a review."""
    folder = run.path / PAIRS
    made = manifests.read(folder)
    assert made is not None
    work = folder.with_name(f".{PAIRS}.work")
    shutil.rmtree(work, ignore_errors=True)
    try:
        shutil.copytree(folder, work, ignore=shutil.ignore_patterns(manifests.NAME))
    except OSError as error:
        raise storage_error(error, work) from error
    _fill(run, work, done, kept.decisions)
    manifests.write(work, made)
    swap(work, folder)


def _fill(run: Run, work: Path, done: Reviewed, decisions: tuple[Decision, ...]) -> None:
    ingested = load_ingested(run) if run.has(CHUNKS) else None
    touched = coverage(ingested.documents, ingested.chunks, done.pairs) if ingested else coverage([], [], [])
    ids = {pair.id for pair in done.pairs}
    sets = {"pairs.jsonl": len(done.pairs)}
    if ingested:
        unseen = held_out(ingested, split_of(run))
        sets["of these from kept-out text"] = sum(bool(unseen.intersection(pair.chunk_ids)) for pair in done.pairs)
    keeps = sum(decision.decision == "keep" and decision.pair_id in ids for decision in decisions)
    drops = done.ledger.rejected.get("review", 0)
    facts = CardFacts(
        name=run.name,
        pairs=done.pairs,
        ledger=done.ledger,
        coverage=touched,
        rejected=done.rejected,
        sets=sets,
        rated_by=f"{RATED}{keeps + drops:,} pairs on the report's page, kept {keeps:,} and dropped {drops:,}.",
    )
    write_jsonl(work / "pairs.jsonl", done.pairs)
    write_jsonl(work / "rejected.jsonl", done.rejected)
    write_json(work / "ledger.json", done.ledger.model_dump())
    write_json(work / "coverage.json", touched)
    for name in ("card.md", "README.md"):
        if (work / name).is_file():
            write_text(work / name, recount((work / name).read_text(encoding="utf-8"), facts))


def _recipe(run: Run) -> tuple[Path | None, DatasetConfig]:
    """Return the written questions and the config that a run's dataset was made from."""
    made = manifests.read(run.path / DATASET)
    assert made is not None
    config = DatasetConfig.model_validate(made.config[DatasetConfig.__name__])
    others = [name for name in made.inputs if not name.startswith((f"{PAIRS}/", f"{CHUNKS}/"))]
    if not others:
        return None, config
    inside = run.path / others[0]
    questions = inside if inside.is_file() else Path(others[0])
    if not questions.is_file():
        raise InputError(
            f"The dataset of {run.path} was made with the questions in {others[0]}, and they are gone.",
            hint="Put the file back, or make the dataset again: doceo generate --questions FILE --out "
            f"{run.path}. Then apply the review.",
        )
    return questions, config
