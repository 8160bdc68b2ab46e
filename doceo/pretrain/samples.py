"""What a model writes while it is trained: the same prompts and the same chance each time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from doceo.core.config import TrainingConfig
from doceo.core.errors import InputError
from doceo.pretrain.shards import borders
from doceo.pretrain.validation import Validation
from doceo.providers.hf_models import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

OPENINGS, WORDS = 2, 5
"""Held-out texts that samples continue, and about how many words of each are given."""


def read_prompts(file: Path) -> list[str]:
    """Return the prompts of a file, one a line; a blank line is one without words. Raises InputError."""
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}.", hint="--prompts names a text file in UTF-8.") from error


def prompts_of(
    training: TrainingConfig, validation: Validation, tokenizer: PreTrainedTokenizerBase
) -> list[tuple[str, list[int]]]:
    """Return (text, tokens) of the prompts: those of the file, or nothing and the first words of held-out texts."""
    begin, end = borders(tokenizer)
    first = [*begin, end][0]
    if training.prompts:
        texts = read_prompts(Path(training.prompts).expanduser())
    else:
        found = (tokenizer.decode(ids.tolist()) for ids in validation.openings(OPENINGS, WORDS))
        # The last word may have been cut.
        texts = ["", *(" ".join(text.split()[:-1][:WORDS]) for text in found)]
    return [(text, [first, *tokenizer.encode(text, add_special_tokens=False)]) for text in texts]


def sample(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[tuple[str, list[int]]],
    training: TrainingConfig,
    *,
    context: int,
    seed: int,
) -> list[dict[str, str]]:
    """Return {"prompt", "text"} of a continuation of every prompt; the model's own chance is left as it was."""
    from transformers import GenerationConfig

    chance: dict[str, Any] = {"do_sample": False}
    if training.temperature:
        chance = {"do_sample": True, "temperature": training.temperature, "top_k": training.top_k}
        chance["top_p"] = training.top_p
    settings = GenerationConfig(
        **chance, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id
    )
    was_training = model.training
    model.eval()
    written = []
    for text, ids in prompts:
        given = torch.tensor([ids[: context - 1]], device=model.device)
        room = min(training.sample_tokens, context - given.shape[1])
        with quiet(), torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed)
            out = model.generate(
                given, attention_mask=torch.ones_like(given), generation_config=settings, max_new_tokens=room
            )
        written.append({"prompt": text, "text": tokenizer.decode(out[0, given.shape[1] :], skip_special_tokens=True)})
    model.train(was_training)
    return written
