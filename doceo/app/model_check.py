"""Whether a model can be opened, as far as that is seen without reading its weights or asking its server."""

from __future__ import annotations

from pathlib import Path

from doceo.app.models import QUOTE, check_spec
from doceo.app.settings import Settings
from doceo.app.system_names import RECORDED, parse
from doceo.app.systems import ADAPTED
from doceo.core.errors import UsageError
from doceo.providers import model_folder
from doceo.providers.chat import is_remote, open_chat
from doceo.providers.shipped_model import located


def check_model(spec: str, settings: Settings) -> None:
    """Raise what opening a model would, as far as it is known now; what a served run holds is taken as it is.

    A name on the hub is not looked up.

    Raises UsageError, ConfigError, ProviderError, MissingExtra.
    """
    model = parse(spec).model
    kind, _, name = model.partition(":")
    if model in ("base", "tuned", QUOTE):
        return
    if model == RECORDED:
        raise UsageError("Recorded answers are read, not asked for.", hint="Name a system that can answer.")
    if is_remote(model):
        open_chat(model, base_url=settings.base_url or None, engine=settings.engine)
    elif kind == "gguf":
        from doceo.providers.llama_server import check_file

        check_file(Path(name).expanduser())
    else:
        _check_folder(model, name if kind in ("hf", ADAPTED) else model, adapter=kind == ADAPTED)


def check_vllm(address: str) -> None:
    """Raise UsageError where the address of a vLLM server is none; left out, it is no matter."""
    if address:
        from doceo.providers.openai_chat import parts_of

        parts_of(address)


def _check_folder(spec: str, name: str, *, adapter: bool) -> None:
    folder = Path(name).expanduser()
    if adapter or (folder / model_folder.ADAPTER).exists():
        model_folder.check_adapter(folder)
        name = model_folder.base_of(folder)
    elif name == spec:
        check_spec(spec)
    model_folder.check_name(located(name))
