"""How pages are made: every value is escaped, and characters that hide or reorder text are shown by their code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse
from starlette.types import Scope

from .. import __version__
from ..kit.redact import visible
from .diffs import shown

FOLDER = Path(__file__).parent


def _shown(value: Any) -> Any:
    """Text with nothing hidden in it; markup of our own, and anything else, as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        finalize=_shown,
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
