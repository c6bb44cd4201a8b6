"""Alembic's entry: runs the wanted steps inside the transaction that `hub.ledger.migrate` has opened."""

from alembic import context

from hub.ledger.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
