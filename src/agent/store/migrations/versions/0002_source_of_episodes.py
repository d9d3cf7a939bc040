"""By which door an episode came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of the episodes that are there nobody knows."""
    op.add_column("episodes", sa.Column("source", sa.String(40), nullable=False, server_default=""))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("episodes", "source")
