"""`/v1/models`: who can be asked."""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import Annotated

from fastapi import APIRouter, Depends

from doceo.app.host import Host
from doceo.app.store.engine import storable
from doceo.core.access import Caller
from doceo.core.errors import ProviderError
from doceo.providers.vllm_adapter import unload
from doceo.service.access import Hosted, MayTrain, Needs, may_search
from doceo.service.embedding import name_of
from doceo.service.found_models import TUNED, no_model
from doceo.service.refusals import Refusal
from doceo.service.replies.models import ModelReply, ModelsReply
from doceo.service.replies.pages import Deleted

router = APIRouter(prefix="/v1/models", tags=["Models"])

Reader = Annotated[Caller, Depends(Needs("chat", "train", "ingest"))]
_log = logging.getLogger("doceo.service")


@router.get("", responses={200: {"model": ModelsReply}})
def list_models(host: Hosted, caller: Reader) -> dict[str, object]:
    """List the models that the caller may ask: the default, bases, its own tuned ones, `quote`; then the embedder."""
    return {"object": "list", "data": [_model(name, made) for name, made in _models(host, caller).items()]}


@router.get("/{name:path}", responses={200: {"model": ModelReply}})
def retrieve_model(name: str, host: Hosted, caller: Reader) -> dict[str, object]:
    """Return one model."""
    models = _models(host, caller)
    if name not in models:
        raise no_model(name)
    return _model(name, models[name])


@router.delete("/{name:path}", responses={200: {"model": Deleted}})
async def delete_model(name: str, host: Hosted, caller: MayTrain) -> dict[str, object]:
    """Delete a tuned model of the caller's, with its weights."""
    name = storable(name)
    tuned = await asyncio.to_thread(host.store.models.get, caller.owner, name) if name.startswith(TUNED) else None
    if tuned is None:
        if name in await asyncio.to_thread(_models, host, caller):
            message = f"{name[:200]} is no tuned model of yours, so that it cannot be deleted."
            raise Refusal(403, message, code="not_deletable", param="model")
        raise no_model(name)
    # the models after its passes lie in its folder, and go with it
    for gone in await asyncio.to_thread(host.store.models.delete, caller.owner, name):
        await host.assistants.forget(gone.id)
        await _unloaded(host.settings.service.vllm, gone.id)
    try:
        await asyncio.to_thread(shutil.rmtree, host.jobs / tuned.folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        _log.warning("The weights of %s cannot be deleted: %s", name, error)
    return {"id": name, "object": "model", "deleted": True}


async def _unloaded(address: str, name: str) -> None:
    """Take a model off the vLLM server, where there is one."""
    try:
        if address:
            await unload(address, name)
    except ProviderError as error:  # it is gone here; there it answers nobody who may not ask for it
        _log.warning("%s %s", error.message, error.hint)


def _models(host: Host, caller: Caller) -> dict[str, int]:
    """Return the models of a caller with when they were made, 0 where nobody knows."""
    tuned = {model.id: int(model.created) for model in host.store.models.all(caller.owner)}
    names = host.assistants.names(lambda name: may_search(caller, host, name), tuned)
    return {name: tuned.get(name, 0) for name in [*names, name_of(host)]}


def _model(name: str, made: int) -> dict[str, object]:
    return {"id": name, "object": "model", "created": made, "owned_by": "doceo"}
