"""The instruments that the desk follows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Instrument:
    """One instrument: ``price`` is its usual level in dollars, ``volatility`` the hourly one (log return)."""

    symbol: str
    price: float
    volatility: float
    quiet_overnight: bool = True


INSTRUMENTS = {
    item.symbol: item
    for item in (
        Instrument("AAPL", 210.0, 0.0040),
        Instrument("MSFT", 420.0, 0.0035),
        Instrument("NVDA", 120.0, 0.0065),
        Instrument("BRK.B", 450.0, 0.0025),
        Instrument("SNDL", 1.9, 0.0090),
        Instrument("BTC-USD", 64000.0, 0.0080, quiet_overnight=False),
    )
}


class UnknownSymbol(KeyError):
    """The desk does not follow this symbol."""


def lookup(symbol: str) -> Instrument:
    """The instrument of a symbol, whatever its case. Raises UnknownSymbol."""
    found = INSTRUMENTS.get(symbol.strip().upper())
    if found is None:
        raise UnknownSymbol(symbol)
    return found
