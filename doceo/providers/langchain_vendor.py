"""Opens a vendor's chat model through LangChain's `init_chat_model`, and finds out where it sends text.

Vendors' classes differ in what they take; what a class has no field for is not given to it. The packages of vendors
are no dependency of ours: which one is missing is said with the command that installs it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from pydantic import SecretStr
from rapidfuzz import process

from doceo.core.errors import AuthenticationFailed, DoceoError, MissingPackage, ProviderError, UsageError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_PIP = re.compile(r"`pip install ([\w.\[\]-]+)`")
_VENDORS = re.compile(r"providers are: ([\w, ]+)")
_KEY = re.compile(r"api[_ -]?key|credential|access[_ ]token", re.IGNORECASE)
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN)\b")
_CLIENTS = ("root_async_client", "_async_client", "async_client", "client", "_client")
_PLACES = (("base_url",), ("_client", "base_url"), ("meta", "endpoint_url"))
"""Where the vendors' own clients, as LangChain's classes hold them, keep their address."""
_SHORTEST_KEY = 8
"""Characters of a key; what is shorter is a stand-in, and would be found in every word."""
_HOSTS = {
    "cohere": "api.cohere.com",
    "google_genai": "generativelanguage.googleapis.com",
    "google_vertexai": "aiplatform.googleapis.com",
}
"""The hosts of vendors whose classes do not show theirs."""


def parse_spec(spec: str) -> tuple[str, str]:
    """Return the vendor and the model of `langchain:VENDOR:MODEL`. Raises UsageError."""
    _, _, rest = spec.partition(":")
    vendor, _, model = rest.partition(":")
    if not vendor or not model:
        raise UsageError(
            f"{spec!r} names no vendor's model.",
            hint="Write langchain:VENDOR:MODEL, such as langchain:anthropic:claude-haiku-4-5.",
        )
    vendor = vendor.replace("-", "_").lower()
    if vendor == "huggingface":
        raise UsageError(f"{spec!r} would open weights in this process.", hint=f"Write hf:{model}.")
    return vendor, model


def open_model(vendor: str, model: str, *, timeout: float, base_url: str | None = None) -> BaseChatModel:
    """Return LangChain's model of a vendor: without retries, and without a cache, of its own. Nothing is sent.

    Args:
        vendor: One of those that `init_chat_model` knows.
        model: The model's name there.
        timeout: Seconds that one reply may take.
        base_url: The address, of vendors that take one; left out, the vendor's own or what its variables say.

    Raises:
        MissingPackage: The vendor's package is not installed.
        UsageError: There is no such vendor, or it takes no address.
        AuthenticationFailed: There is no key.
        ProviderError: The vendor's package cannot be imported, or its class refuses to be made.
    """
    # the first one only shows what its class takes: a client takes its number of retries when it is made
    known = _names(type(_made(vendor, model, {"base_url": base_url} if base_url else {})))
    if base_url and "base_url" not in known:
        raise UsageError(f"{vendor} takes no address.", hint="Leave out --base-url; its own variables say where it is.")
    wanted = {"max_retries": 0, "timeout": math.ceil(timeout), "cache": False, "base_url": base_url}
    return _made(vendor, model, {name: value for name, value in wanted.items() if name in known and value is not None})


def host_of(model: BaseChatModel, vendor: str) -> str:
    """Return the host that receives the text, with its port where one is named, or that it is not known."""
    for address in _addresses(model):
        parts = urlsplit(address)
        if parts.scheme in {"http", "https"} and parts.hostname:
            return parts.netloc.rpartition("@")[2]
    return _HOSTS.get(vendor, f"{vendor} (address not known)")


@cache
def field_of(kind: type[BaseChatModel], names: tuple[str, ...]) -> str | None:
    """Return the field of a class that one of these names, or its alias, stands for; None where none does."""
    for name in names:
        for field, facts in kind.model_fields.items():
            if name in (field, facts.alias):
                return field
    return None


def secrets_of(model: BaseChatModel) -> tuple[str, ...]:
    """Return the keys that a model holds, which no message may show."""
    held = [value.get_secret_value() for value in vars(model).values() if isinstance(value, SecretStr)]
    return tuple(key for key in held if len(key) >= _SHORTEST_KEY)


def key_missing(words: str, vendor: str) -> AuthenticationFailed | None:
    """Return the error for words of a vendor's package that say that a key is missing, else None."""
    if not _KEY.search(words):
        return None
    named = _VARIABLE.search(words)
    hint = f"Set {named.group()}." if named else f"Its package says: {' '.join(words.split())[:200]}"
    return AuthenticationFailed(f"{vendor} needs a key.", hint=hint)


def _made(vendor: str, model: str, given: dict[str, object]) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    try:
        return cast("BaseChatModel", cast(Any, init_chat_model)(model, model_provider=vendor, **given))
    except ImportError as error:
        raise _not_imported(vendor, error) from error
    except Exception as error:
        # every vendor's package has an exception tree of its own
        if (ours := _not_made(vendor, error)) is not None:
            raise ours from error
        raise


def _not_imported(vendor: str, error: ImportError) -> DoceoError:
    named = _PIP.search(str(error))
    package = named[1] if named else f"langchain-{vendor.replace('_', '-')}"
    cause = error.__cause__
    absent = getattr(cause, "name", None)
    if not isinstance(cause, ImportError) or absent == package.partition("[")[0].replace("-", "_"):
        return MissingPackage(package, purpose=f"langchain:{vendor}")
    if isinstance(cause, ModuleNotFoundError) and absent:
        return MissingPackage(absent.partition(".")[0], purpose=f"The package {package}")
    return ProviderError(
        f"{package} is installed and cannot be imported: {cause}.", hint=f"pip install --upgrade {package}"
    )


def _not_made(vendor: str, error: Exception) -> DoceoError | None:
    words = " ".join(str(error).split())
    if listed := _VENDORS.search(words):
        vendors = [name.strip() for name in listed[1].split(",")]
        near = process.extractOne(vendor, vendors, score_cutoff=60)
        hint = f"Did you mean langchain:{near[0]}:MODEL?" if near else f"There are {', '.join(vendors)}."
        return UsageError(f"LangChain knows no vendor {vendor!r}.", hint=hint)
    if missing := key_missing(words, vendor):
        return missing
    if isinstance(error, AssertionError | NameError | MemoryError):
        return None
    return ProviderError(
        f"langchain:{vendor} cannot be opened: {words[:300]}.", hint="Its package's documentation says what it needs."
    )


def _names(kind: type[BaseChatModel]) -> set[str]:
    fields = kind.model_fields
    return {*fields, *(facts.alias for facts in fields.values() if facts.alias)}


def _addresses(model: BaseChatModel) -> Iterator[str]:
    for name in _CLIENTS:
        client = getattr(model, name, None)
        for place in _PLACES:
            found = client
            for part in place:
                found = getattr(found, part, None)
            if found:
                yield str(found)
    for name, value in vars(model).items():
        if isinstance(value, str) and re.search("base|url|endpoint", name):
            yield value
