"""Every error the agent raises on purpose.

    AgentError
    ├── Transient            worth another try: the step runner retries it
    │   ├── Unreachable      a server or file that was not there this time
    │   └── Busy             a queue or limit that is full now
    └── Permanent            another try would end the same way
        ├── Misconfigured    a setting is wrong; says which one and what to write
        ├── NotFound         no such incident, commit, pull request
        ├── Conflict         the world moved: a patch no longer applies, an approval is for something else
        ├── Superseded       a phase of an attempt that is no longer current (the fencing token)
        ├── Unsafe           isolation is not to be had, or a limit would be broken: refused
        └── UnknownEffect    a *once* effect may or may not have happened: a person is asked

Adapters translate vendor errors into this tree; only the step runner retries. Messages say what happened, why, and
what to do next.
"""

from __future__ import annotations


class AgentError(Exception):
    """The root of the tree."""


class Transient(AgentError):
    """Worth another try."""


class Unreachable(Transient):
    """A server or file that was not there this time."""


class Busy(Transient):
    """A queue or limit that is full now."""


class Permanent(AgentError):
    """Another try would end the same way."""


class Misconfigured(Permanent):
    """A setting is wrong; the message says which one and what to write."""


class NotFound(Permanent):
    """No such incident, commit or pull request."""


class Conflict(Permanent):
    """The world moved: a patch no longer applies, or an approval is for something else."""


class Superseded(Permanent):
    """A phase of an attempt that is no longer current."""


class Unsafe(Permanent):
    """Isolation is not to be had, or a limit would be broken: refused."""


class UnknownEffect(Permanent):
    """A *once* effect may or may not have happened; it is never repeated without asking."""
