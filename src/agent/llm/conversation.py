"""One conversation with a model, by LangChain's `create_agent` and a few middlewares.

This module imports LangChain: import it only where a model is about to be asked. Around each call, from the outside in:
fallback models, retries, and `Metered`, which redacts, sets aside, waits no longer than allowed, and settles.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    AgentState,
    ModelFallbackMiddleware,
    ModelRequest,
    ModelResponse,
    ModelRetryMiddleware,
    ToolCallLimitMiddleware,
    ToolCallRequest,
    ToolErrorMiddleware,
    hook_config,
)
from langchain.agents.structured_output import ToolStrategy
from langchain_core.exceptions import ModelError
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.runtime import Runtime
from langgraph.types import Command
from langsmith import tracing_context
from pydantic import JsonValue, ValidationError

from ..kit.deadline import within
from ..kit.fencing import Fence
from ..kit.redact import redact_json
from ..model.language import LanguageModel
from .answer import Answer
from .budget import Tokens
from .failures import CallFailed, NoAnswer
from .models import Named
from .prompt import CALL_ANSWER, CIRCLES, SHORTER
from .tools import Bench

MOST_REPAIRS = 2
MOST_REPEATS = 3
MOST_TOOL_CALLS = 24
MOST_STEPS = 200
LONGEST_MESSAGE = 100_000
LONGEST_REASON = 300
LONGEST_PAUSE = 8.0
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
CUT_OFF = frozenset({"length", "max_tokens", "MAX_TOKENS"})
State = AgentState[Any]
M = TypeVar("M", bound=BaseMessage)


def converse(language: LanguageModel, models: Sequence[Named], bench: Bench, system: str, opening: str) -> Answer:
    """Let the model look and answer. Raises `CallFailed`, `LimitReached` or `NoAnswer`."""
    endings = Endings()
    metered = Metered(language, models, bench)
    first, *others = (each.chat for each in models)
    middleware: list[AgentMiddleware[Any, Any, Any]] = [
        ToolErrorMiddleware(lambda error, _: f"no answer: {type(error).__name__}"),
        Repeats(bench),
        ToolCallLimitMiddleware(run_limit=MOST_TOOL_CALLS, exit_behavior="continue"),
        endings,
        *([ModelFallbackMiddleware(*others)] if others else []),
        ModelRetryMiddleware(
            max_retries=language.retries,
            retry_on=metered.worth_another_try,
            on_failure="error",
            initial_delay=language.retry_pause,
            max_delay=LONGEST_PAUSE,
        ),
        metered,
    ]
    agent = create_agent(
        first,
        tools=bench.offered(),
        system_prompt=system,
        middleware=middleware,
        response_format=ToolStrategy(Answer, tool_message_content="taken"),
    )
    begin: Any = {"messages": [HumanMessage(opening)]}
    # Whatever the environment says, nothing of a conversation is traced to anywhere.
    with tracing_context(enabled=False):
        state = agent.invoke(begin, {"recursion_limit": MOST_STEPS})
    answer = endings.answer or state.get("structured_response")
    if not isinstance(answer, Answer):
        raise NoAnswer(endings.problem or "the model ended without a result")
    return answer


class Metered(AgentMiddleware[State, Any, Any]):
    """The innermost layer around a model: what goes out and comes in is clean, paid for and in time."""

    def __init__(self, language: LanguageModel, models: Sequence[Named], bench: Bench) -> None:
        super().__init__()
        self._language, self._bench, self._meter = language, bench, bench.meter
        self._fence = bench.table.fence
        self._names = {id(each.chat): each.name for each in models}
        self._gone: dict[str, str] = {}
        self._running: dict[str, int] = {}

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Make one call. Raises `LimitReached` or `CallFailed`."""
        name = self._names.get(id(request.model), "unknown")
        if name in self._gone:
            raise CallFailed(self._gone[name], again=False)
        output, longest = self._language.output_tokens, self._language.call_seconds
        last = self._meter.last(name, _characters(request), output, longest)
        if last or self._bench.repeats >= MOST_REPEATS:
            told = [*request.messages, HumanMessage(CIRCLES)]
            request = request.override(tools=[], messages=told)
        request = request.override(messages=[_clean(each, self._fence) for each in request.messages])
        call = self._meter.begin(name, _characters(request), output)
        seconds = min(longest, self._meter.left)
        try:
            response = within(seconds, lambda: handler(request))
        except TimeoutError:
            self._meter.failed(call, f"no answer within {seconds:.0f} s", charged=True, outcome="abandoned")
            raise self._failure(name, f"no answer within {seconds:.0f} s", again=True) from None
        except Exception as error:  # noqa: BLE001 - a vendor's library may raise anything; its text is cleaned before it goes on
            reason, again = explained(error, self._fence)
            self._meter.failed(call, reason, charged=not uncharged(error))
            raise self._failure(name, reason, again=again) from None
        self._running.pop(name, None)
        self._meter.answered(call, _tokens(response))
        return _taken(response, self._fence)

    def _failure(self, name: str, reason: str, *, again: bool) -> CallFailed:
        """The failure to raise; a model that fails for good, or too often in a row, is not asked any more."""
        self._running[name] = self._running.get(name, 0) + 1
        if not again or self._running[name] > self._language.retries:
            self._gone[name] = f"{name}: {reason}"
        return CallFailed(f"{name}: {reason}", again=again)

    def worth_another_try(self, error: Exception) -> bool:
        """Whether a failed call is made again: the fault may pass, and there is time."""
        return isinstance(error, CallFailed) and error.again and self._meter.left > 2 * self._language.retry_pause


