"""What calls of a language model took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None was made before."""
    op.create_table(
        "model_calls",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("day", sa.String(10), nullable=False, index=True),
        sa.Column("incident_id", sa.String(64), nullable=False, index=True),
        sa.Column("model", sa.String(120), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("tokens_out", sa.BigInteger, nullable=False),
        sa.Column("money", sa.Float, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("model_calls")
