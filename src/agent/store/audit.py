"""The audit chain: every entry's hash covers its content and the hash before it, keyed with a secret of the service.

HMAC-SHA256 (RFC 2104) over canonical JSON. Somebody who can write the database but has not the key cannot change,
drop, reorder or insert an entry unseen. The head (last number and hash) is sealed as well, so that entries cut off at the
end are missed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..model.audit import Entry

GENESIS = "0" * 64


@dataclass(frozen=True)
class Verdict:
    """Whether the chain holds; ``bad`` is the number of the first entry that does not fit."""

    ok: bool
    entries: int
    bad: int | None = None
    reason: str = ""
    head: str = ""


class Chain:
    """Hashes entries with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def open(cls, path: Path) -> Chain:
        """The chain with the key in a file of mode 600, made when missing."""
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
        return cls(path.read_text().strip().encode())

    def hash(self, entry: Entry) -> str:
        """The hash of an entry's content and of what went before it."""
        content = entry.model_dump(mode="json", exclude={"hash"})
        return self._mac(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True))

    def seal(self, seq: int, head: str) -> str:
        """What shows that the last entry is the last one."""
        return self._mac(f"head {seq} {head}")

    def verify(self, entries: Iterable[Entry], head: tuple[int, str, str] | None) -> Verdict:
        """Check all entries in order, then the sealed head (number, hash, seal)."""
        previous, seq = GENESIS, 0
        for entry in entries:
            seq += 1
            if entry.seq != seq:
                return Verdict(
                    ok=False, entries=seq - 1, bad=seq, reason=f"entry {seq} is missing; {entry.seq} follows"
                )
            if entry.previous != previous:
                return Verdict(
                    ok=False, entries=seq - 1, bad=seq, reason=f"entry {seq} does not follow the one before it"
                )
            if not hmac.compare_digest(entry.hash, self.hash(entry)):
                return Verdict(ok=False, entries=seq - 1, bad=seq, reason=f"entry {seq} was changed")
            previous = entry.hash
        expected = (seq, previous, self.seal(seq, previous))
        if seq and head != expected:
            return Verdict(ok=False, entries=seq, bad=seq + 1, reason="entries are missing at the end")
        if not seq and head is not None:
            return Verdict(ok=False, entries=0, bad=1, reason="every entry is missing")
        return Verdict(ok=True, entries=seq, head=previous)

    def _mac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