class Endings(AgentMiddleware[State, Any, Any]):
    """Turns an ending without a result into another try, twice: cut off, in plain text, or not as the schema wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Answer | None = None
        self.problem = ""
        self._repairs = 0

    @hook_config(can_jump_to=["model", "end"])
    def after_model(self, state: State, runtime: Runtime[Any]) -> dict[str, Any] | None:  # noqa: ARG002 - as called
        """Look how the model ended its turn."""
        if state.get("structured_response") is not None:
            return None
        last = next((each for each in reversed(state["messages"]) if isinstance(each, AIMessage)), None)
        if last is None:
            return None
        refused = bool(last.tool_calls)
        if any(each["name"] != Answer.__name__ for each in last.tool_calls):
            return None
        cut = bool(last.response_metadata.get("cut_off"))
        self.answer = None if cut or refused else _in_text(last.text)
        if self.answer is not None:
            return {"jump_to": "end"}
        self._repairs += 1
        self.problem = (
            "its answers were cut off" if cut else "its answers did not fit" if refused else "it only wrote text"
        )
        if self._repairs > MOST_REPAIRS:
            self.problem = f"the model was told {MOST_REPAIRS} times and gave no result: {self.problem}"
            return {"jump_to": "end"}
        return {"messages": [HumanMessage(SHORTER if cut else CALL_ANSWER)], "jump_to": "model"}


class Repeats(AgentMiddleware[State, Any, Any]):
    """Answers a question that was asked before without asking again."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]]
    ) -> ToolMessage | Command[Any]:
        """Run the tool, unless nearly the same was asked of it already."""
        call = request.tool_call
        if self._bench.again(call["name"], call["args"]):
            said = "You have asked this already; the answer is above. Ask something else, or call `Answer`."
            return ToolMessage(said, tool_call_id=call["id"], name=call["name"])
        return handler(request)


def explained(error: Exception, fence: Fence) -> tuple[str, bool]:
    """Why a call failed, in words that hold no secret, and whether another try may succeed."""
    status = getattr(error, "status_code", None)
    text = fence.clean(str(error), LONGEST_REASON)
    said = " ".join(f"{type(error).__name__}{f' {status}' if status else ''}: {text}".split())
    quota = "insufficient_quota" in f"{getattr(error, 'code', '')} {error}"
    if isinstance(error, ModelError):
        return said, error.is_retryable and not quota
    if isinstance(status, int):
        return said, not quota and (status in {408, 409, 425, 429} or status >= 500)  # noqa: PLR2004 - HTTP server errors
    return said, isinstance(error, OSError | json.JSONDecodeError) or "Connection" in type(error).__name__


