"""The store: `UnitOfWork`, `Ledger`, `Trail` and the effects of durable steps, over one database."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from ..errors import Conflict, NotFound, Permanent, Unreachable
from ..kit.redact import redact, redact_json
from ..model.alert import Episode
from ..model.audit import Entry
from ..model.evidence import Change
from ..model.incident import Incident, Phase
from ..model.policy import Approval
from ..model.record import Json, Record
from ..ports import Clock
from . import tables
from .audit import GENESIS, Chain, Verdict
from .purse import StoredPurse
from .schema import SNAPSHOT, connect

T = TypeVar("T", bound=Record)
MOST_DOCUMENT = 8 << 20
MOST_DELIVERIES = 1_000
LONGEST_DELIVERY = 256 << 10
MOST_CHANGES = 5_000
MOST_CLOSED = 2_000
MOST_STRAYS = 20_000
LONGEST_DIFF = 64 << 10
LONGEST_MESSAGE = 4_000
AT_ONCE = 500  # keys in one question; SQLite takes some thousand parameters


_EPISODE_KEY = tuple_(tables.episodes.c.fingerprint, tables.episodes.c.starts_at)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class StoreTransaction:
    """One write transaction; implements `Transaction`."""

    def __init__(self, connection: Connection, chain: Chain, clock: Clock) -> None:
        self._connection, self._chain, self._clock = connection, chain, clock
        self.enqueued: list[Incident] = []
        self.appended = 0

    def incident(self, incident_id: str) -> Incident:
        """Read an incident for update. Raises `NotFound`."""
        return _incident(self._connection, incident_id)

    def active_incident(self, target: str) -> Incident | None:
        """The one active incident of a target."""
        where = (tables.incidents.c.target == target) & tables.incidents.c.active
        body = self._connection.execute(select(tables.incidents.c.body).where(where)).scalar()
        return None if body is None else Incident.model_validate_json(body)

    def save(self, incident: Incident) -> None:
        """Insert or replace an incident. Raises `Conflict` for a second active one of the same target."""
        row = {
            "target": incident.target,
            "phase": incident.phase.value,
            "active": incident.phase is not Phase.CLOSED,
            "wake_at": None if incident.wake_at is None else _iso(incident.wake_at),
            "opened_at": _iso(incident.opened_at),
            "body": incident.model_dump_json(),
        }
        try:
            _upsert(self._connection, tables.incidents, {"id": incident.id}, row)
        except IntegrityError as error:
            raise Conflict(f"{incident.target} has an active incident already: join it") from error
        if incident.phase is Phase.CLOSED:
            self._forget_old()

    def _forget_old(self) -> None:
        """Of closed incidents the newest 2,000 are kept with all that belongs to them; the trail keeps every entry."""
        column = tables.incidents.c
        closed = select(column.id).where(column.active.is_(False)).order_by(column.opened_at.desc(), column.id)
        old = [row[0] for row in self._connection.execute(closed.offset(MOST_CLOSED).limit(MOST_CLOSED))]
        for table in (tables.documents, tables.episodes, tables.approvals, tables.effects) if old else ():
            self._connection.execute(delete(table).where(table.c.incident_id.in_(old)))
        if old:
            self._connection.execute(delete(tables.incidents).where(column.id.in_(old)))

    def put(self, incident: Incident, kind: str, record: Record) -> None:
        """Keep a document of the incident's current attempt; the last one wins. Raises `Permanent` when too large."""
        body = record.model_dump_json()
        if len(body) > MOST_DOCUMENT:
            raise Permanent(f"the {kind} of {incident.id} is larger than {MOST_DOCUMENT} bytes and was not stored")
        key = {"incident_id": incident.id, "attempt": incident.attempt, "kind": kind}
        _upsert(self._connection, tables.documents, key, {"body": body})

    def known_episodes(self, keys: Collection[tuple[str, datetime]]) -> tuple[Episode, ...]:
        """Those of ``(fingerprint, starts_at)`` that are stored."""
        wanted = [(fingerprint, _iso(starts_at)) for fingerprint, starts_at in keys]
        found: list[Episode] = []
        for start in range(0, len(wanted), AT_ONCE):
            found += _episodes(self._connection, _EPISODE_KEY.in_(wanted[start : start + AT_ONCE]))
        return tuple(found)

    def save_episodes(self, episodes: Sequence[Episode]) -> None:
        """Insert or replace episodes, however many, in two statements."""
        rows = [
            {
                "fingerprint": episode.fingerprint,
                "starts_at": _iso(episode.starts_at),
                "target": episode.target,
                "incident_id": episode.incident_id,
                "resolved": episode.resolved,
                "source": episode.source,
                "body": episode.model_dump_json(),
            }
            for episode in episodes
        ]
        if rows:
            column = tables.episodes.c
            same = (column.fingerprint == bindparam("of"), column.starts_at == bindparam("since"))
            keys = [{"of": row["fingerprint"], "since": row["starts_at"]} for row in rows]
            self._connection.execute(delete(tables.episodes).where(*same), keys)
            self._connection.execute(insert(tables.episodes), rows)

    def waiting(self, target: str) -> tuple[Episode, ...]:
        """Unresolved episodes of a target that belong to no incident yet, oldest first."""
        column = tables.episodes.c
        return _episodes(
            self._connection, (column.target == target) & column.incident_id.is_(None) & column.resolved.is_(False)
        )

    def forget_resolved(self, incident_id: str, most: int) -> int:
        """Keep the newest ``most`` resolved episodes of an incident; how many went."""
        column = tables.episodes.c
        return self._forget_episodes((column.incident_id == incident_id) & column.resolved, most)

    def _forget_episodes(self, which: ColumnElement[bool], most: int) -> int:
        column = tables.episodes.c
        newest_first = (column.starts_at.desc(), column.fingerprint)
        old = select(column.fingerprint, column.starts_at).where(which).order_by(*newest_first).offset(most)
        return self._connection.execute(delete(tables.episodes).where(_EPISODE_KEY.in_(old))).rowcount

    def unresolved(self, incident_id: str) -> int:
        """How many of an incident's episodes have not resolved."""
        column = tables.episodes.c
        query = select(func.count()).where(column.incident_id == incident_id, column.resolved.is_(False))
        return int(self._connection.execute(query).scalar_one())

    def save_approval(self, approval: Approval) -> None:
        """Insert or replace an approval."""
        row = {
            "incident_id": approval.incident_id,
            "requested_at": _iso(approval.requested_at),
            "body": approval.model_dump_json(),
        }
        _upsert(self._connection, tables.approvals, {"id": approval.id}, row)

    def approvals(self, incident_id: str) -> tuple[Approval, ...]:
        """All approvals of an incident, oldest first."""
        return _approvals(self._connection, incident_id)

    def append(
        self, kind: str, message: str, *, incident_id: str | None = None, actor: str = "agent", data: Json | None = None
    ) -> Entry:
        """Add an audit entry in this transaction; text is redacted."""
        head = self._connection.execute(select(tables.audit_head)).mappings().first()
        seq, previous = (head["seq"] + 1, head["hash"]) if head else (1, GENESIS)
        clean = redact_json(dict(data or {}))
        entry = Entry(
            seq=seq,
            at=self._clock.now(),
            actor=redact(actor)[:200],
            kind=kind[:80],
            incident_id=incident_id,
            message=redact(message)[:LONGEST_MESSAGE],
            data=clean if isinstance(clean, dict) else {},
            previous=previous,
            hash="",
        )
        entry = entry.model_copy(update={"hash": self._chain.hash(entry)})
        row = entry.model_dump(mode="json")
        self._connection.execute(insert(tables.audit).values(**{**row, "data": json.dumps(row["data"])}))
        seal = {"seq": seq, "hash": entry.hash, "seal": self._chain.seal(seq, entry.hash)}
        _upsert(self._connection, tables.audit_head, {"id": 1}, seal)
        self.appended = seq
        return entry

    def enqueue(self, incident: Incident) -> None:
        """The incident's row itself is the queue entry: due when it does not wait. Runners are woken after commit."""
        self.enqueued.append(incident)

    def put_delivery(self, body: str, source: str) -> None:
        """Keep a delivery as it came, redacted and cut to a quarter of a mebibyte; the newest 1,000."""
        table = tables.deliveries
        kept = redact(body[:LONGEST_DELIVERY])
        values = {"received_at": _iso(self._clock.now()), "source": source, "body": kept}
        self._connection.execute(insert(table).values(**values))
        newest = select(func.max(table.c.id)).scalar_subquery()
        self._connection.execute(delete(table).where(table.c.id <= newest - MOST_DELIVERIES))
        # Episodes that were over before anybody saw them fire belong to no incident.
        self._forget_episodes(tables.episodes.c.incident_id.is_(None) & tables.episodes.c.resolved, MOST_STRAYS)

    def put_change(self, change: Change) -> None:
        """Keep a change that CI reported, redacted and with a diff of at most 64 KiB; the newest 5,000."""
        clean = {"title": redact(change.title), "author": redact(change.author)}
        diff = None if change.diff is None else redact(change.diff[:LONGEST_DIFF])
        kept = change.model_copy(update={**clean, "diff": diff})
        table = tables.changes
        _upsert(
            self._connection, table, {"id": change.id}, {"at": _iso(change.timestamp), "body": kept.model_dump_json()}
        )
        newest = select(table.c.id).order_by(table.c.at.desc()).limit(MOST_CHANGES)
        self._connection.execute(delete(table).where(table.c.id.not_in(newest)))

    def effect_intent(self, name: str, incident_id: str, kind: str) -> tuple[bool, str | None]:
        """Record that an effect is about to happen: (was the intent there already, its result when it was done)."""
        table, values = tables.effects, {"name": name, "incident_id": incident_id, "kind": kind}
        row = self._connection.execute(select(table).where(table.c.name == name)).mappings().first()
        if row is not None:
            return True, row["result"]
        self._connection.execute(insert(table).values(**values, intent_at=_iso(self._clock.now())))
        return False, None

    def effect_done(self, name: str, result: str) -> None:
        """Record what an effect gave, and say so in the trail."""
        of_name, values = tables.effects.c.name == name, {"done_at": _iso(self._clock.now()), "result": result}
        self._connection.execute(update(tables.effects).where(of_name).values(**values))
        incident_id = self._connection.execute(select(tables.effects.c.incident_id).where(of_name)).scalar()
        self.append("effect.done", name, incident_id=incident_id)

    def set_flag(self, name: str, value: str) -> None:
        """Set a switch such as the emergency stop."""
        _upsert(self._connection, tables.flags, {"name": name}, {"value": value})


