"""How an analysis may end without a result. None of these leaves the package: the diagnosis goes on without a model."""

from __future__ import annotations

from ..errors import AgentError


class LimitReached(AgentError):
    """A call that no budget has room for."""


class CallFailed(AgentError):
    """A call that did not bring an answer; ``again`` when another try may."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


class NoAnswer(AgentError):
    """A conversation that ended without a result."""


class Refused(AgentError):
    """A question of the model's that is not answered; the message is for the model."""
