"""Everything that can go wrong, in one tree.

DoceoError
├── UsageError            exit 2   the command or its options cannot be understood
│   └── ConfigError       exit 2   a config file, variable or flag holds a wrong value
├── InputError            exit 1   a named source, file or record cannot be used
│   ├── NothingReadable   exit 3   sources exist, but no document could be read
│   └── NotFound          exit 1   there is nothing of this id, or it is another owner's
├── RunError              exit 1   a run folder cannot be used as asked
│   ├── RunLocked         exit 1   another process is writing it
│   ├── StageMissing      exit 1   an earlier stage has to be made first
│   ├── NotComparable     exit 1   runs have other questions, documents or metrics, so that their scores say nothing
│   ├── AdapterExists     exit 1   a finished adapter of another config would be replaced
│   ├── ModelExists       exit 1   a finished or unfinished model of another config would be replaced
│   └── JobHeld           exit 1   a job that runs, or whose model is there, would be deleted
├── StorageError          exit 1   the disk is full or not writable
├── MissingExtra          exit 1   an optional package is not installed
│   └── MissingPackage    exit 1   ... that no extra of ours names, such as a vendor's
├── ProviderError         exit 1   a model or the server behind it failed
│   ├── Unreachable       exit 1   no answer from the address
│   ├── AuthenticationFailed  exit 1   401 or 403
│   ├── ModelNotFound     exit 1   404, or no such folder or name
│   ├── RequestRejected   exit 1   400 or 422: the server will not take this request
│   ├── RateLimited       exit 1   429 after all retries
│   │   └── ModelBusy     exit 1   as many wait for a model in this process as may
│   ├── ServerFailed      exit 1   5xx, or a body that is no reply, after all retries
│   ├── ReplyInvalid      exit 1   the reply is not what was asked for
│   └── CostCapReached    exit 3   --max-cost is spent; a higher one goes on
├── IndexUnusable         exit 1   a collection is missing, damaged, or made by another embedder
│   └── CollectionNotFound  exit 1   there is no collection of this name
├── TrainingError         exit 1   nothing to train on, a base that cannot be trained, or a diverged run
│   └── OutOfMemory       exit 1   the training does not fit into the memory that there is
└── ExportFailed          exit 1   a model cannot be written in a form, or what was written is not the same model
"""

from __future__ import annotations

from typing import ClassVar

_MISSING = "{purpose} needs the package {package}, which is not installed."


class DoceoError(Exception):
    """Base of every error that Doceo raises on purpose.

    Args:
        message: One sentence that names the file, address or value at fault.
        hint: What the user can do about it.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # from another process it comes as it was: only its maker knew what the class is called with
        return _again, (type(self), self.message), self.__dict__


def _again(kind: type[DoceoError], message: str) -> DoceoError:
    return kind.__new__(kind, message)


class UsageError(DoceoError):
    """The command or its options cannot be understood."""

    code = "usage"
    exit_code = 2


class ConfigError(UsageError):
    """A config file, environment variable or flag holds a wrong value."""

    code = "config"


class InputError(DoceoError):
    """A named source, file or record cannot be used."""

    code = "input"


class NothingReadable(InputError):
    """The sources exist, but no document could be read from them."""

    code = "nothing_readable"
    exit_code = 3


class NotFound(InputError):
    """There is nothing of this id, or it is another owner's: nobody is told which."""

    code = "not_found"


class RunError(DoceoError):
    """A run folder cannot be used as asked."""

    code = "run"


class RunLocked(RunError):
    """Another process is writing the run."""

    code = "run_locked"


class StageMissing(RunError):
    """An earlier stage of the run has to be made first."""

    code = "stage_missing"


class NotComparable(RunError):
    """Runs were asked other questions, over other documents, or were measured otherwise: comparing them misleads."""

    code = "not_comparable"


class AdapterExists(RunError):
    """A finished adapter of another config would be replaced."""

    code = "adapter_exists"


class ModelExists(RunError):
    """A finished or unfinished model of another config would be replaced."""

    code = "model_exists"


class JobHeld(RunError):
    """A job that has not ended, or whose model is still there, would be deleted."""

    code = "job_held"


class StorageError(DoceoError):
    """The disk is full or not writable.

    `retryable` says whether the same can succeed in a moment: somebody else held what was to be written.
    """

    code = "storage"

    def __init__(self, message: str, *, hint: str, retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class MissingExtra(DoceoError):
    """An optional package is not installed."""

    code = "missing_extra"

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        super().__init__(_MISSING.format(purpose=purpose, package=package), hint=f'pip install "doceo[{extra}]"')


class MissingPackage(MissingExtra):
    """An optional package that no extra names, such as LangChain's for a vendor, is not installed."""

    def __init__(self, package: str, *, purpose: str) -> None:
        DoceoError.__init__(self, _MISSING.format(purpose=purpose, package=package), hint=f"pip install {package}")


class ProviderError(DoceoError):
    """A model, or the server behind it, failed.

    `retry_after` is how many seconds the server asked to wait, where it said so; `retryable` whether the same request
    can succeed later; left out, the class decides.
    """

    code = "provider"
    transient: ClassVar[bool] = False

    def __init__(
        self, message: str, *, hint: str, retry_after: float | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.retryable = self.transient if retryable is None else retryable


class Unreachable(ProviderError):
    """No answer from the address."""

    code = "unreachable"
    transient = True


class AuthenticationFailed(ProviderError):
    """The server refused the key (401 or 403)."""

    code = "authentication"


class ModelNotFound(ProviderError):
    """The server, folder or hub has no model of this name."""

    code = "model_not_found"


class RequestRejected(ProviderError):
    """The server will not take this request (400 or 422).

    `said` is what the server says of it, without its address; empty where it was never sent.
    """

    code = "request_rejected"

    def __init__(self, message: str, *, hint: str, said: str = "") -> None:
        super().__init__(message, hint=hint)
        self.said = said


class RateLimited(ProviderError):
    """The server still answers 429 after all retries."""

    code = "rate_limited"
    transient = True


class ModelBusy(RateLimited):
    """As many questions wait for a model in this process as may."""

    code = "busy"


class ServerFailed(ProviderError):
    """The server answered 5xx, or with a body that is no reply, after all retries."""

    code = "server_failed"
    transient = True


class ReplyInvalid(ProviderError):
    """The reply does not have the form that was asked for."""

    code = "reply_invalid"


class CostCapReached(ProviderError):
    """The next request could take the run over `--max-cost`; every reply until now is kept."""

    code = "cost_cap"
    exit_code = 3


class IndexUnusable(DoceoError):
    """A collection is missing, damaged, or was made by another embedder."""

    code = "index"


class CollectionNotFound(IndexUnusable):
    """There is no collection of this name."""

    code = "collection_not_found"


class IndexOutdated(IndexUnusable):
    """An older program made the index: it has to be made anew."""


class TrainingError(DoceoError):
    """Nothing to train on, a base that cannot be trained, or a run that diverged."""

    code = "training"


class OutOfMemory(TrainingError):
    """The training does not fit into the memory that there is."""

    code = "out_of_memory"


class ExportFailed(DoceoError):
    """A model cannot be written in the form that is wanted, or what was written is not the same model."""

    code = "export_failed"
