"""The one dial, and the sizes that have names."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from doceo.core.config import PretrainConfig
from doceo.core.errors import UsageError
from doceo.pretrain.model import llama_config, new_model
from doceo.pretrain.presets import PRESETS, preset_depth, sized


class _Tokens(SimpleNamespace):
    def __len__(self) -> int:
        return self.size


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_are_as_the_table_says(name: str) -> None:
    preset = PRESETS[name]
    config = sized(PretrainConfig(depth=preset_depth(name)))
    assert config.vocab_size == preset.vocabulary
    tokens = _Tokens(size=config.vocab_size, bos_token_id=0, eos_token_id=2, pad_token_id=3)
    shape = new_model(llama_config(config, tokens), name, device="meta")
    assert shape.num_parameters() == preset.parameters
    assert preset.parameters == pytest.approx(float(name[:-1]) * 1e6, rel=0.1)
    assert shape.config.hidden_size == 64 * preset.depth


def test_what_is_given_stays_and_the_rest_follows_from_the_depth() -> None:
    assert sized(PretrainConfig()).seconds == 60
    deep = sized(PretrainConfig(depth=4))
    assert (deep.vocab_size, deep.batch_tokens, deep.seconds) == (8192, 4096, 3600)
    # Given is given, also where it is the default of a shallow model.
    given = sized(PretrainConfig(depth=4, vocab_size=2048, batch_tokens=512, seconds=60.0))
    assert (given.vocab_size, given.batch_tokens, given.seconds) == (2048, 512, 60)


def test_a_shape_from_elsewhere_gets_an_hour_and_steps_to_match() -> None:
    other = sized(PretrainConfig(), other_shape=True)
    assert (other.batch_tokens, other.seconds) == (4096, 3600)
    assert sized(PretrainConfig(seconds=5), other_shape=True).seconds == 5


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="'7b'") as refused:
        preset_depth("7b")
    assert "125m (depth 12" in refused.value.hint
