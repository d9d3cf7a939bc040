"""Code hosts: pull requests, checks and merges."""
