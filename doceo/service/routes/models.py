"""`/v1/models`: who can be asked."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from doceo.service.access import Hosted

router = APIRouter(prefix="/v1/models")


@router.get("")
def list_models(host: Hosted) -> dict[str, object]:
    """List the models, the default first."""
    return {"object": "list", "data": [_model(name) for name in host.assistants.names()]}


@router.get("/{name:path}")
def retrieve_model(name: str, host: Hosted) -> dict[str, object]:
    """Return one model."""
    if name not in host.assistants.names():
        raise HTTPException(404, f"The model {name!r} does not exist.")
    return _model(name)


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "doceo"}
