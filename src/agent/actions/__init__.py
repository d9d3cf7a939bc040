"""Mitigations: restart, roll back and runbooks. Today the workflow restarts and rolls back through the deployer."""
