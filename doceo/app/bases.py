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
    return str(run.path / BASE) if owns_base(run) else _noted_base(run)


def owns_base(run: Run) -> bool:
    """Return whether a run's adapter was trained on the base that the run made itself; the run may have been moved."""
    named = Path(_noted_base(run))
    made = manifests.read(run.path / ADAPTER)
    if made is None or not run.has(BASE) or named.name != BASE:
        return False
    # After `--fresh` the own base may have other weights than the adapter knows; it is its base all the same.
    own = {f"base/{file.name}": manifests.file_sha256(file) for file in (run.path / BASE).glob("*.safetensors")}
    return not named.exists() or named.resolve() == (run.path / BASE).resolve() or own.items() <= made.inputs.items()


def _noted_base(run: Run) -> str:
    """Return the base as the adapter's config names it, from where the run lay when it was trained."""
    config = run.file(ADAPTER, "adapter_config.json").read_bytes()
    return _AdapterConfig.model_validate_json(config).base_model_name_or_path
