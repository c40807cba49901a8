"""Sessions: what bookings have in common, which session they are counted in, and the sessions themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("appointments", sa.Column("session", sa.String(), nullable=False, server_default=""))
    op.add_column("appointments", sa.Column("part_of", sa.String(), nullable=False, server_default=""))
    op.add_column("appointments", sa.Column("founded", sa.Integer(), nullable=False, server_default="0"))
    shared, part = sa.text("session != ''"), sa.text("part_of != ''")
    op.create_index(
        op.f("ix_appointments_session"),
        "appointments",
        ["source", "session"],
        sqlite_where=shared,
        postgresql_where=shared,
    )
    op.create_index(
        op.f("ix_appointments_part_of"), "appointments", ["part_of"], sqlite_where=part, postgresql_where=part
    )
