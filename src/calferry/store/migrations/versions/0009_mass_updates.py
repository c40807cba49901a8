"""Why a calendar shall hold another event than before, and which calendars most events of were updated in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("sources", sa.Column("reset_from", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sources", sa.Column("reset_cause", sa.Text(), nullable=False, server_default=""))
    op.add_column("placements", sa.Column("cause", sa.Text(), nullable=False, server_default=""))
    op.add_column("calendars", sa.Column("mass_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("calendars", sa.Column("mass_reason", sa.Text(), nullable=False, server_default=""))
