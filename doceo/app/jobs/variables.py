"""Settings as variables of the environment: how workers and their commands get what their parents run with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from doceo.app.settings import Settings


def variables(settings: Settings) -> dict[str, str]:
    """Return what was set, by a flag, a variable or the file: a process of the same folder then has the same settings.

    The address of the database, in which a password may stand, is not among them: no flag names it.
    """
    given = settings.model_dump(mode="json", exclude_unset=True, exclude={"database_url"})
    plain = {f"DOCEO_{name.upper()}": _text(value) for name, value in given.items() if not isinstance(value, dict)}
    return plain | section_variables({name: values for name, values in given.items() if isinstance(values, dict)})


def section_variables(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the variables of {section: {field: value}}."""
    return {
        f"DOCEO_{section.upper()}__{name.upper()}": _text(value)
        for section, values in sections.items()
        for name, value in values.items()
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
