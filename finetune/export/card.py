"""The README of an export: what it is, whether it is the trained model, how to use it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data.jsonl import write_text
from finetune.export.parity import Parity

CARD = "README.md"


def write_card(folder: Path, name: str, base: str, parity: Parity, commands: Sequence[str]) -> None:
    """Write README.md.

    Args:
        folder: Where.
        name: What the model is called.
        base: The base model, by name or folder.
        parity: How it compares.
        commands: Lines that use it.

    Raises StorageError.
    """
    lines = [f"# {name}", "", verdict(parity), "", f"- Form: {parity.form}", f"- Base model: {base}"]
    lines += [f"- Compared with: {parity.reference}"] * bool(parity.reference)
    lines += [f"- Run in: {parity.checked_with}"] * bool(parity.checked_with)
    lines += [f"- Note: {parity.note}"] * bool(parity.note)
    lines += ["", *_table(parity), "", "## Use", "", "```sh", *commands, "```", ""]
    write_text(folder / CARD, "\n".join(lines))


def verdict(parity: Parity) -> str:
    """Return in one paragraph whether the export is the trained model."""
    if parity.passed is None:
        return "**Not compared.** Whether this is the trained model was not checked."
    if parity.passed:
        return "Compared with the trained model: the same, within what is allowed."
    what = "; ".join(parity.problems)
    if parity.warns:
        return f"**Warning: less exact than it should be.** {what}. A finer number format keeps more: f16, or f32."
    return f"**FAILED: this is not the model that was trained; do not use it.** {what}."


def _table(parity: Parity) -> list[str]:
    if parity.passed is None:
        return []
    limit = parity.tolerance
    least = "all" if limit.equal_answers else "any number"
    rows = [
        ("", "found", "allowed"),
        ("---", "---", "---"),
        ("token ids of prompts equal", _yes(parity.token_ids_equal), "yes"),
        ("answers end at the same marks", _yes(parity.ends_equal), "yes"),
        (f"likeliest token equal, of {parity.positions - parity.ties}", f"{parity.top1_agreement or 0:.2%}",
         f"{limit.top1_agreement:.0%} or more"),
        ("loss, nats a token", f"{parity.loss:.4f}", f"trained model: {parity.loss_reference:.4f}"),
        ("rise of the loss", f"{parity.loss_rise or 0:+.3%}", f"{limit.loss_rise:.1%} or less"),
        ("greedy answers equal", f"{parity.answers_equal} of {parity.answers}", least),
    ]  # fmt: skip
    if parity.logits_max_difference is not None:
        rows.append(("largest difference of a logit", f"{parity.logits_max_difference:.1e}", ""))
    return [f"| {' | '.join(row)} |" for row in rows]


def _yes(value: bool | None) -> str:
    return "yes" if value else "**no**"
