"""The model card of an adapter: what it was made from and how it does."""

from __future__ import annotations

import json
from pathlib import Path

from data.jsonl import write_text
from finetune.checks import DPO
from finetune.finetuned import Finetuned
from finetune.method import FULL


def write_card(result: Finetuned, work: Path) -> None:
    """Write README.md into an adapter's folder. Equal trainings give equal bytes: no times stand in it."""
    write_text(work / "README.md", "\n".join([*_header(result), *_made(result), *_scores(result), *_use(result)]))


def _header(result: Finetuned) -> list[str]:
    whole = result.method == FULL
    return [
        "---",
        f"base_model: {json.dumps(result.base)}",
        f"library_name: {'transformers' if whole else 'peft'}",
        "pipeline_tag: text-generation",
        f"tags: [{result.objective if whole else f'lora, {result.objective}'}]",
        "---",
        "",
        f"# {'A fine-tuned model' if whole else 'An adapter'} for {Path(result.base).name}",
        "",
    ]


def _made(result: Finetuned) -> list[str]:
    kind = "every weight" if result.method == FULL else f"{result.method}, rank {result.rank}, alpha {result.alpha}"
    own = result.parameters - (0 if result.method == FULL else result.trainable)
    lines = [
        "| made from | |",
        "|---|---|",
        f"| base | {result.base} ({own:,} parameters) |",
        f"| revision of the base | {result.base_revision} |",
        f"| method | {kind}; {result.trainable:,} weights trained |",
        *(["| objective | the preferred of two answers (DPO) |"] if result.objective == DPO else []),
        f"| rows | {result.rows:,} ({result.held_out:,} more held out) |",
        *(f"| {name} | sha256 {digest} |" for name, digest in sorted(result.data.items())),
        f"| passes | {result.epochs:g} |",
        f"| steps | {result.steps:,} of {result.batch_size} rows; {result.tokens:,} tokens |",
        f"| learning rate | {result.learning_rate:g} |",
        f"| seed | {result.seed} |",
    ]
    if result.continued_from:
        lines.append(f"| started from | {result.continued_from} |")
    return [*lines, ""]


def _scores(result: Finetuned) -> list[str]:
    unit = "pair of answers" if result.objective == DPO else "token"
    lines = [f"Loss at the end of the training: {result.loss:.4f} nats a {unit}.", ""]
    if result.reward_margin is not None:
        share = f"The preferred answer gained more in {result.reward_accuracy:.1%} of the pairs"
        lines += [f"{share}, by {result.reward_margin:.3f} nats (times beta) on average.", ""]
    if compared := result.compared:
        lines += [
            f"| on {compared.rows:,} held-out rows{', preferred answers' * (result.objective == DPO)} | base | tuned |",
            "|---|---|---|",
            f"| loss (nats a token) | {compared.base_loss:.4f} | {compared.loss:.4f} |",
            f"| token accuracy | {compared.base_accuracy:.1%} | {compared.accuracy:.1%} |",
            "",
        ]
    if forgetting := result.forgetting:
        lines += [f"{forgetting} {forgetting.advice(result.rows)}", ""]
    return lines


def _use(result: Finetuned) -> list[str]:
    return [
        "The chat template that it was trained with is in this folder; use it as it is, since other words around a",
        "question give other answers.",
        "",
        "```bash",
        'doceo ask "..." --no-documents --model hf:FOLDER',
        "```",
        "",
    ]
