"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, length: int, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=null)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(64), primary_key=True),
        _text("target", 200),
        _text("phase", 20),
        sa.Column("active", sa.Boolean, nullable=False),
        _text("wake_at", 40, null=True),
        _text("opened_at", 40),
        sa.Column("body", sa.Text, nullable=False),
    )
    where = sa.text("active")
    op.create_index(
        "one_active_incident", "incidents", ["target"], unique=True, sqlite_where=where, postgresql_where=where
    )
    op.create_table(
        "documents",
        sa.Column("incident_id", sa.String(64), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "episodes",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("starts_at", sa.String(40), primary_key=True),
        _text("target", 200),
        sa.Column("incident_id", sa.String(64), index=True),
        sa.Column("resolved", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        _text("received_at", 40),
        _text("source", 40),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(120), primary_key=True),
        sa.Column("incident_id", sa.String(64), nullable=False, index=True),
        _text("requested_at", 40),
        sa.Column("body", sa.Text, nullable=False),
    )
    _more()


def _more() -> None:
    op.create_table(
        "effects",
        sa.Column("name", sa.String(200), primary_key=True),
        _text("incident_id", 64),
        _text("kind", 20),
        _text("intent_at", 40),
        _text("done_at", 40, null=True),
        sa.Column("result", sa.Text),
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        _text("at", 40),
        _text("actor", 200),
        _text("kind", 80),
        sa.Column("incident_id", sa.String(64), index=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        _text("previous", 64),
        _text("hash", 64),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False),
        _text("hash", 64),
        _text("seal", 64),
    )
    op.create_table(
        "changes",
        sa.Column("id", sa.String(120), primary_key=True),
        _text("at", 40),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "flags", sa.Column("name", sa.String(60), primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )


def downgrade() -> None:
    """Nothing was there before; the first revision is not undone."""
    raise NotImplementedError("there is nothing before the first revision")
