"""What a system's answers depend on, as one hash: while it is the same, no question is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from data import manifest as manifests
from data.store import ADAPTER, Run
from doceo.app.contexts import FILE as CONTEXTS
from doceo.app.models import QUOTE
from doceo.app.own_prompt import OwnPrompt, read_prompt
from doceo.app.settings import Settings
from doceo.app.stages.adapter import base_hashes, check_fresh
from doceo.app.system_names import RECORDED, parse
from doceo.core.fingerprint import canonical, sha256
from doceo.providers import model_folder
from doceo.providers.chat import is_remote
from rag import versions
from rag.calibration import FILE as CALIBRATION

_OF_QUOTE = {"refuse_below", "trace"}
"""Settings of answers that hold for `quote` too."""


@dataclass(frozen=True)
class Identities:
    """Hashes of what systems answer from: model, adapter, prompt, documents, settings.

    Args:
        run: Whose base, adapter and index are meant.
        settings: How they answer.
        prompts: Prompts by name.
        base: The base, where the run has no adapter that names it.
    """

    run: Run
    settings: Settings
    prompts: Mapping[str, OwnPrompt]
    base: str = ""

    def of(self, name: str) -> str:
        """Return a system's hash.

        Raises UsageError, InputError, ModelNotFound, and StageMissing where the run has no adapter, or its adapter was
        not made from its dataset.
        """
        system = parse(name, self.prompts)
        if system.model == RECORDED:
            return RECORDED
        answering = self.settings.answer.model_dump(mode="json")
        if system.model == QUOTE:
            answering = {key: answering[key] for key in sorted(_OF_QUOTE)}
        else:
            named = self.prompts[system.prompt].hash if system.prompt else ""
            answering["system_prompt"] = named or self.own_prompt
        parts: list[object] = [self._weights(system.model), answering]
        if system.documents:
            parts += [self.settings.retrieve.model_dump(mode="json"), self.documents]
        return sha256(canonical(parts))[:16]

    @cached_property
    def documents(self) -> dict[str, str]:
        """Hashes of the index and of what was measured of it; nothing where there is no index."""
        current = versions.current(self.run.index)
        if current is None:
            return {}
        found = {"index": manifests.file_sha256(current / "texts.sqlite")}
        for name, file in (("calibration", CALIBRATION), ("contexts", CONTEXTS)):
            if (self.run.index / file).is_file():
                found[name] = manifests.file_sha256(self.run.index / file)
        return found

    @cached_property
    def own_prompt(self) -> str:
        """The hash of the prompt that the settings name for all models; empty where there is none."""
        own = self.settings.answer.system_prompt
        return read_prompt(Path(own)).hash if own else ""

    @cached_property
    def _adapter(self) -> Path:
        check_fresh(self.run)
        return self.run.file(ADAPTER, model_folder.ADAPTER).parent

    @cached_property
    def _base(self) -> dict[str, str]:
        return base_hashes(self.base or model_folder.base_of(self._adapter))

    def _weights(self, model: str) -> object:
        if model in ("base", "tuned"):
            return [self._base, _adapter(self._adapter) if model == "tuned" else {}]
        if model == QUOTE or is_remote(model):
            return model
        kind, _, path = model.partition(":")
        place = Path(path if kind in ("hf", "gguf", "adapter") else model).expanduser()
        if place.is_file():
            return manifests.file_sha256(place)
        if (place / model_folder.ADAPTER).is_file():
            return [base_hashes(model_folder.base_of(place)), _adapter(place)]
        return [base_hashes(str(place)), {}]


def _adapter(folder: Path) -> dict[str, str]:
    files = [folder / model_folder.ADAPTER, *sorted(folder.glob("*.safetensors"))]
    return {file.name: manifests.file_sha256(file) for file in files}
