"""Settings: the environment, `.env` and `agent.toml`. The only module that reads them.

Names in the environment carry no prefix. What has structure (targets, policy, limits) lives in `agent.toml`, whose
relative paths are relative to the file. Everything wrong is told as `Misconfigured`: which setting, what was read, and
what to write.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .errors import Misconfigured
from .kit.files import OWNER_ONLY
from .model.language import Allowances, DayAllowance, IncidentAllowance, LanguageModel, Price, ToolServer
from .model.policy import Autonomy
from .model.record import Record
from .model.signals import BUILT_IN, Rule
from .model.target import Target, TargetAction

SHORTEST_KEY = 12
DEFAULT_CONFIG = Path("agent.toml")
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Hours = Annotated[float, Field(gt=0, le=720, allow_inf_nan=False)]
Limit = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def http_url(url: str) -> str:
    """An http(s) URL without its last slash. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://127.0.0.1:8000")
    return url.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(http_url)]


class PolicySettings(Record):
    """``[policy]``: what the agent may do by itself."""

    autonomy: Literal["observe", "diagnose", "propose", "approve", "autonomous"] = "approve"
    drafts: bool = False
    approval_expiry_hours: Hours = 24.0

    @property
    def level(self) -> Autonomy:
        """The rung of the autonomy ladder."""
        return Autonomy[self.autonomy.upper()]


class SandboxSettings(Record):
    """``[limits]``: upper bounds of one run of target code in the sandbox."""

    wall_seconds: Seconds = 60.0
    cpu_seconds: int = Field(120, gt=0)
    memory_mib: int = Field(1536, ge=64)
    processes: int = Field(128, ge=1)
    file_mib: int = Field(128, ge=1)
    open_files: int = Field(512, ge=32)
    output_mib: int = Field(4, ge=1, le=64)
    environments: Path | None = None


class RuleLimits(Record):
    """``[monitoring.limits]``: the limit of each built-in rule; what is left out keeps its own."""

    error_ratio: Limit | None = None
    latency_p95: Limit | None = None
    mae_ratio: Limit | None = None
    data_age: Limit | None = None
    memory_growth: Limit | None = None


