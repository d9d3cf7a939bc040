"""Hourly price predictions for the trading desk."""

__version__ = "1.8.0"