class Store:
    """One database; safe for many threads."""

    def __init__(self, url: str, clock: Clock, chain: Chain) -> None:
        self._engine = connect(url)
        self._clock, self._chain = clock, chain
        self._changed = threading.Condition()
        self._newest = self._last_entry()
        self._wake: list[Callable[[], None]] = []
        self.purse = StoredPurse(self._engine, clock)

    def on_enqueue(self, callback: Callable[[], None]) -> None:
        """Call back after every commit that queued something."""
        self._wake.append(callback)

    @contextmanager
    def begin(self) -> Iterator[StoreTransaction]:
        """One write transaction; rolled back when the block raises. Raises `Unreachable` when the database is."""
        try:
            with self._engine.begin() as connection:
                tx = StoreTransaction(connection, self._chain, self._clock)
                yield tx
        except OperationalError as error:
            raise Unreachable(f"the database did not take it: {error.orig}") from error
        if tx.appended:
            with self._changed:
                self._newest = max(self._newest, tx.appended)
                self._changed.notify_all()
        if tx.enqueued:
            for callback in self._wake:
                callback()

    def append(
        self, kind: str, message: str, *, incident_id: str | None = None, actor: str = "agent", data: Json | None = None
    ) -> Entry:
        """Add one audit entry; committed when this returns."""
        with self.begin() as tx:
            return tx.append(kind, message, incident_id=incident_id, actor=actor, data=data)

    def wait_for_entries(self, after: int, timeout: float) -> int:
        """Wait until the newest entry's number is above ``after``, at most ``timeout`` seconds; the newest number."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest > after, timeout)
            return self._newest

    def incident(self, incident_id: str) -> Incident:
        """One incident. Raises `NotFound`."""
        with self._reading() as connection:
            return _incident(connection, incident_id)

    def incidents(
        self, *, active: bool | None = None, target: str | None = None, limit: int = 50
    ) -> tuple[Incident, ...]:
        """Newest first, of all targets or of one."""
        query = select(tables.incidents.c.body).order_by(tables.incidents.c.opened_at.desc()).limit(limit)
        if target is not None:
            query = query.where(tables.incidents.c.target == target)
        if active is not None:
            query = query.where(tables.incidents.c.active.is_(active))
        return tuple(Incident.model_validate_json(body) for body in self._column(query))

    def document(self, incident_id: str, kind: str, of: type[T], *, attempt: int | None = None) -> T | None:
        """The newest document of a kind (of one attempt, or of any)."""
        column = tables.documents.c
        query = select(column.body).where(column.incident_id == incident_id, column.kind == kind)
        if attempt is not None:
            query = query.where(column.attempt == attempt)
        bodies = self._column(query.order_by(column.attempt.desc()).limit(1))
        return of.model_validate_json(bodies[0]) if bodies else None

    def episodes(self, incident_id: str, *, limit: int | None = None) -> tuple[Episode, ...]:
        """All episodes attached to an incident, oldest first; of more than ``limit`` the unresolved, then the newest."""
        column = tables.episodes.c
        query = select(column.body).where(column.incident_id == incident_id)
        query = query.order_by(column.resolved, column.starts_at.desc(), column.fingerprint).limit(limit)
        found = [Episode.model_validate_json(body) for body in self._column(query)]
        return tuple(sorted(found, key=lambda episode: (episode.starts_at, episode.fingerprint)))

    def episode_counts(self, incident_id: str) -> tuple[int, int]:
        """How many episodes of an incident are kept, and how many of them have not resolved."""
        column = tables.episodes.c
        query = select(func.count(), func.count().filter(column.resolved.is_(False)))
        with self._reading() as connection:
            total, unresolved = connection.execute(query.where(column.incident_id == incident_id)).one()
            return total, unresolved

    def unresolved_by_target(self) -> dict[str, int]:
        """How many episodes have not resolved, whoever raised them and whatever became of their incident."""
        column = tables.episodes.c
        query = select(column.target, func.count()).where(column.resolved.is_(False)).group_by(column.target)
        with self._reading() as connection:
            return {str(target): int(count) for target, count in connection.execute(query)}

    def unresolved_from(self, source: str, limit: int) -> tuple[Episode, ...]:
        """The newest unresolved episodes that came by one door, also those of closed incidents; oldest first."""
        column = tables.episodes.c
        query = select(column.body).where(column.source == source, column.resolved.is_(False))
        bodies = self._column(query.order_by(column.starts_at.desc(), column.fingerprint).limit(limit))
        return tuple(Episode.model_validate_json(body) for body in reversed(bodies))

    def all_episodes(self) -> tuple[Episode, ...]:
        """Every episode."""
        with self._reading() as connection:
            return _episodes(connection, None)

    def approvals(self, incident_id: str) -> tuple[Approval, ...]:
        """All approvals of an incident, oldest first."""
        with self._reading() as connection:
            return _approvals(connection, incident_id)

    def entries(self, *, incident_id: str | None = None, after: int = 0, limit: int = 500) -> tuple[Entry, ...]:
        """Audit entries with ``seq > after``, oldest first."""
        query = select(tables.audit).where(tables.audit.c.seq > after).order_by(tables.audit.c.seq).limit(limit)
        if incident_id is not None:
            query = query.where(tables.audit.c.incident_id == incident_id)
        with self._reading() as connection:
            return tuple(_entry(dict(row)) for row in connection.execute(query).mappings())

    def verify_audit(self) -> Verdict:
        """Check the whole chain, as it is at one moment: entries may be written meanwhile."""
        with self._reading(SNAPSHOT) as connection:
            head = connection.execute(select(tables.audit_head)).mappings().first()
            rows = connection.execute(select(tables.audit).order_by(tables.audit.c.seq)).mappings()
            known = None if head is None else (head["seq"], head["hash"], head["seal"])
            return self._chain.verify((_entry(dict(row)) for row in rows), known)

    def due(self, now: datetime) -> tuple[Incident, ...]:
        """Active incidents to be run: those that wait for nothing, and those whose ``wake_at`` has passed."""
        waiting = self.incidents(active=True, limit=1000)
        return tuple(i for i in waiting if i.waiting is None or (i.wake_at is not None and i.wake_at <= now))

    def next_wake(self, after: datetime) -> datetime | None:
        """The earliest ``wake_at`` of an active incident behind ``after``."""
        column = tables.incidents.c
        found = self._column(select(func.min(column.wake_at)).where(column.active, column.wake_at > _iso(after)))
        return datetime.fromisoformat(found[0]) if found and found[0] else None

    def flag(self, name: str) -> str | None:
        """A switch's value."""
        found = self._column(select(tables.flags.c.value).where(tables.flags.c.name == name))
        return found[0] if found else None

    def deliveries(self, limit: int = 50) -> tuple[str, ...]:
        """Alert deliveries as they came (redacted), newest first."""
        table = tables.deliveries
        return tuple(self._column(select(table.c.body).order_by(table.c.id.desc()).limit(limit)))

    def changes(self, limit: int = 200) -> tuple[Change, ...]:
        """Reported changes, newest first."""
        query = select(tables.changes.c.body).order_by(tables.changes.c.at.desc()).limit(limit)
        return tuple(Change.model_validate_json(body) for body in self._column(query))

    def effect_intent(self, name: str, incident_id: str, kind: str) -> tuple[bool, str | None]:
        """Record that an effect is about to happen: (was the intent there already, its result when it was done)."""
        with self.begin() as tx:
            return tx.effect_intent(name, incident_id, kind)

    def effect_done(self, name: str, result: str) -> None:
        """Record what an effect gave, and that it is done: both or neither."""
        with self.begin() as tx:
            tx.effect_done(name, result)

    def _last_entry(self) -> int:
        with self._reading() as connection:
            return connection.execute(select(func.max(tables.audit.c.seq))).scalar() or 0

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _reading(self, level: IsolationLevel = "AUTOCOMMIT") -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(isolation_level=level) as connection:
                yield connection
        except DBAPIError as error:
            raise Unreachable(f"the database did not answer: {error.orig}") from error

    def _column(self, query: Select[Any]) -> list[str]:
        with self._reading() as connection:
            return list(connection.execute(query).scalars())


