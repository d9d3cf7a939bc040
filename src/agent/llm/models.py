"""Opens the chat models that the settings name. LangChain is imported here, at the first call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import Misconfigured
from ..model.language import LanguageModel

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

OPENAI = "openai"
OPENAI_URL = "https://api.openai.com/v1"
PROVIDERS = re.compile(r"^([a-z][a-z0-9_]*):(?=.)")
_OPENAI_NAME = re.compile(r"^(?:gpt-|chatgpt|o\d)")
# These take no temperature but their own.
_REASONING = re.compile(r"^(?:o\d|gpt-[5-9](?!.*chat))")


@dataclass(frozen=True)
class Named:
    """A chat model and the name that the settings give it."""

    name: str
    chat: BaseChatModel


def open_models(language: LanguageModel) -> tuple[Named, ...]:
    """The model and its fallbacks, in the order in which they are asked. Raises `Misconfigured`."""
    own = provider_of(language.model)
    return tuple(_open(name, language, own) for name in dict.fromkeys((language.model, *language.fallbacks)))


def provider_of(model: str) -> str:
    """The provider's name, empty when `init_chat_model` has to infer it."""
    found = PROVIDERS.match(model)
    if found:
        return found[1]
    return OPENAI if _OPENAI_NAME.match(model) else ""


def _open(name: str, language: LanguageModel, own: str) -> Named:
    from langchain.chat_models import init_chat_model

    provider = provider_of(name)
    options = _options(name, provider, language, base_url=language.base_url if provider == own else None)
    try:
        chat: BaseChatModel = init_chat_model(name, **options)
    except ImportError as error:
        raise Misconfigured(
            f"LLM_MODEL: {name!r} needs another package: pip install 'market-programmer-agent[{provider or 'PROVIDER'}]' "
            f"or langchain-{(provider or 'PROVIDER').replace('_', '-')}"
        ) from error
    except Exception as error:  # any failure here means that a setting is wrong; its text may hold the setting itself
        why = type(error).__name__
        raise Misconfigured(
            f"LLM_MODEL: {name!r} cannot be opened ({why}). Write provider:model, such as openai:gpt-4"
        ) from error
    return Named(name, chat)


def _options(name: str, provider: str, language: LanguageModel, base_url: str | None) -> dict[str, Any]:
    """One retry layer is ours, so the client's own is off; without a timeout a client would wait for ever."""
    bare = PROVIDERS.sub("", name)
    options: dict[str, Any] = {}
    if language.temperature is not None and not _REASONING.match(bare):
        options["temperature"] = language.temperature
    if provider == "ollama":
        options |= {"num_predict": language.output_tokens, "client_kwargs": {"timeout": language.call_seconds}}
    else:
        options |= {"timeout": language.call_seconds, "max_retries": 0, "max_tokens": language.output_tokens}
    if base_url is not None:
        options["base_url"] = base_url
    if provider == OPENAI:
        options |= _openai(language, base_url)
    return options


def _openai(language: LanguageModel, base_url: str | None) -> dict[str, Any]:
    """Key and address are always given: the client must not find others in the environment."""
    key = language.api_key.get_secret_value() if language.api_key else ""
    if not key and base_url is None:
        raise Misconfigured("OPENAI_API_KEY is not set: set it, or LLM_BASE_URL for a server that needs none")
    options: dict[str, Any] = {"api_key": key or "none", "base_url": base_url or OPENAI_URL}
    if base_url is not None:
        options["use_responses_api"] = False  # the one interface that every gateway and local server has
    if language.stream:
        options |= {"streaming": True, "stream_usage": True}
    return options
