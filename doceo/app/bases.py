"""Which base model a run's adapter belongs to."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from data import manifest as manifests
from data.store import ADAPTER, BASE, Run


class _AdapterConfig(BaseModel):
    model_config = ConfigDict(extra="ignore")

    base_model_name_or_path: str


def base_of(run: Run) -> str:
    """Return the base model of a run's adapter: the run's own where that is it. Raises StageMissing."""
    path = run.file(ADAPTER, "adapter_config.json")
    return (
        str(run.path / BASE)
        if owns_base(run)
        else _AdapterConfig.model_validate_json(path.read_bytes()).base_model_name_or_path
    )


def owns_base(run: Run) -> bool:
    """Return whether a run's adapter was trained on the base that the run made itself; the run may have been moved."""
    made = manifests.read(run.file(ADAPTER, "adapter_config.json").parent)
    named = Path(
        _AdapterConfig.model_validate_json(
            run.file(ADAPTER, "adapter_config.json").read_bytes()
        ).base_model_name_or_path
    )
    if made is None or not run.has(BASE) or named.name != BASE:
        return False
    # After `--fresh` the own base may have other weights than the adapter knows; it is its base all the same.
    own = {f"base/{file.name}": manifests.file_sha256(file) for file in (run.path / BASE).glob("*.safetensors")}
    return not named.exists() or named.resolve() == (run.path / BASE).resolve() or own.items() <= made.inputs.items()
