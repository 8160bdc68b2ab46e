"""All config models in one place, filled from `doceo.toml`, then `DOCEO_...` variables, then flags."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from doceo.core.config import (
    AnswerConfig,
    CalibrateConfig,
    ChatConfig,
    ChunkConfig,
    CleanConfig,
    DatasetConfig,
    EngineConfig,
    EvaluateConfig,
    ExportConfig,
    FinetuneConfig,
    GateConfig,
    GenerateConfig,
    JudgeConfig,
    LoopConfig,
    PretrainConfig,
    ReadConfig,
    RegressionConfig,
    RetrieveConfig,
    ServiceConfig,
    TextConfig,
    TokenizerConfig,
    TrainingConfig,
)
from doceo.core.errors import ConfigError

FILE = "doceo.toml"
OTHER_VARIABLES = ("DOCEO_CACHE", "DOCEO_LEASE_FD", "DOCEO_PROGRESS")
"""Variables that are no settings: where what is built at first use is kept; what a worker tells its children."""


class Settings(BaseSettings):
    """What a command runs with. Stages are given their own section, never the whole."""

    model_config = SettingsConfigDict(
        env_prefix="DOCEO_",
        env_nested_delimiter="__",
        env_parse_none_str="null",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        toml_file=FILE,
    )

    teacher: str = "extractive"
    """Who writes the questions: `extractive` (built in), or a model such as `openai:NAME`, `ollama:NAME` or
    `langchain:VENDOR:NAME`."""
    student: str = ""
    """Model that is asked the questions without any text: what it knows is easy. Left out, the teacher."""
    judge: str = ""
    """Model that marks the pairs, best of another family than the teacher; left out, the teacher, if it is one."""
    base: str = ""
    """Model to fine-tune: a folder or a name on the hub; left out, `doceo-5m`, the small one that ships; `none`: no
    model."""
    model: str = ""
    """Who answers in `ask`, `chat` and `serve`: `quote`, `hf:PATH`, `openai:NAME` ...; left out, what the run has."""
    embedder: str = "all-MiniLM-L6-v2"
    """Embedding model: a folder or a sentence-transformers name."""
    executor: Literal["process", "ray"] = "process"
    """Where documents are read, cut, embedded and compared, and the built-in teacher asks: `process`, here; `ray`, on
    the machines of the Ray cluster that RAY_ADDRESS names, or on this machine's cores."""
    base_url: str = ""
    """Address of the server behind `openai:` models; several, with commas, share the work."""
    database_url: str = ""
    """Where conversations and profiles are kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE; left out,
    the file runs/.doceo.sqlite, which is made when something is to be kept."""
    read: ReadConfig = ReadConfig()
    chunk: ChunkConfig = ChunkConfig()
    engine: EngineConfig = EngineConfig()
    generate: GenerateConfig = GenerateConfig()
    gate: GateConfig = GateConfig()
    dataset: DatasetConfig = DatasetConfig()
    texts: TextConfig = TextConfig()
    clean: CleanConfig = CleanConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    pretrain: PretrainConfig = PretrainConfig()
    training: TrainingConfig = TrainingConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    export: ExportConfig = ExportConfig()
    retrieve: RetrieveConfig = RetrieveConfig()
    answer: AnswerConfig = AnswerConfig()
    chat: ChatConfig = ChatConfig()
    calibrate: CalibrateConfig = CalibrateConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    judging: JudgeConfig = JudgeConfig()
    regression: RegressionConfig = RegressionConfig()
    loop: LoopConfig = LoopConfig()
    service: ServiceConfig = ServiceConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, strongest first: flags, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(flags: Mapping[str, Any]) -> Settings:
    """Return the settings of a command.

    Args:
        flags: Values given on the command line, nested by section; what was not given is absent.

    Raises:
        ConfigError: for an unknown key (with the nearest name) or a wrong value, naming where it stands.
    """
    unknown = _unknown_variables()
    try:
        settings = Settings(**flags)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{FILE} is not valid TOML: {error}.", hint=f"Mend the line named, or remove {FILE}."
        ) from error
    except ValidationError as error:
        raise _together([*unknown, *_config_errors(error)]) from error
    except SettingsError as error:
        raise ConfigError(
            f"An environment variable cannot be read: {error}.", hint="Check the DOCEO_... variables."
        ) from error
    if unknown:
        raise _together(unknown)
    return settings


def _together(errors: list[ConfigError]) -> ConfigError:
    """Return one error that says everything that is wrong."""
    hints = dict.fromkeys(error.hint for error in errors)
    return ConfigError(" ".join(error.message for error in errors), hint=" ".join(hints))


def _unknown_variables() -> list[ConfigError]:
    """Return an error for each DOCEO_ variable that no setting has."""
    found = []
    known = [f"DOCEO_{name.upper()}" for name in Settings.model_fields]
    for name in os.environ:
        place = name.upper().split("__")[0]
        if place.startswith("DOCEO_") and place not in {*known, *OTHER_VARIABLES}:
            near = get_close_matches(place, known, 1)
            hint = f"Did you mean {near[0]}?" if near else "Sections are written like DOCEO_GENERATE__PAIRS."
            found.append(ConfigError(f"There is no setting for the variable {name}.", hint=hint))
    return found


def _config_errors(error: ValidationError) -> list[ConfigError]:
    return [_config_error(one) for one in error.errors()]


def _config_error(first: ErrorDetails) -> ConfigError:
    place = [str(part) for part in first["loc"]]
    name = ".".join(place)
    if first["type"] != "extra_forbidden":
        return ConfigError(
            f"{name} = {first['input']!r}: {first['msg']}.", hint=f"Change it in {FILE}, the environment or the flag."
        )
    known = _known(place[:-1])
    near = get_close_matches(place[-1], known, 1)
    hint = f"Did you mean {'.'.join([*place[:-1], near[0]])}?" if near else f"Known here: {', '.join(known)}."
    return ConfigError(f"There is no setting {name}.", hint=hint)


def _known(place: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in place:
        found = model.model_fields[part].annotation
        assert isinstance(found, type)
        assert issubclass(found, BaseModel)
        model = found
    return list(model.model_fields)


def example_file(chosen: Mapping[str, str]) -> str:
    """Return the text of a `doceo.toml` with every setting and its meaning; what was not chosen is commented out."""
    lines = [f"# {FILE}: every setting with its default. Remove the # of a line to change it.", ""]
    sections = []
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            sections.append((name, field.annotation))
            continue
        mark = "" if name in chosen else "# "
        described = " ".join((field.description or "").split())
        lines += [f"# {described}", f"{mark}{name} = {_toml(chosen.get(name, field.default))}", ""]
    for name, model in sections:
        lines += [f"[{name}]", f"# {(model.__doc__ or '').strip()}"]
        for key, knob in model.model_fields.items():
            lines.append(f"# {' '.join((knob.description or '').split())}")
            lines.append(f"# {key} = {_toml(knob.default)}" if knob.default is not None else f"# {key} =")
        lines.append("")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(item)}" for name, item in value.items()) + "}"
    return json.dumps(value) if isinstance(value, str) else str(value)
