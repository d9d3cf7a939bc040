"""Deliveries become alerts, alerts become episodes, episodes become incidents."""
