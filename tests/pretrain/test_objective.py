"""The cheap loss is the loss: same value and gradients as the plain one, for every kind of model."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from doceo.pretrain import objective as module
from doceo.pretrain.objective import IGNORED, WRITTEN_OUT, Objective, write_attention_out

SIZES: dict[str, dict[str, Any]] = {
    "llama": {"num_key_value_heads": 2, "intermediate_size": 96},
    "llama-untied": {"num_key_value_heads": 4, "intermediate_size": 96, "tie_word_embeddings": False},
    "gpt2": {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
    "gpt_neox": {"intermediate_size": 96},
    "gemma2": {"num_key_value_heads": 2, "intermediate_size": 96, "head_dim": 16, "final_logit_softcapping": 1.0},
}


def model_of(name: str) -> PreTrainedModel:
    torch.manual_seed(0)
    shape = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64}
    config = AutoConfig.for_model(
        name.partition("-")[0], vocab_size=700, **shape, **SIZES[name], bos_token_id=0, eos_token_id=2, pad_token_id=3
    )
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        # Larger weights than at the start of a training: a wrong scale must show.
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    return model.train()


def plain(model: PreTrainedModel, windows: torch.Tensor, *, half: bool) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = model(input_ids=windows[:, :-1], use_cache=False).logits
    return functional.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())


def gradients(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    found = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
    model.zero_grad()
    return found


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("half", [False, True], ids=["fp32", "bf16"])
def test_loss_and_gradients_are_the_plain_ones(name: str, half: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 24)
    model = model_of(name)
    windows = torch.randint(4, 700, (3, 33))
    wanted = plain(model, windows, half=half)
    wanted.backward()
    right = gradients(model)
    loss = Objective(model, half=half).mean(windows)
    (loss * 2).backward()
    ours = gradients(model)
    assert loss.item() == pytest.approx(wanted.item(), rel=2e-2 if half else 1e-5)
    assert set(ours) == set(right)
    for key, gradient in right.items():
        apart = (ours[key] / 2 - gradient).norm() / gradient.norm().clamp(min=1e-6)
        assert apart < (0.1 if half else 1e-4), key


def test_a_head_that_does_more_than_multiply_is_left_alone() -> None:
    assert not Objective(model_of("gemma2"), half=False)._chunked
    assert Objective(model_of("llama"), half=False)._chunked
    assert Objective(model_of("llama-untied"), half=False)._chunked


@pytest.mark.parametrize("name", ["llama", "gemma2"])
def test_total_leaves_out_what_is_ignored(name: str) -> None:
    model = model_of(name).eval()
    inputs, targets = torch.randint(4, 700, (2, 20)), torch.randint(4, 700, (2, 20))
    targets[1, 7:] = IGNORED
    logits = model(input_ids=inputs, use_cache=False).logits
    each = functional.cross_entropy(logits.flatten(0, 1), targets.clamp(min=0).flatten(), reduction="none").view(2, 20)
    wanted = (each[0].sum() + each[1, :7].sum()).item()
    assert Objective(model, half=False).total(inputs, targets) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", ["llama", "llama-untied"])
def test_written_out_attention_sees_what_stands_before_and_nothing_else(name: str) -> None:
    model = model_of(name).eval()
    inputs = torch.randint(4, 700, (2, 40))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        usual = model(input_ids=inputs, use_cache=False).logits.float()
        write_attention_out(model)
        assert model.config._attn_implementation == WRITTEN_OUT
        ours = model(input_ids=inputs, use_cache=False).logits.float()
        assert (ours - usual).norm() / usual.norm() < 0.02
        changed = inputs.clone()
        changed[:, 25:] = 5
        other = model(input_ids=changed, use_cache=False).logits.float()
    assert torch.equal(other[:, :25], ours[:, :25])
    assert not torch.equal(other[:, 25:], ours[:, 25:])


def test_written_out_attention_leaves_padding_and_generation_to_the_usual_one() -> None:
    model = model_of("llama").eval()
    inputs = torch.randint(4, 700, (2, 12))
    mask = torch.ones_like(inputs)
    mask[0, :5] = 0
    settings = {"max_new_tokens": 8, "do_sample": False, "attention_mask": mask, "pad_token_id": 3}
    usual = model.generate(inputs, **settings)
    write_attention_out(model)
    assert torch.equal(model.generate(inputs, **settings), usual)


@pytest.mark.slow
def test_the_compiled_loss_is_the_plain_one() -> None:
    model = model_of("llama")
    windows = torch.randint(4, 700, (3, 33))
    plain(model, windows, half=True).backward()
    right = gradients(model)
    loss = Objective(model, half=True, compiled=True).mean(windows)
    loss.backward()
    assert loss.item() == pytest.approx(plain(model, windows, half=True).item(), rel=2e-2)
    for key, gradient in gradients(model).items():
        assert (gradient - right[key]).norm() / right[key].norm().clamp(min=1e-6) < 0.1, key
