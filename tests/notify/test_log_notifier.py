"""People are told through the trail."""

from agent.model.audit import Entry
from agent.model.incident import Incident
from agent.notify.log import LogNotifier
from fakes.clock import NOON


class ListedTrail:
    def __init__(self):
        self.entries = []

    def append(self, kind, message, *, incident_id=None, actor="agent", data=None):
        entry = Entry(
            seq=len(self.entries), at=NOON, actor=actor, kind=kind, incident_id=incident_id, message=message,
            data=data or {}, previous="", hash="",
        )  # fmt: skip
        self.entries.append(entry)
        return entry


def test_an_escalation_is_one_entry_without_secrets_or_control_characters():
    """Subject on one line, text bounded; what looks like a secret is masked."""
    trail = ListedTrail()
    incident = Incident(id="i-1", target="shop", component="shop", signal="s", title="t", opened_at=NOON)
    LogNotifier(trail).tell(incident, "two\nlines\x1b[2J", "token=abcdefgh " + "x" * 10_000)
    (entry,) = trail.entries
    assert (entry.kind, entry.incident_id, entry.message) == ("people.told", "i-1", "two lines")
    assert "abcdefgh" not in entry.data["text"]
    assert len(entry.data["text"]) <= 4000
