"""How pages are made: every value is escaped, and characters that hide or reorder text are shown by their code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse
from starlette.types import Scope

from .. import __version__
from .diffs import shown

FOLDER = Path(__file__).parent
# Control, zero-width and direction characters: a diff that reads one way and runs another must not be approved.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(value: Any) -> Any:
    """The same text with hidden characters as ``<U+202E>``; anything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _HIDDEN.sub(lambda match: f"<U+{ord(match[0]):04X}>", value)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["diff"] = shown
    made.globals["version"] = __version__
    return made


templates = Jinja2Templates(env=_environment())


def page(name: str, *, code: int = 200, **context: Any) -> HTMLResponse:
    """A page."""
    return HTMLResponse(templates.get_template(name).render(**context), code)


def wants_page(scope: Scope) -> bool:
    """Whether a browser asks for something to show to a person."""
    accepted = [value for name, value in scope["headers"] if name.lower() == b"accept"]
    return any(b"text/html" in value.lower() for value in accepted)
