"""LoRA's variants, 4-bit bases and full fine-tuning, each really trained for a step or two."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from doceo.core.config import FinetuneConfig
from doceo.core.errors import MissingExtra, TrainingError
from doceo.core.progress import Silent
from doceo.providers.hf_models import open_model
from finetune.base import open_base
from finetune.lora import finetune
from finetune.scoring import score

from .conftest import FACTS, rows, write_rows

STEP = FinetuneConfig(rank=4, alpha=8, epochs=1, batch_size=3, learning_rate=1e-2)
needs_bits = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")


@pytest.fixture(scope="module")
def wide_base(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model all of whose widths are multiples of 64."""
    folder = tmp_path_factory.mktemp("wide")
    opened = open_model(str(tiny_base))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=opened.model.config.vocab_size, hidden_size=64, num_hidden_layers=1, num_attention_heads=1,
        num_key_value_heads=1, intermediate_size=128, max_position_embeddings=256, tie_word_embeddings=True,
        eos_token_id=opened.tokenizer.eos_token_id, pad_token_id=opened.tokenizer.pad_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    opened.tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("method", "scale"), [("rslora", 8 / 2), ("dora", 8 / 4)])
def test_variants_of_lora(method: str, scale: float, tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    config = FinetuneConfig.model_validate(STEP.model_dump() | {"method": method})
    made = finetune(train_file, None, str(tiny_base), config, tmp_path / "out", Silent())
    assert made.method == method
    stored = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert (stored["use_rslora"], stored["use_dora"]) == (method == "rslora", method == "dora")
    from peft import PeftModel

    model = PeftModel.from_pretrained(open_model(str(tiny_base)).model, tmp_path / "out")
    layer = model.get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
    assert layer.scaling["default"] == pytest.approx(scale)
    names = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert any("magnitude" in name for name in names) == (method == "dora")


def test_full_fine_tuning_makes_a_whole_model(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    config = FinetuneConfig(method="full", epochs=6, batch_size=3, patience=2, learning_rate=1e-2)
    made = finetune(train_file, train_file, str(tiny_base), config, tmp_path / "out", Silent())
    assert made.trainable == made.parameters
    assert made.compared is not None
    assert made.compared.loss < made.compared.base_loss
    assert not (tmp_path / "out" / "adapter_config.json").exists()
    opened = open_model(str(tmp_path / "out"))
    assert opened.model.config.use_cache
    before = open_model(str(tiny_base)).model.state_dict()
    assert not torch.equal(opened.model.state_dict()["model.norm.weight"], before["model.norm.weight"])
    assert "library_name: transformers" in (tmp_path / "out" / "README.md").read_text()


@needs_bits
def test_qlora_trains_behind_an_evaluation_as_before_it(wide_base: Path) -> None:
    """bitsandbytes reorders the weights at the first evaluation; what it multiplies with then has no gradient."""
    from peft import LoraConfig, get_peft_model

    from finetune.examples import Encoded

    opened = open_base(str(wide_base), "qlora")
    model = get_peft_model(opened.model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    ids = torch.tensor([[5, 6, 7, 8, 9, 10]])
    gradients = []
    for _ in range(2):
        model.train()
        model.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
        score(model, [Encoded([5, 6, 7], [5, 6, 7])], 0, half=False)
    assert any(gradient.abs().sum() > 0 for gradient in gradients[0].values())
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)


@needs_bits
def test_qlora_keeps_the_base_in_4_bits_and_the_adapter_in_float32(
    wide_base: Path, train_file: Path, tmp_path: Path
) -> None:
    config = FinetuneConfig.model_validate(STEP.model_dump() | {"method": "qlora"})
    made = finetune(train_file, train_file, str(wide_base), config, tmp_path / "out", Silent())
    assert made.steps == 2
    weights = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    assert all(tensor.abs().sum() > 0 for name, tensor in weights.items() if "lora_B" in name)


@needs_bits
def test_a_base_that_is_kept_in_4_bits_gets_an_adapter_only(wide_base: Path, tmp_path: Path) -> None:
    opened = open_base(str(wide_base), "qlora")
    opened.model.save_pretrained(tmp_path)
    opened.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(TrainingError, match="few bits, which cannot be trained"):
        open_base(str(tmp_path), "full")
    again = open_base(str(tmp_path)).model
    layouts = [
        vars(m)["support_avx512bf16_for_cpu"] for m in again.modules() if hasattr(m, "support_avx512bf16_for_cpu")
    ]
    assert layouts
    assert not any(layouts)


@needs_bits
def test_a_layer_that_does_not_fit_4_bits_is_named(wide_base: Path, train_file: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    opened = open_model(str(wide_base))
    config = LlamaConfig(**(opened.model.config.to_dict() | {"intermediate_size": 96}))
    LlamaForCausalLM(config).save_pretrained(odd)
    opened.tokenizer.save_pretrained(odd)
    with pytest.raises(TrainingError, match=r"mlp\.down_proj has 96 inputs") as caught:
        finetune(train_file, None, str(odd), FinetuneConfig(method="qlora"), tmp_path / "out", Silent())
    assert "--method lora" in caught.value.hint


def test_qlora_without_its_package(wide_base: Path, train_file: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("finetune.method.find_spec", lambda name: None)
        with pytest.raises(MissingExtra) as caught:
            finetune(train_file, None, str(wide_base), FinetuneConfig(method="qlora"), tmp_path / "out", Silent())
    assert caught.value.hint == 'pip install "doceo[qlora]"'


def test_packed_rows_see_only_themselves(tiny_base: Path, tmp_path: Path) -> None:
    """The loss of packed rows is that of the same rows apart."""
    from doceo.core.records import Message
    from finetune.checks import Row
    from finetune.examples import encode_rows
    from finetune.packed import settle, table
    from finetune.recipe import recipe
    from finetune.trainer import build_trainer

    made_rows = [
        Row(n, (Message(role="user", content=q), Message(role="assistant", content=a)))
        for n, (q, a) in enumerate(FACTS.items())
    ]
    losses = []
    for packing in ("off", "on"):
        opened = open_model(str(tiny_base))
        config = FinetuneConfig.model_validate(STEP.model_dump() | {"packing": packing, "batch_size": 6})
        examples = encode_rows(opened.tokenizer, made_rows, 256).rows
        made, sequences = settle(examples, recipe(config, opened)._replace(half=False))
        packed = table(examples, made)
        assert sum(map(len, packed["input_ids"])) == sum(len(row.input_ids) for row in examples)
        assert (sequences == len(packed) < 6) if made.packing else sequences == 6
        trainer = build_trainer(opened, examples, [], made, config, tmp_path, [], save_strategy="no", max_steps=1)
        trainer.train()
        losses.append(trainer.state.log_history[0]["loss"])
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)


def test_rows_of_a_conversation_file_train_packed(tiny_base: Path, tmp_path: Path) -> None:
    train = write_rows(tmp_path / "rows.jsonl", list(rows(FACTS)))
    config = FinetuneConfig.model_validate(STEP.model_dump() | {"packing": "on", "epochs": 2})
    made = finetune(train, train, str(tiny_base), config, tmp_path / "out", Silent())
    assert made.packing
    assert made.compared is not None
    assert made.compared.loss < made.compared.base_loss
