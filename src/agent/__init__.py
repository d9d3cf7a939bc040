"""Market Programmer Agent: from an alert to a proven fix that production confirms."""

__version__ = "0.1.0"
