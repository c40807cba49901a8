"""Pauses of sources, what a person lets rest, what look-ups were answered, and how rows were read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _sources()
    _appointments()
    op.create_table(
        "rests",
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("what", "name", name=op.f("pk_rests")),
    )


def _sources() -> None:
    op.add_column("sources", sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sources", sa.Column("pause_reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("sources", sa.Column("pauses", sa.Integer(), nullable=False, server_default="0"))


def _appointments() -> None:
    op.add_column("appointments", sa.Column("verdict", sa.String(), nullable=False, server_default=""))
    op.add_column("appointments", sa.Column("verdict_evidence", sa.Text(), nullable=False, server_default=""))
    op.add_column("appointments", sa.Column("reading", sa.String(), nullable=False, server_default=""))
    op.add_column("appointments", sa.Column("reread", sa.Boolean(), nullable=False, server_default=sa.false()))
