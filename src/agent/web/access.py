"""Who may do what: the access rules of DESIGN.md, as one table and pure functions.

A request that did not arrive on a loopback address is refused unless both secrets are set. In development and from
loopback no token is needed to read, for ``/monitoring/*``, ``/control/*`` and, without WEBHOOK_SECRET, for alerts.
Whatever decides for a person needs a principal, always.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from ..errors import Misconfigured
from ..kit.files import PRIVATE, write_atomic
from ..kit.redact import fence
from ..settings import Settings
from .problems import Problem

COOKIE = "mpa_session"
SESSION_SECONDS = 12 * 3600
NAME_LENGTH = 100
# At least one letter or digit of any script, said so that every reader of regular expressions means the same.
NAMES_SOMEBODY = "[0-9A-Za-z\u00c0-\ud7ff\ue000-\uffff]"
TOKEN_BYTES = 32
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Need(Enum):
    """What a route asks of its caller."""

    NOTHING = "nothing"
    READ = "read"
    OPERATE = "operate"
    WEBHOOK = "webhook"
    PRINCIPAL = "principal"


# First match wins; whatever is not listed needs a reader for GET and a principal for the rest.
RULES: tuple[tuple[str, re.Pattern[str], Need], ...] = (
    ("GET", re.compile(r"/health"), Need.NOTHING),
    ("GET", re.compile(r"/static/.*"), Need.NOTHING),
    ("GET", re.compile(r"/session"), Need.NOTHING),
    ("POST", re.compile(r"/session(/end)?"), Need.NOTHING),
    ("POST", re.compile(r"/webhook/alerts"), Need.WEBHOOK),
    ("POST", re.compile(r"/(monitoring|control)/.*"), Need.OPERATE),
    ("GET", re.compile(r"/.*"), Need.READ),
)


def need(method: str, path: str) -> Need:
    """What a request to this address needs."""
    for rule_method, pattern, found in RULES:
        if method == rule_method and pattern.fullmatch(path):
            return found
    return Need.READ if method in SAFE_METHODS else Need.PRINCIPAL


@dataclass(frozen=True)
class Caller:
    """Who asks. ``principal`` is the name that came with a token (empty when none did), None without a token.

    ``form_key`` is set for a browser's session: a form counts only when it brings this key, which only our own pages know.
    """

    principal: str | None
    local: bool
    webhook: bool = False
    form_key: str | None = None

    @property
    def name(self) -> str:
        """The name for the audit trail."""
        return self.principal or ("somebody on this machine" if self.principal is None else "whoever holds the token")


class Keys:
    """The secrets callers may show. The state folder's token always counts; API_TOKEN counts beside it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens: tuple[str, ...] | None = None

    @property
    def tokens(self) -> tuple[str, ...]:
        """Tokens that make a principal."""
        if self._tokens is None:
            given = self._settings.api_token
            own = ensure_token(self._settings)
            self._tokens = (own,) if given is None else (given.get_secret_value(), own)
        return self._tokens

    def is_token(self, shown: str) -> bool:
        """Whether this is one of the tokens; takes the same time for every wrong one."""
        return sum(same(shown, token) for token in self.tokens) > 0

    def is_webhook_secret(self, shown: str) -> bool:
        """Whether this is WEBHOOK_SECRET."""
        secret = self._settings.webhook_secret
        return secret is not None and same(shown, secret.get_secret_value())

    def session(self, name: str, now: float | None = None) -> str:
        """A cookie for a browser whose person showed the token: name, expiry and a signature, not the token."""
        expires = int((time.time() if now is None else now) + SESSION_SECONDS)
        claim = f"{base64.urlsafe_b64encode(name.encode()).decode().rstrip('=')}.{expires}"
        return f"{claim}.{_sign(self.tokens[0], claim)}"

    def session_name(self, cookie: str, now: float | None = None) -> str | None:
        """The person behind a session cookie, None when it is not ours or too old."""
        claim, _, signature = cookie.rpartition(".")
        encoded, _, expires = claim.partition(".")
        if not same(signature, _sign(self.tokens[0], claim)) or not re.fullmatch(r"[0-9]{1,12}", expires):
            return None
        if int(expires) < (time.time() if now is None else now):
            return None
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()

    def form_key(self, cookie: str) -> str:
        """What the forms of a session's pages carry, and another site cannot know."""
        return _sign(self.tokens[0], f"form:{cookie}")


def ensure_token(settings: Settings) -> str:
    """The state folder's token; made (mode 600) when there is none. Raises `Misconfigured`."""
    settings.prepare_state()
    path = settings.token_file
    try:
        if not path.exists():
            write_atomic(path, secrets.token_urlsafe(TOKEN_BYTES) + "\n", mode=PRIVATE)
        path.chmod(PRIVATE)
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be used: {error}. Remove it and start again") from error
    if not token:
        raise Misconfigured(f"{path} is empty. Remove it and start again")
    return token