class MonitoringSettings(Record):
    """``[monitoring]``: the built-in monitor. ``interval`` (seconds) comes from MONITORING_INTERVAL.

    ``raises`` off: it still measures, but alerts come from somewhere else, such as Alertmanager.
    """

    interval: Seconds = 5.0
    start: bool = True
    raises: bool = True
    least_requests: int | None = Field(None, ge=1)
    limits: RuleLimits = RuleLimits()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The built-in rules with these limits."""
        return tuple(self._with_limits(rule) for rule in BUILT_IN)

    def _with_limits(self, rule: Rule) -> Rule:
        update: dict[str, float] = {}
        limit = getattr(self.limits, rule.signal, None)
        if limit is not None:
            update["limit"] = limit
        if self.least_requests is not None and rule.least:
            update["least"] = self.least_requests
        return rule.model_copy(update=update)


class VerificationSettings(Record):
    """``[verification]``: how long and with how much traffic production is watched after a deploy."""

    window_seconds: Seconds = 20.0
    settle_seconds: Limit = 3.0
    max_wait_seconds: Seconds = 180.0
    min_requests: int = Field(50, ge=1)
    min_failing_kind: int = Field(3, ge=1)


class LLMSettings(Record):
    """``[llm]``: how the model that LLM_MODEL names is asked, what it may cost, and where else it may look."""

    fallbacks: tuple[str, ...] = ()
    call_seconds: Seconds = 45.0
    output_tokens: int = Field(4_000, ge=64)
    retries: int = Field(2, ge=0, le=5)
    retry_pause: Limit = 1.0
    stream: bool = False
    incident: IncidentAllowance = IncidentAllowance()
    day: DayAllowance = DayAllowance()
    prices: dict[str, Price] = {}
    mcp: tuple[ToolServer, ...] = ()


class WebSettings(Record):
    """``[web]``: ``hosts`` are names, besides localhost, under which a browser may open the dashboard without a token."""

    hosts: tuple[str, ...] = ()


class AgentFile(Record):
    """The whole of `agent.toml`."""

    target: tuple[Target, ...] = ()
    policy: PolicySettings = PolicySettings()
    limits: SandboxSettings = SandboxSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    verification: VerificationSettings = VerificationSettings()
    llm: LLMSettings = LLMSettings()
    web: WebSettings = WebSettings()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [target.name for target in self.target]
        if "unassigned" in names:
            raise ValueError("no target may be called 'unassigned': that is where alerts of no target go")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"more than one target is called {', '.join(map(repr, twice))}: give each its own name")
        return self


class Settings(BaseSettings):
    """What the environment and `.env` say; `agent.toml` is read with it."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    environment: Literal["development", "production"] = "development"
    log_level: LogLevel = "INFO"
    debug: bool = False
    api_host: str = "127.0.0.1"
    api_port: int = Field(8001, ge=1, le=65535)
    api_token: SecretStr | None = None
    webhook_secret: SecretStr | None = None

    mpa_state: Path = Path(".mpa")
    mpa_config: Path = DEFAULT_CONFIG
    database_url: SecretStr | None = None

    market_predictor_url: HttpUrl | None = None
    safety_mode: bool = True
    monitoring_interval: Annotated[float, Field(ge=0.1, le=3600)] = 5.0
    learning_enabled: bool = True

    prometheus_url: HttpUrl | None = None
    alertmanager_url: HttpUrl | None = None
    loki_url: HttpUrl | None = None

    github_token: SecretStr | None = None
    github_repository: str | None = Field(None, pattern=r"^[\w.-]+/[\w.-]+$")

    openai_api_key: SecretStr | None = None
    llm_model: str | None = None
    llm_temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    llm_base_url: HttpUrl | None = None

    @cached_property
    def file(self) -> AgentFile:
        """What `agent.toml` says; empty when there is none. Raises `Misconfigured`."""
        if not self.mpa_config.exists():
            if self.mpa_config != DEFAULT_CONFIG:
                raise Misconfigured(f"MPA_CONFIG: there is no file {self.mpa_config}. Write it (mpa init), or unset it")
            return AgentFile()
        return read_agent_file(self.mpa_config)

    @property
    def state(self) -> Path:
        """The state folder, absolute."""
        return self.mpa_state.expanduser().absolute()

    @property
    def token_file(self) -> Path:
        """Where the service writes the token that other commands read."""
        return self.state / "token"

    @property
    def database(self) -> str:
        """The database's URL; SQLite in the state folder unless DATABASE_URL says otherwise."""
        given = self.database_url
        return f"sqlite:///{self.state / 'agent.db'}" if given is None else given.get_secret_value()

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of `agent.toml`, else one made from MARKET_PREDICTOR_URL, else none."""
        if self.file.target or self.market_predictor_url is None:
            return self.file.target
        repository = Path("market_predictor").absolute()
        return (Target(name="market-predictor", url=self.market_predictor_url, repository=repository),)

    @property
    def policy(self) -> PolicySettings:
        """What the agent may do by itself."""
        return self.file.policy

    @property
    def sandbox(self) -> SandboxSettings:
        """Bounds of one sandboxed run."""
        return self.file.limits

    @property
    def monitoring(self) -> MonitoringSettings:
        """The built-in monitor."""
        return self.file.monitoring.model_copy(update={"interval": self.monitoring_interval})

    @property
    def verification(self) -> VerificationSettings:
        """How production is watched after a deploy."""
        return self.file.verification

    @property
    def language(self) -> LanguageModel | None:
        """The language model, None when LLM_MODEL is not set."""
        if self.llm_model is None:
            return None
        given = self.file.llm
        same = given.model_dump(
            include={"fallbacks", "call_seconds", "output_tokens", "retries", "retry_pause", "stream"}
        )
        return LanguageModel(
            model=self.llm_model,
            temperature=self.llm_temperature,
            base_url=self.llm_base_url,
            api_key=self.openai_api_key,
            prices=given.prices,
            allowances=Allowances(incident=given.incident, day=given.day),
            servers=given.mcp,
            **same,
        )

    @property
    def web(self) -> WebSettings:
        """The dashboard's own settings."""
        return self.file.web

    @property
    def summary(self) -> str:
        """What this agent looks after, and which file says so; one line."""
        targets = ", ".join(f"{target.name} ({target.url})" for target in self.targets) or "none"
        file = self.mpa_config.absolute()
        return f"targets: {targets}; configuration: {file if file.exists() else f'none ({file} is not there)'}"

    @property
    def file_hash(self) -> str:
        """SHA-256 of `agent.toml`, empty when there is none."""
        return hashlib.sha256(self.mpa_config.read_bytes()).hexdigest() if self.mpa_config.exists() else ""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What was set and does not do what one may expect of it."""
        return (*self.unreachable(self.api_host), *self.without_effect, *self.in_clear)

    @property
    def in_clear(self) -> tuple[str, ...]:
        """Whether what a model is sent, its key too, would cross a network unencrypted."""
        parts = urlsplit(self.llm_base_url or "")
        if (
            parts.scheme != "http"
            or parts.hostname in ("localhost", "::1")
            or (parts.hostname or "").startswith("127.")
        ):
            return ()
        return (
            "LLM_BASE_URL begins with http: prompts and OPENAI_API_KEY are sent unencrypted. Write https if it can be had",
        )

    def unreachable(self, host: str) -> tuple[str, ...]:
        """Why a service that listens on ``host`` refuses whoever is not on this machine, empty when it does not."""
        if host == "localhost" or host.startswith("127.") or host == "::1" or (self.api_token and self.webhook_secret):
            return ()
        absent = " and ".join(
            name
            for name, value in (("API_TOKEN", self.api_token), ("WEBHOOK_SECRET", self.webhook_secret))
            if not value
        )
        return (f"it listens on {host}, but answers 403 to other machines until {absent} is set in .env",)

    @property
    def without_effect(self) -> tuple[str, ...]:
        """What was set, and grants nothing yet; a person who set it should know."""
        policy, found = self.policy, []
        if policy.level is Autonomy.AUTONOMOUS:
            found.append('policy.autonomy = "autonomous" is not yet granted to any action: it acts as "approve"')
        if policy.drafts:
            found.append("policy.drafts has no effect yet: the local forge's drafts stay inside and need nobody")
        return tuple(found)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that was set, here or for a model's client, so that logs and prompts can leave it out."""
        values = (getattr(self, name) for name in type(self).model_fields)
        own = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
        return tuple(dict.fromkeys((*own, *provider_keys())))

    def prepare_state(self) -> Path:
        """Make the state folder (mode 700) and return it. Raises `Misconfigured` when that cannot be done."""
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            self.state.chmod(OWNER_ONLY)
        except OSError as error:
            hint = "Write a folder that this user may make, such as MPA_STATE=.mpa"
            raise Misconfigured(f"MPA_STATE: {self.state} cannot be used: {error.strerror}. {hint}") from error
        return self.state


