"""From the one dial, depth, to what follows from it; some depths have names."""

from __future__ import annotations

from typing import NamedTuple

from doceo.core.config import PretrainConfig
from doceo.core.errors import UsageError


class Preset(NamedTuple):
    """A depth, the vocabulary that follows from it, and the parameters of both."""

    depth: int
    vocabulary: int
    parameters: int


PRESETS = {
    "1m": Preset(2, 4096, 950_912),
    "5m": Preset(4, 8192, 5_310_720),
    "15m": Preset(6, 8192, 13_767_552),
    "30m": Preset(8, 8192, 29_893_120),
    "60m": Preset(10, 16384, 60_060_800),
    "125m": Preset(12, 49152, 122_702_592),
}
"""The named sizes, smallest first. Width is 64 x depth, and there are as many heads as layers."""
_VOCABULARIES = ((8, 8192), (10, 16384), (24, 49152))
"""Depth up to which a vocabulary is that large: its matrix should not outweigh the layers, nor starve them."""
_BATCHES = ((4, 4096), (6, 8192), (8, 16384), (24, 32768))
"""Depth up to which an optimizer step has so many tokens."""
SHALLOW, LONG = 2, 3600.0
"""Up to this depth the config's defaults hold; a deeper model trains so many seconds unless told otherwise."""
OTHER = 4
"""Depth whose steps and time a model gets that has its shape from elsewhere."""


def preset_depth(name: str) -> int:
    """Return the depth of a named size. Raises UsageError naming those there are."""
    if name not in PRESETS:
        raise UsageError(f"There is no preset {name!r}.", hint=f"There are {described()}; or give --depth.")
    return PRESETS[name].depth


def described() -> str:
    """Return names, depths and parameters in words."""
    return ", ".join(f"{name} (depth {p.depth}, {p.parameters / 1e6:.1f}M parameters)" for name, p in PRESETS.items())


def sized(config: PretrainConfig, *, other_shape: bool = False) -> PretrainConfig:
    """Return the config with what nobody set following from the depth: vocabulary, tokens of a step, time.

    Args:
        config: What somebody set.
        other_shape: The shape is a config file's or another model's, which the depth says nothing of.
    """
    depth = OTHER if other_shape else config.depth
    if depth <= SHALLOW:
        return config
    follows = {
        "vocab_size": _up_to(_VOCABULARIES, depth),
        "batch_tokens": _up_to(_BATCHES, depth),
        "seconds": LONG,
    }
    return config.model_copy(update={k: v for k, v in follows.items() if k not in config.model_fields_set})


def _up_to(table: tuple[tuple[int, int], ...], depth: int) -> int:
    return next(value for most, value in table if depth <= most)