class Access:
    """Decides whether a request may go on. Raises `Problem` when not."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings, self._keys = settings, keys

    def admit(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> Caller:
        """The caller, if this request may go on. Raises `Problem` 401, 403 or 421."""
        if not arrived_on_loopback(scope) and not self._both_secrets:
            raise Problem(
                403, "The agent answers only on loopback until API_TOKEN and WEBHOOK_SECRET are both set in .env."
            )
        same_origin(scope["method"], headers)
        caller = self.caller(scope, headers)
        wanted = need(scope["method"], scope["path"])
        if caller.principal is None and not caller.webhook and wanted is not Need.NOTHING:
            self._known_host(headers)
        self._allow(caller, wanted, headers)
        return caller

    def caller(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> Caller:
        """Who asks, by token, cookie or webhook secret. Raises `Problem` 401 for credentials that are wrong."""
        local = is_local(scope, headers)
        shown = credential(headers.get("authorization", ""))
        if shown is not None:
            if self._keys.is_token(shown):
                return Caller(safe_name(headers.get("x-principal", "")), local)
            if need(scope["method"], scope["path"]) is Need.WEBHOOK and self._keys.is_webhook_secret(shown):
                return Caller(None, local, webhook=True)
            raise Problem(401, "This token is not known here. `mpa token show` prints the one to send.")
        cookie = _cookie(headers.get("cookie", "")) or ""
        name = self._keys.session_name(cookie) if cookie else None
        return Caller(name, local, form_key=None if name is None else self._keys.form_key(cookie))

    @property
    def _both_secrets(self) -> bool:
        return self._settings.api_token is not None and self._settings.webhook_secret is not None

    def _allow(self, caller: Caller, wanted: Need, headers: Mapping[str, str]) -> None:
        if wanted is Need.NOTHING or caller.principal is not None:
            return
        trusted = caller.local and self._settings.environment == "development"
        if wanted is Need.WEBHOOK:
            open_door = trusted and self._settings.webhook_secret is None
            if caller.webhook or open_door:
                return
            raise Problem(401, "Send WEBHOOK_SECRET as a bearer token or as the password of basic authentication.")
        if trusted and wanted in (Need.READ, Need.OPERATE):
            return
        if wanted is Need.PRINCIPAL and is_form(headers.get("content-type", "")):
            return  # a form may carry the token itself: the route looks at it
        raise Problem(401, "Send `Authorization: Bearer TOKEN`; `mpa token show` prints the token.")

    def _known_host(self, headers: Mapping[str, str]) -> None:
        """A web page elsewhere can point its own name at 127.0.0.1; it cannot choose what stands in Host."""
        host = headers.get("host", "")
        name = host_name(host)
        if name in ("localhost", *self._settings.web.hosts) or (name and _address(name) is not None):
            return
        raise Problem(421, f"The agent is not called {fence(host, 80)!r}: use localhost, or add it to [web] hosts.")


def person(text: str) -> str:
    """The name of a person who decides, safe for the audit trail. Raises `Problem` 422 when there is none."""
    name = safe_name(text)
    if not name or re.search(NAMES_SOMEBODY, text) is None:
        raise Problem(422, "Say who decides: send the person's name as `by`, or in the header X-Principal.")
    return name


def safe_name(text: str) -> str:
    """A name made safe for the audit trail; empty when it says nothing."""
    return fence(" ".join(text.split()), NAME_LENGTH).strip()


def credential(authorization: str) -> str | None:
    """The secret in an Authorization header (bearer, or basic's password). Raises `Problem` 401 when unreadable."""
    scheme, _, value = authorization.strip().partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            pass  # told below like any other header that cannot be read
    raise Problem(401, "The Authorization header cannot be read: send `Bearer TOKEN`.")


def arrived_on_loopback(scope: Mapping[str, Any]) -> bool:
    """Whether the server's own end of the connection is a loopback address."""
    return _is_loopback((scope.get("server") or ("",))[0])


def is_local(scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Whether both ends are on this machine and no proxy stands between."""
    client = (scope.get("client") or ("",))[0]
    proxied = any(name in headers for name in PROXY_HEADERS)
    return arrived_on_loopback(scope) and _is_loopback(client) and not proxied


def same_origin(method: str, headers: Mapping[str, str]) -> None:
    """A browser may only change things from our own pages. Raises `Problem` 403."""
    if method in SAFE_METHODS:
        return
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    foreign = site not in (None, "same-origin", "none")
    if origin is not None:
        foreign = foreign or origin == "null" or urlsplit_netloc(origin) != headers.get("host", "").lower()
    if foreign:
        raise Problem(
            403, "This request comes from another site's page. Use the agent's own page, or the command line."
        )


def urlsplit_netloc(origin: str) -> str:
    """Host and port of an origin, empty when it cannot be read."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    found = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?|([^:\[\]]+)(?::\d+)?", host.strip())
    return (found[1] or found[2]).lower().rstrip(".") if found else ""


def is_form(content_type: str) -> bool:
    """Whether a browser's form was sent."""
    return content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def same(left: str, right: str) -> bool:
    """Whether two secrets are the same; takes as long for every wrong one."""
    return hmac.compare_digest(
        hashlib.sha256(left.encode("utf-8", "replace")).digest(),
        hashlib.sha256(right.encode("utf-8", "replace")).digest(),
    )


def _is_loopback(address: str) -> bool:
    found = _address(address)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found is not None and found.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None else None


def _sign(token: str, claim: str) -> str:
    return hmac.new(token.encode(), f"mpa-session:{claim}".encode(), hashlib.sha256).hexdigest()
