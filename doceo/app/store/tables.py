"""The tables. Every row has an owner; what hangs on a row goes with it, by the database's own cascades."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("metadata", Text, nullable=False, server_default="{}"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("conversation", String(64), ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("owner", String(128), nullable=False, index=True),
    Column("place", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("answer", Text, nullable=True),
    # ids of cited files by the names that citations have for them
    Column("files", Text, nullable=True),
    Column("created", Double, nullable=False),
    UniqueConstraint("conversation", "place"),
)

summaries = Table(
    "summaries",
    metadata,
    Column("conversation", String(64), ForeignKey(conversations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("turns_hash", String(64), primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("text", Text, nullable=False),
)

profile_entries = Table(
    "profile_entries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("source", String(64), ForeignKey(turns.c.id, ondelete="CASCADE"), nullable=True, index=True),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=True),
)

profile_settings = Table(
    "profile_settings",
    metadata,
    Column("owner", String(128), primary_key=True),
    Column("enabled", Boolean, nullable=False),
)