def uncharged(error: BaseException) -> bool:
    """Whether a call that failed cost nothing for sure: it was refused, or nobody was there. Garbage may cost."""
    if isinstance(getattr(error, "status_code", None), int):
        return True
    chain: BaseException | None = error
    while chain is not None:
        if type(chain).__name__ in {"ConnectError", "ConnectTimeout"}:
            return True
        chain = chain.__cause__
    return False


def _characters(request: ModelRequest[Any]) -> int:
    """About how much is sent, tools and schema too."""
    messages = sum(len(each.text) + len(str(getattr(each, "tool_calls", ""))) for each in request.messages)
    tools = sum(
        len(str(getattr(each, "args", each))) + len(str(getattr(each, "description", ""))) for each in request.tools
    )
    return messages + tools + len(request.system_prompt or "") + len(json.dumps(Answer.model_json_schema()))


def _clean(message: M, fence: Fence) -> M:
    """A message that may go out. Our own mark stays: what is inside of it was cleaned when it was fenced."""
    outside = Fence(fence.secrets, mark="\0")
    text = outside.clean(message.text, LONGEST_MESSAGE)
    if isinstance(message, AIMessage):
        calls = [
            {
                **each,
                "name": _NOT_A_NAME.sub("_", outside.clean(each["name"], 64)),
                "args": _clean_json(each["args"], outside),
            }
            for each in message.tool_calls
        ]
        return message.model_copy(update={"content": text, "tool_calls": calls})
    return message.model_copy(update={"content": text})


def _clean_json(value: Any, fence: Fence) -> Any:
    if isinstance(value, str):
        return fence.clean(value, LONGEST_MESSAGE)
    if isinstance(value, list):
        return [_clean_json(each, fence) for each in value]
    if isinstance(value, dict):
        named: JsonValue = redact_json({key: _clean_json(each, fence) for key, each in value.items()})
        return named
    return value


def _taken(response: ModelResponse[Any], fence: Fence) -> ModelResponse[Any]:
    """What a model said, cleaned and stripped of all that we do not read. A cut-off message loses its calls.

    A client that streams completes broken JSON to something that parses: half an answer must not pass for a whole one.
    """
    result: list[Any] = []
    structured = response.structured_response
    for message in response.result:
        if not isinstance(message, AIMessage):
            result.append(_clean(message, fence))
            continue
        metadata = message.response_metadata
        cut = (metadata.get("finish_reason") or metadata.get("stop_reason")) in CUT_OFF or bool(
            message.invalid_tool_calls
        )
        plain = AIMessage(
            content=message.text or ("(cut off)" if cut else ""),
            tool_calls=[] if cut else message.tool_calls,
            response_metadata={"cut_off": cut},
        )
        result.append(_clean(plain, fence))
        if cut:
            return ModelResponse(result=[result[-1]], structured_response=None)
    return ModelResponse(result=result, structured_response=structured)


def _tokens(response: ModelResponse[Any]) -> Tokens | None:
    """What the provider counted, None when it did not."""
    for message in response.result:
        if isinstance(message, AIMessage) and message.usage_metadata:
            usage = message.usage_metadata
            cached = (usage.get("input_token_details") or {}).get("cache_read") or 0
            return Tokens(max(0, usage["input_tokens"]), max(0, usage["output_tokens"]), max(0, cached))
    return None


def _in_text(text: str) -> Answer | None:
    """A result that was written as text instead of handed over: some servers know no tool calls."""
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        return None
    try:
        return Answer.model_validate_json(text[begin : end + 1])
    except ValidationError:
        return None