def _upsert(connection: Connection, table: Any, key: dict[str, Any], row: dict[str, Any]) -> None:
    """Update the row of a key, or insert it; the write lock is held, so nobody comes between."""
    where = [table.c[name] == value for name, value in key.items()]
    if connection.execute(update(table).where(*where).values(**row)).rowcount == 0:
        connection.execute(insert(table).values(**key, **row))


def _incident(connection: Connection, incident_id: str) -> Incident:
    body = connection.execute(select(tables.incidents.c.body).where(tables.incidents.c.id == incident_id)).scalar()
    if body is None:
        raise NotFound(f"there is no incident {incident_id[:64]!r}: `mpa incidents list` shows all")
    return Incident.model_validate_json(body)


def _episodes(connection: Connection, where: Any) -> tuple[Episode, ...]:
    query = select(tables.episodes.c.body).order_by(tables.episodes.c.starts_at, tables.episodes.c.fingerprint)
    if where is not None:
        query = query.where(where)
    return tuple(Episode.model_validate_json(body) for body in connection.execute(query).scalars())


def _approvals(connection: Connection, incident_id: str) -> tuple[Approval, ...]:
    column = tables.approvals.c
    query = select(column.body).where(column.incident_id == incident_id).order_by(column.requested_at, column.id)
    return tuple(Approval.model_validate_json(body) for body in connection.execute(query).scalars())


def _entry(row: dict[str, Any]) -> Entry:
    return Entry.model_validate({**row, "data": json.loads(row["data"])})
