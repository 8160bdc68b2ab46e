"""The model card: what a model was made from and how, how well it does, and what not to expect of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from doceo.core.records import Record
from doceo.pretrain.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

SMALL = 100e6
"""Parameters below which a card says what so small a model cannot do."""


class Pretrained(Record):
    """What pretraining made. `loss` is in nats a token, over the last tenth of the training steps."""

    parameters: int
    vocabulary: int
    tokens: int
    steps: int
    seconds: float
    loss: float
    bits_per_byte: float | None


class Origin(Record):
    """What a model was made from: {file: SHA-256} of the texts, and the model that it continues, if any."""

    texts: Mapping[str, str]
    train_tokens: int
    train_bytes: int
    held_out_bytes: int
    further: str = ""


def card(
    name: str,
    result: Pretrained,
    origin: Origin,
    recipe: Recipe,
    config: PreTrainedConfig,
    samples: Sequence[Mapping[str, str]],
) -> str:
    """Return the text of README.md."""
    held_out = f"{result.bits_per_byte:.4f}" if result.bits_per_byte is not None else "not measured"
    passes = result.tokens / max(1, origin.train_tokens)
    rows = [
        ("architecture", f"{config.model_type}, {result.parameters / 1e6:.2f}M parameters"),
        ("vocabulary", f"{result.vocabulary:,} tokens"),
        ("context", f"{recipe.context:,} tokens"),
        ("bits per byte of held-out text", held_out),
        ("training loss", f"{result.loss:.4f} nats per token"),
        (
            "trained on",
            f"{result.tokens:,} tokens in {result.steps:,} steps, {passes:.2f} times the text",
        ),
        ("text", f"{origin.train_bytes:,} bytes; {origin.held_out_bytes:,} more are held out"),
        ("time", f"{result.seconds / 60:.1f} min"),
    ]
    return "\n".join(
        [
            "---\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n",
            f"# {name}\n",
            "A language model trained by `doceo pretrain`. It continues text; it was not taught to answer.\n",
            _table("result", rows),
            "![Training loss and bits per byte](curve.svg)\n",
            "## Recipe\n",
            _table("what", _how(recipe, origin)),
            "## Data\n",
            _table("text", [(f"`{file}`", f"SHA-256 `{digest}`") for file, digest in sorted(origin.texts.items())]),
            "## What it writes\n",
            *(_quoted(sample) for sample in samples),
            "## Limits\n",
            _limits(result),
        ]
    )


def _how(recipe: Recipe, origin: Origin) -> list[tuple[str, str]]:
    return [
        ("continues", origin.further or "nothing: random weights"),
        ("optimizer", _optimizer(recipe)),
        ("learning rate", f"{recipe.rate:g} at the peak, cosine, warm-up over {recipe.warmup:.0%} of the run"),
        ("step", " or ".join(_steps(recipe))),
        ("weight decay, clipping", f"{recipe.weight_decay:g}, {recipe.clip:g}"),
        ("budget", f"{recipe.max_steps:,} steps" if recipe.max_steps else f"{recipe.seconds:g} s"),
        ("seed", str(recipe.seed)),
    ]


def _steps(recipe: Recipe) -> list[str]:
    return [f"{recipe.rows(n)} windows of {n:,} tokens" for n in sorted(set(recipe.lengths))]


def _optimizer(recipe: Recipe) -> str:
    return "AdamW" if recipe.optimizer == "adamw" else f"Muon for matrices, AdamW ({recipe.other_rate:g}) for the rest"


def _table(head: str, rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join([f"| {head} | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows), ""])


def _quoted(sample: Mapping[str, str]) -> str:
    lines = f"**{sample['prompt']}**{sample['text']}" if sample["prompt"] else sample["text"]
    return "\n".join(f"> {line}" for line in lines.splitlines() or [""]) + "\n"


def _limits(result: Pretrained) -> str:
    said = "It knows only its text, repeats what that holds, right or wrong, and has had no safety training."
    if result.parameters >= SMALL:
        return said + "\n"
    return (
        f"{said} At {result.parameters / 1e6:.1f}M parameters it writes in the manner of its text but reasons about "
        "nothing; what it says as fact is to be checked. Fine-tune it (`doceo finetune --base`) before asking it.\n"
    )