def load(env_file: Path | None = Path(".env")) -> Settings:
    """Read everything there is. Raises `Misconfigured` with every mistake."""
    try:
        settings = Settings(_env_file=env_file)
    except ValidationError as error:
        raise Misconfigured("\n".join(_environment_mistake(found) for found in error.errors())) from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{env_file}: is not UTF-8 text ({error.reason}). Write it again") from error
    _ = settings.file  # read now, so that a mistake in agent.toml is told at the start
    return settings


def passed_on() -> dict[str, str]:
    """The environment for a program that the command line starts in its own place (`mpa demo`)."""
    return dict(os.environ)


def provider_keys() -> tuple[str, ...]:
    """Keys of other providers that their clients find in the environment; what is short is a switch, not a key."""
    ends = ("_API_KEY", "_TOKEN", "_SECRET")
    return tuple(value for name, value in os.environ.items() if name.endswith(ends) and len(value) >= SHORTEST_KEY)


def installer_environment() -> dict[str, str]:
    """What the downloader of wheels may see: index, proxy and certificate settings, and nothing else."""
    names = ("PIP_", "SSL_", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "no_proxy")
    return {name: value for name, value in os.environ.items() if name.startswith(names)}


def read_agent_file(path: Path) -> AgentFile:
    """Read one `agent.toml`. Raises `Misconfigured` with every mistake."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path}: is not TOML: {error}. Compare with what `mpa init` writes") from error
    try:
        found = AgentFile.model_validate(data)
    except ValidationError as error:
        raise Misconfigured("\n".join(f"{path}: {_file_mistake(mistake)}" for mistake in error.errors())) from error
    return found.model_copy(update={"target": tuple(_rooted(target, path.parent) for target in found.target)})


def _rooted(target: Target, root: Path) -> Target:
    """Relative paths become relative to the file's folder."""
    update: dict[str, Any] = {"url": target.url.rstrip("/")}
    for name in ("repository", "log_file", "supervisor", "release_root", "settings_file"):
        value = getattr(target, name)
        if value is not None:
            update[name] = (root / value.expanduser()).absolute()
    return target.model_copy(update=update)


