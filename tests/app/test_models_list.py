"""Bases and adapters in folders, those of one base together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from doceo.app.models_list import list_models
from doceo.cli.main import app
from doceo.core.errors import InputError


def weights(folder: Path, name: str, *shapes: tuple[int, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({f"w{n}": np.zeros(shape, np.float32) for n, shape in enumerate(shapes)}, folder / name)


def base(folder: Path) -> Path:
    weights(folder, "model.safetensors", (10, 4), (6,))
    (folder / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    return folder


def adapter(folder: Path, on: str, **made: object) -> Path:
    weights(folder, "adapter_model.safetensors", (2, 4), (10, 2))
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": on, "r": 2}))
    if made:
        (folder / "finetuning.json").write_text(json.dumps({"base": on, **made}))
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Path:
    own = base(tmp_path / "b")
    compared = {"loss": 1.5, "base_loss": 2.5}
    forgetting = {"tokens": 9, "base_loss": 3.0, "loss": 3.25}
    adapter(tmp_path / "z", str(own), method="dora", rows=40, loss=1.0, compared=compared, forgetting=forgetting)
    adapter(tmp_path / "a", str(own))
    adapter(tmp_path / "hub", "some/model", method="lora", rows=3, loss=0.5)
    adapter(tmp_path / ".unfinished.work", str(own))
    adapter(tmp_path / "a" / "checkpoints" / "checkpoint-3", str(own))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    return tmp_path


def test_adapters_stand_behind_their_base(here: Path) -> None:
    found = list_models([here])
    assert [(model.kind, Path(model.path).name) for model in found] == [
        ("base", "b"),
        ("adapter", "a"),
        ("adapter", "z"),
        ("adapter", "hub"),
    ]
    own, plain, tuned, hub = found
    assert (own.parameters, own.architecture) == (46, "LlamaForCausalLM")
    assert (plain.trainable, plain.rank, plain.rows, plain.loss) == (28, 2, None, None)
    assert (tuned.method, tuned.rows, tuned.base_loss, tuned.held_out_loss) == ("dora", 40, 2.5, 1.5)
    assert tuned.forgetting == 0.25
    assert hub.base == "some/model"


@pytest.mark.parametrize("header", ["[]", '{"w": {}}', '{"w": 1}', "{"])
def test_weights_that_are_broken_are_listed_without_a_number(here: Path, header: str) -> None:
    (here / "b" / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header.encode())
    assert list_models([here])[0].parameters is None


def test_the_model_that_ships_is_listed_with_its_adapters() -> None:
    adapter(Path("runs/a/5-adapter"), "doceo-5m")
    shipped, tuned = list_models([])
    assert (shipped.path, shipped.kind, shipped.base) == ("doceo-5m", "base", "")
    assert shipped.parameters is not None
    assert 5e6 < shipped.parameters < 6e6
    assert (tuned.path, tuned.base) == ("runs/a/5-adapter", "doceo-5m")


def test_a_damaged_file_is_no_reason_to_stop(here: Path) -> None:
    (here / "a" / "adapter_model.safetensors").write_bytes(b"\xff" * 20)
    (here / "z" / "finetuning.json").write_text("{")
    assert [model.trainable for model in list_models([here])][1] is None


def test_the_verb(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(app, ["models", str(here)], prog_name="doceo")
    assert shown.exit_code == 0
    assert f"on {here / 'b'}" in shown.stdout
    as_json = CliRunner().invoke(app, ["models", str(here), "--json"], prog_name="doceo")
    assert len(json.loads(as_json.stdout)["models"]) == 4
    (here / "empty").mkdir()
    assert "No models here yet" in CliRunner().invoke(app, ["models", str(here / "empty")], prog_name="doceo").stdout
    with pytest.raises(InputError, match="no folder"):
        list_models([here / "nowhere"])
