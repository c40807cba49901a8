"""What a calendar holds, while something else is wanted there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("placements", sa.Column("written", sa.Text(), nullable=False, server_default=""))
