"""Run by alembic: upgrades the connection that `doceo.app.store.schema` hands over."""

from __future__ import annotations

from alembic import context

from doceo.app.store import service_tables  # noqa: F401 - its tables join the others
from doceo.app.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
