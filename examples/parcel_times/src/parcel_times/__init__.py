"""Parcel times: how long a parcel will take from a depot to a door."""

__version__ = "2.4.0"
