"""The HTTP edge: routes, access rules, problem documents, live events, the dashboard."""
