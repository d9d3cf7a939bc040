"""Market Programmer Agent: from an alert to a proven fix that production confirms."""
