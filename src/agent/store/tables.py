"""The tables. Times are ISO 8601 text in UTC, records are JSON text: both read the same in every database."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("target", String(200), nullable=False),
    Column("phase", String(20), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("wake_at", String(40)),
    Column("opened_at", String(40), nullable=False),
    Column("body", Text, nullable=False),
)
Index(
    "one_active_incident",
    incidents.c.target,
    unique=True,
    sqlite_where=incidents.c.active,
    postgresql_where=incidents.c.active,
)

documents = Table(
    "documents",
    metadata,
    Column("incident_id", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("body", Text, nullable=False),
)

episodes = Table(
    "episodes",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("starts_at", String(40), primary_key=True),
    Column("target", String(200), nullable=False),
    Column("incident_id", String(64), index=True),
    Column("resolved", Boolean, nullable=False),
    Column("source", String(40), nullable=False, server_default=""),
    Column("body", Text, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("received_at", String(40), nullable=False),
    Column("source", String(40), nullable=False),
    Column("body", Text, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("incident_id", String(64), nullable=False, index=True),
    Column("requested_at", String(40), nullable=False),
    Column("body", Text, nullable=False),
)

effects = Table(
    "effects",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("incident_id", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("intent_at", String(40), nullable=False),
    Column("done_at", String(40)),
    Column("result", Text),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("kind", String(80), nullable=False),
    Column("incident_id", String(64), index=True),
    Column("message", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("hash"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("at", String(40), nullable=False),
    Column("body", Text, nullable=False),
)

model_calls = Table(
    "model_calls",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("day", String(10), nullable=False, index=True),
    Column("incident_id", String(64), nullable=False, index=True),
    Column("model", String(120), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("money", Float, nullable=False),
    Column("seconds", Float, nullable=False),
)

flags = Table("flags", metadata, Column("name", String(60), primary_key=True), Column("value", Text, nullable=False))
