"""The analyst: a language model behind `Analyst`. Whatever goes wrong, the engine's diagnosis stands and says why."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import AgentError, Misconfigured
from ..kit.fencing import Fence
from ..model.analysis import Analysis
from ..model.case import Case
from ..model.language import AnalysisOutcome, LanguageModel, Usage
from ..ports import Analyst, Clock, Purse
from .budget import Meter
from .failures import LimitReached, NoAnswer
from .mcp import mcp_tools
from .models import open_models
from .prompt import instructions, opening
from .reading import read
from .table import Table
from .tools import Bench, tools_for

LONGEST_REASON = 400


class LangChainAnalyst:
    """Implements `Analyst` with any chat model of LangChain. ``secrets`` are values that must never leave this process."""

    def __init__(self, language: LanguageModel, purse: Purse, clock: Clock, secrets: Sequence[str] = ()) -> None:
        key = language.api_key.get_secret_value() if language.api_key else ""
        self._language, self._purse, self._clock = language, purse, clock
        self._secrets = (*secrets, key)

    def analyse(self, case: Case) -> Analysis:
        """Its checked claims, or why there are none. Never raises."""
        fence = Fence(self._secrets)
        meter: Meter | None = None
        try:
            from .conversation import converse  # takes seconds the first time, which are not the model's

            meter = Meter(self._purse, self._clock, case.incident.id, self._language.allowances, self._language.prices)
            models, table = open_models(self._language), Table(case, fence)
            more = mcp_tools(self._language.servers, fence, meter.note)
            bench = Bench(table, meter, (*tools_for(case, table), *more))
            answer = converse(self._language, models, bench, instructions(table), opening(case, table))
            return read(answer, case, table, meter.usage("used"))
        except LimitReached as error:
            return _unused("limit", str(error), fence, meter)
        except Misconfigured as error:
            return _unused("no_model", str(error), fence, meter)
        except NoAnswer as error:
            return _unused("no_answer", str(error), fence, meter)
        except Exception as error:  # noqa: BLE001 - a model, its library or the account may fail in any way
            said = str(error) if isinstance(error, AgentError) else f"{type(error).__name__}: {error}"
            return _unused("failed", said, fence, meter)


class NoAnalyst:
    """Implements `Analyst` where no model is set, or none is wanted."""

    def __init__(self, reason: str = "LLM_MODEL is not set") -> None:
        self._reason = reason

    def analyse(self, case: Case) -> Analysis:  # noqa: ARG002 - nobody looks at it
        """The reason, and no claims."""
        return Analysis(usage=Usage(outcome="no_model", reason=self._reason))


def open_analyst(language: LanguageModel | None, purse: Purse, clock: Clock, secrets: Sequence[str] = ()) -> Analyst:
    """The analyst that the settings ask for; no model is opened before there is a case."""
    return NoAnalyst() if language is None else LangChainAnalyst(language, purse, clock, secrets)


def _unused(outcome: AnalysisOutcome, reason: str, fence: Fence, meter: Meter | None) -> Analysis:
    said = " ".join(fence.clean(reason, LONGEST_REASON).split())
    return Analysis(usage=meter.usage(outcome, said) if meter else Usage(outcome=outcome, reason=said))