def _environment_mistake(mistake: Mapping[str, Any]) -> str:
    name = str(mistake["loc"][0]) if mistake["loc"] else "the environment"
    field = Settings.model_fields.get(name)
    secret = field is not None and "SecretStr" in str(field.annotation)
    read = "a secret" if secret else repr(mistake.get("input"))[:120]
    return f"{name.upper()}: read {read}: {_reason(mistake)}. {_example(name, mistake)}"


def _example(name: str, mistake: Mapping[str, Any]) -> str:
    expected = (mistake.get("ctx") or {}).get("expected")
    if expected:
        return f"Write one of: {expected}"
    field = Settings.model_fields.get(name)
    default = None if field is None else field.default
    return f"Write for example {name.upper()}={default}" if default is not None else f"Correct or unset {name.upper()}"


def _file_mistake(mistake: Mapping[str, Any]) -> str:
    loc: Sequence[str | int] = mistake["loc"]
    where = ".".join(str(part) for part in loc)
    if mistake["type"] == "extra_forbidden":
        known = _known_keys(loc)
        near = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"
        return f"unknown key {where!r}: {hint}"
    if mistake["type"] == "missing":
        return f"{where!r} is missing: write it"
    if not loc:
        return _reason(mistake)
    return f"{where!r}: read {repr(mistake.get('input'))[:120]}: {_reason(mistake)}"


def _known_keys(loc: Sequence[str | int]) -> list[str]:
    """The keys that may stand beside the last one of ``loc``."""
    model: type[BaseModel] = AgentFile
    inner: dict[str, type[BaseModel]] = {
        "target": Target,
        "policy": PolicySettings,
        "limits": SandboxSettings,
        "monitoring": MonitoringSettings,
        "verification": VerificationSettings,
        "llm": LLMSettings,
        "web": WebSettings,
    }
    names = [part for part in loc[:-1] if isinstance(part, str)]
    if names:
        nested: dict[tuple[str, ...], type[BaseModel]] = {
            ("monitoring", "limits"): RuleLimits,
            ("target", "action"): TargetAction,
        }
        model = nested.get(tuple(names)) or inner.get(names[0], AgentFile)
    return list(model.model_fields)


def _reason(mistake: Mapping[str, Any]) -> str:
    message = str(mistake["msg"])
    return message.removeprefix("Value error, ").removeprefix("Input ")
