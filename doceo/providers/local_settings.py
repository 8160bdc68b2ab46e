"""How a local model generates: where an answer ends, which tokens it may hold, how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import GenerationConfig

    from doceo.providers.local_weights import SharedWeights


def ends(weights: SharedWeights) -> set[int]:
    """Return the tokens that end an answer: the generation config's, the tokenizer's and the chat template's."""
    named = weights.model.generation_config.eos_token_id
    more = named if isinstance(named, list) else [named]
    return {*more, weights.tokenizer.eos_token_id, weights.end} - {None}


def settings(
    weights: SharedWeights, new: int, *, temperature: float = 0.0, top_p: float = 1.0, stop: Sequence[str] = ()
) -> GenerationConfig:
    """Return settings of our own: a model's shipped ones may sample, which greedy answers must not.

    Args:
        weights: The model.
        new: Most tokens.
        temperature: 0 takes the likeliest token each time.
        top_p: As `doceo.providers.local_draw`.
        stop: Marks that end the answer.
    """
    from transformers import GenerationConfig

    ending = ends(weights)
    # no answer holds marks such as the beginning of a turn, which decode to nothing
    marks = sorted(set(weights.tokenizer.all_special_ids) - ending) or None
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": top_p}
    return GenerationConfig(
        max_new_tokens=new,
        eos_token_id=sorted(ending),
        pad_token_id=weights.tokenizer.pad_token_id,
        suppress_tokens=marks,
        stop_strings=list(stop) or None,
        **(sampling if temperature > 0 else {"do_sample": False}),
    )
