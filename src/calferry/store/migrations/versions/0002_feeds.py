"""Feeds: their events as they are served, when they changed, their addresses. The edition sources are routed by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sources", sa.Column("edition", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "fragments",
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("calendar", "uid", name=op.f("pk_fragments")),
    )
    op.create_index(op.f("ix_fragments_calendar_ends_at"), "fragments", ["calendar", "ends_at"])
    op.create_table(
        "feeds",
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_feeds")),
    )
    op.create_table(
        "links",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("rotation", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_feed"), "links", ["feed"])
