"""Opens the database: pragmas, migrations, and triggers that keep the audit table append-only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Inspector, create_engine, event, inspect, text
from sqlalchemy.engine.interfaces import IsolationLevel

from ..errors import Misconfigured
from .tables import metadata

MIGRATIONS = Path(__file__).with_name("migrations")
# Every read sees the same moment; the one level of this kind that all databases know.
SNAPSHOT: IsolationLevel = "SERIALIZABLE"
_APPEND_ONLY = tuple(
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb.lower()} BEFORE {verb} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    for verb in ("UPDATE", "DELETE")
)


def connect(url: str) -> Engine:
    """An engine with a schema that is up to date. Raises `Misconfigured`."""
    try:
        engine = create_engine(url)
    except Exception as error:  # any failure here means that the setting is wrong
        raise Misconfigured(
            f"DATABASE_URL cannot be used: {error}. Write sqlite:///PATH or postgresql+psycopg://…"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _pragmas)
        event.listen(engine, "begin", _begin)
    _migrate(engine)
    return engine


def _pragmas(connection: Any, _record: Any) -> None:
    """WAL so that readers never wait; FULL so that what was acknowledged survives a power cut."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    """Take the write lock at the start: a transaction that reads, then writes, cannot fail half-way.

    A snapshot only reads, and keeps nobody from writing.
    """
    level = connection.get_execution_options().get("isolation_level")
    if level != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN" if level == SNAPSHOT else "BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    """Alembic's migrations; skipped in a millisecond when the database is at the newest revision."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        current = (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if "alembic_version" in names
            else None
        )
    if current == head:
        return
    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if engine.dialect.name == "sqlite":
            for statement in _APPEND_ONLY:
                connection.exec_driver_sql(statement)


def differences(engine: Engine) -> list[str]:
    """Tables and columns in which the database and the metadata differ; for a test."""
    inspector: Inspector = inspect(engine)
    found = []
    for table in metadata.tables.values():
        there = (
            {column["name"] for column in inspector.get_columns(table.name)}
            if inspector.has_table(table.name)
            else set()
        )
        wanted = {column.name for column in table.columns}
        if there != wanted:
            found.append(f"{table.name}: {sorted(there ^ wanted)}")
    return found
