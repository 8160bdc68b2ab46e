"""Flags made from the config models: one flag a field, its help the field's docstring."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from doceo.app.settings import Settings, load_settings
from doceo.cli.console import Console, run_verb
from doceo.core.errors import UsageError

_AMBIGUOUS = {"max_tokens", "max_length", "batch_tokens", "seconds", "megabytes", "memory", "timeout", "rounds"}
"""Fields whose bare name does not tell which section they belong to: their flag carries it."""
_OWN = {("pretrain", "pretrain"), ("loop", "loop"), ("generate", "generate"), ("run", "generate"), ("demo", "generate")}
"""(verb, section) where the bare name is clear all the same."""
_ENTRY = re.compile(r"([^=]+)=([^=,]+)(?:,|$)")
"""A name and its number: the name may hold commas, as the label of a topic does."""
_TABLE = re.compile(f"(?:{_ENTRY.pattern})+")
_PREFIXED = {"gate": "gate", "judging": "judge"}
"""Sections all of whose flags carry a name before theirs."""


def verb(
    app: typer.Typer, name: str, *, panel: str, sections: Sequence[str] = (), top: Sequence[str] = ()
) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Register a function as a verb with the flags of some config sections.

    The function is called with `settings`, `console` and its own parameters, and returns its exit code or None.

    Args:
        app: Where to register.
        name: The verb.
        panel: Panel of `doceo --help`.
        sections: Config sections whose fields become flags.
        top: Top-level settings that become flags, such as `teacher`.
    """
    knobs = _knobs(sections, top, name)

    def register(function: Callable[..., int | None]) -> Callable[..., None]:
        own = [
            p
            for p in inspect.signature(function, eval_str=True).parameters.values()
            if p.name not in ("settings", "console")
        ]

        @functools.wraps(function)
        def command(**given: Any) -> None:  # noqa: ANN401 - what typer parsed
            as_json, debug = given.pop("json"), given.pop("debug")
            flags = {key: given.pop(key) for key in knobs}

            def work(console: Console) -> int | None:
                return function(settings=load_settings(_nested(flags, knobs)), console=console, **given)

            run_verb(work, as_json=as_json, debug=debug)

        extra = [
            *(_parameter(key, field, places) for key, (field, places) in knobs.items()),
            _switch("json", "One JSON object on stdout, everything else on stderr."),
            _switch("debug", "Show the traceback of an error."),
        ]
        parameters = [*own, *extra]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by typer
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name, rich_help_panel=panel)(command)
        return command

    return register


_Knobs = dict[str, tuple[FieldInfo, list[tuple[str, str]]]]


def _knobs(sections: Sequence[str], top: Sequence[str], verb_name: str) -> _Knobs:
    """Return {parameter name: (field, the places it sets)}; one flag sets a field of one name in every section."""
    knobs: _Knobs = {name: (Settings.model_fields[name], [("", name)]) for name in top}
    for section in sections:
        model = Settings.model_fields[section].annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        for name, field in model.model_fields.items():
            unclear = name in _AMBIGUOUS and (verb_name, section) not in _OWN
            prefix = _PREFIXED.get(section, section if unclear else "")
            key = f"{prefix}_{name}" if prefix else name
            knobs.setdefault(key, (field, []))[1].append((section, name))
    return knobs


def _parameter(key: str, field: FieldInfo, places: list[tuple[str, str]]) -> inspect.Parameter:
    kind, is_list = _flag_type(field.annotation)
    default = ",".join(map(str, field.default or ())) if is_list else field.default
    text = " ".join((field.description or "").split())
    if default not in (None, ""):
        text += f" \\[default: {default}]"
    section = places[0][0] if len(places) == 1 else ""
    option = typer.Option(
        f"--{key.replace('_', '-')}",
        help=text,
        show_default=False,
        rich_help_panel=f"{section.capitalize()} settings" if section else "Settings",
    )
    annotation = Annotated[list[str] | None, option] if is_list else Annotated[kind | None, option]
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _switch(name: str, text: str) -> inspect.Parameter:
    annotation = Annotated[bool, typer.Option(f"--{name}", help=text, rich_help_panel="Output")]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)


def _flag_type(annotation: object) -> tuple[type, bool]:
    """Return the type a flag is parsed as, and whether it is a list written with commas; of a table, NAME=VALUE."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _flag_type(next(a for a in get_args(annotation) if a is not type(None)))
    if origin in (tuple, dict):
        return str, True
    if origin is Literal:
        return str, False
    assert isinstance(annotation, type)
    return annotation, False


def _nested(given: dict[str, Any], knobs: _Knobs) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    for key, value in given.items():
        if value is None:
            continue
        field, places = knobs[key]
        plain = _parts(value, key, field) if _flag_type(field.annotation)[1] else value
        for section, name in places:
            (flags.setdefault(section, {}) if section else flags)[name] = plain
    return flags


def _parts(given: Sequence[str], key: str, field: FieldInfo) -> list[str] | dict[str, str]:
    """Return the values of a flag that may be repeated, or hold several with commas. Raises UsageError."""
    if get_origin(field.annotation) is not dict:
        return [part.strip() for value in given for part in value.split(",") if part.strip()]
    if not all(_TABLE.fullmatch(value) for value in given):
        raise UsageError(f"--{key.replace('_', '-')} {','.join(given)} is not a table.", hint="Write NAME=NUMBER,...")
    return {name.strip(): number.strip() for value in given for name, number in _ENTRY.findall(value)}
