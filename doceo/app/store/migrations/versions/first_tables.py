"""Conversations, turns, summaries, profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_owner", "conversations", ["owner"])
    op.create_table(
        "turns",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name="fk_turns_conversation", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("conversation", "place", name="uq_turns_conversation_place"),
    )
    op.create_index("ix_turns_owner", "turns", ["owner"])
    _of_turns()


def _of_turns() -> None:
    op.create_table(
        "summaries",
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("turns_hash", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("conversation", "turns_hash", name="pk_summaries"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name="fk_summaries_conversation", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_summaries_owner", "summaries", ["owner"])
    op.create_table(
        "profile_entries",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.String(64), nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_profile_entries"),
        sa.ForeignKeyConstraint(["source"], ["turns.id"], name="fk_profile_entries_source", ondelete="CASCADE"),
    )
    op.create_index("ix_profile_entries_owner", "profile_entries", ["owner"])
    op.create_index("ix_profile_entries_source", "profile_entries", ["source"])
    op.create_table(
        "profile_settings",
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_profile_settings"),
    )
