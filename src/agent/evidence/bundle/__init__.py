"""Incident bundles: all that was known of one incident in a folder or an archive, to share, diagnose again and keep."""
