"""Tables, migrations and the audit chain; the only package that knows SQLAlchemy."""
