"""Putting a proven patch into production, and the measured proof that it helped."""
