"""File, environment, flags; unknown keys with the nearest name; the Python face."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import doceo
from doceo.app.machine import GIB, Machine, suggested_base
from doceo.app.runs import collection_folder, run_at
from doceo.app.settings import Settings, example_file, load_settings
from doceo.core.errors import ConfigError, UsageError


def test_flags_beat_environment_beats_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("doceo.toml").write_text('teacher = "ollama:a"\n[generate]\npairs = 11\nseed = 1\nrounds = 2\n')
    monkeypatch.setenv("DOCEO_GENERATE__PAIRS", "12")
    monkeypatch.setenv("DOCEO_GENERATE__SEED", "2")
    settings = load_settings({"generate": {"pairs": 13}})
    assert (settings.generate.pairs, settings.generate.seed, settings.generate.rounds) == (13, 2, 2)
    assert settings.teacher == "ollama:a"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[generate]\npears = 3\n", "generate.pears", "generate.pairs"),
        ('teachr = "x"\n', "teachr", "teacher"),
        ("[generate]\npairs = 0\n", "generate.pairs = 0", "flag"),
        ("[generate\n", "TOML", "Mend"),
    ],
)
def test_mistakes_are_named(text: str, message: str, hint: str) -> None:
    Path("doceo.toml").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings({})
    assert hint in caught.value.hint


def test_all_mistakes_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("doceo.toml").write_text('teachr = "x"\n[generate]\npairs = 0\n[service]\nmax_body_mb = "many"\n')
    monkeypatch.setenv("DOCEO_TEECHER", "y")
    with pytest.raises(ConfigError) as caught:
        load_settings({"retrieve": {"k": 99}})
    for word in ("teachr", "generate.pairs", "service.max_body_mb", "DOCEO_TEECHER", "retrieve.k"):
        assert word in caught.value.message
    assert "Did you mean DOCEO_TEACHER?" in caught.value.hint


def test_the_example_file_is_the_defaults() -> None:
    text = example_file({"teacher": "ollama:qwen3"})
    assert tomllib.loads(text)["teacher"] == "ollama:qwen3"
    lines = [
        line[2:] if line.startswith("# ") and " = " in line and line.split()[1].isidentifier() else ""
        for line in text.splitlines()
    ]
    keys = {line.split(" = ")[0] for line in lines if line}
    assert {"pairs", "batch_size", "dense_weight", "base"} <= keys
    Path("doceo.toml").write_text(text)
    assert load_settings({}) == Settings(teacher="ollama:qwen3")


def test_every_knob_has_words() -> None:
    for name, field in Settings.model_fields.items():
        fields = getattr(field.annotation, "model_fields", {})
        assert field.description or fields, name
        for key, knob in fields.items():
            assert knob.description, f"{name}.{key}"


def test_public_names_are_all_there() -> None:
    assert sorted(doceo.__all__) == dir(doceo)
    for name in doceo.__all__:
        assert getattr(doceo, name).__doc__
    with pytest.raises(AttributeError):
        _ = doceo.nothing


def test_where_runs_lie(tmp_path: Path) -> None:
    assert run_at("name").path == Path("runs/name")
    assert run_at("a/b").path == Path("a/b")
    Path("here").mkdir()
    assert run_at("here").path == Path("here")
    for bad in ("a/b", "a+b", "", "..", ".x"):
        with pytest.raises(UsageError):
            collection_folder(bad)
    assert collection_folder("c").name == "c"


def test_the_suggested_base_fits() -> None:
    def machine(gpu: int, cores: int = 2) -> Machine:
        return Machine("Linux", "3.11", cores, 16 * GIB, 12 * GIB, "GPU" if gpu else "", gpu * GIB)

    assert [suggested_base(machine(n)) for n in (0, 6, 12, 24)] == [
        "doceo-5m",
        "Qwen/Qwen3-0.6B",
        "Qwen/Qwen3-1.7B",
        "Qwen/Qwen3-4B",
    ]
    assert suggested_base(machine(0, cores=16)) == "Qwen/Qwen3-0.6B"
