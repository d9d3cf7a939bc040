"""The model: one ridge regression per horizon and symbol, stored as JSON so that serving needs no scikit-learn."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

MAX_HORIZON = 24


class HorizonUnavailable(ValueError):
    """The model was not trained for this horizon."""


class NotTrained(LookupError):
    """The model was not trained on this symbol."""


@dataclass(frozen=True)
class Model:
    """Coefficients per symbol and horizon (hours), the features they belong to, and their training statistics."""

    version: str
    trained_at: str
    features: tuple[str, ...]
    coefficients: dict[str, dict[str, list[float]]]
    reference: dict[str, list[float]]

    def predict(self, symbol: str, horizon: int, features: np.ndarray, scale: float) -> float:
        """Expected log return over ``horizon`` hours. Raises NotTrained or HorizonUnavailable."""
        per_horizon = self.coefficients.get(symbol)
        if per_horizon is None:
            raise NotTrained(f"{symbol}: model {self.version} was not trained on it")
        if str(horizon) not in per_horizon:
            raise HorizonUnavailable(f"horizon must be 1..{MAX_HORIZON} hours, not {horizon}")
        weights = np.array(per_horizon[str(horizon)])
        return float(weights[0] + features @ weights[1:]) * scale

    def age_seconds(self, now: datetime) -> float:
        """Market seconds since training."""
        return (now - datetime.fromisoformat(self.trained_at)).total_seconds()


def load(path: Path) -> Model:
    """Read a model file. Raises ValueError when it is not one."""
    try:
        data = json.loads(path.read_text())
        return Model(**{**data, "features": tuple(data["features"])})
    except (TypeError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name} is not a model file: {error}") from error


def save(model: Model, path: Path) -> None:
    """Write a model file."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(model), indent=None, separators=(",", ":")))
    temporary.replace(path)
