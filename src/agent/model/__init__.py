"""Frozen records of the incident's world and their rules; no I/O."""
