"""Brings a database to the tables that this version of the program knows."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from doceo.core.errors import StorageError

HEAD = "0002"
"""The newest migration."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x646F6365
"""Key of PostgreSQL's advisory lock: two processes that start together upgrade one after the other."""


def upgrade(connection: Connection, place: str) -> None:
    """Create or upgrade the tables within the connection's transaction; a database that is up to date is left alone.

    Raises StorageError where a newer version of the program made them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if (found := version(connection)) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StorageError(
            f"{place} was made by a newer version of Doceo (its tables are of version {found}).",
            hint="Update Doceo, or name another database with DOCEO_DATABASE_URL.",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def version(connection: Connection) -> str | None:
    """Return the version of a database's tables, None where it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
