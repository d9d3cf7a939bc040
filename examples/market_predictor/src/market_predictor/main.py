"""``python -m uvicorn market_predictor.main:app``."""

from .app import create
from .settings import from_environment

app = create(from_environment())
