"""Tuned models: adapters that jobs made, by the ids that clients use."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import Row, delete, select

from doceo.app.store.engine import Database, inserted
from doceo.app.store.service_tables import models
from doceo.core.records import Record


class TunedModel(Record):
    """A model that a job made: an adapter on a base. Times are seconds since 1970, UTC.

    Attributes:
        id: `ft:BASE:ORGANIZATION:SUFFIX:ID`.
        base: The base, as the job's owner named it.
        folder: The adapter's folder, relative to the folder of jobs.
        job: The job that made it.
    """

    id: str
    owner: str
    base: str
    folder: str
    job: str
    created: float


class Models:
    """The tuned models of every owner; methods with an owner see those of that one only. Safe for several threads."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    def add(self, owner: str, model: str, *, base: str, folder: str, job: str) -> TunedModel:
        """Add a model, or return the one that is there. Raises StorageError."""
        made = TunedModel(id=model, owner=owner, base=base, folder=folder, job=job, created=self._clock())
        with self._database.writing() as connection:
            inserted(connection, models, made.model_dump())
            row = connection.execute(select(models).where(models.c.id == model, models.c.owner == owner)).one_or_none()
        return _model(row) if row is not None else made

    def all(self, owner: str) -> list[TunedModel]:
        """Return an owner's models, the latest first. Raises StorageError."""
        query = select(models).where(models.c.owner == owner).order_by(models.c.created.desc(), models.c.id)
        with self._database.reading() as connection:
            return [_model(row) for row in connection.execute(query)]

    def get(self, owner: str, model: str) -> TunedModel | None:
        """Return a model; None where the owner has no such one. Raises StorageError."""
        query = select(models).where(models.c.owner == owner, models.c.id == model)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _model(row)

    def there(self, ids: Collection[str]) -> set[str]:
        """Return those of some models, of whatever owner, that there are. Raises StorageError."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(models.c.id).where(models.c.id.in_(ids))))

    def folders(self) -> list[str]:
        """Return the folders of the models of all owners, relative to that of jobs. Raises StorageError."""
        with self._database.reading() as connection:
            return list(connection.scalars(select(models.c.folder).order_by(models.c.id)))

    def delete(self, owner: str, model: str) -> list[TunedModel]:
        """Forget a model, and those whose folders lie in its own, and return them; the folders stay.

        Raises StorageError.
        """
        mine = models.c.owner == owner
        with self._database.writing() as connection:
            row = connection.execute(select(models).where(mine, models.c.id == model)).one_or_none()
            if row is None:
                return []
            inside = models.c.folder.startswith(f"{row.folder}/", autoescape=True)
            gone = delete(models).where(mine, (models.c.id == model) | inside).returning(*models.c)
            return [_model(one) for one in connection.execute(gone)]


def _model(row: Row[*tuple[object, ...]]) -> TunedModel:
    return TunedModel.model_validate(dict(row._mapping))
