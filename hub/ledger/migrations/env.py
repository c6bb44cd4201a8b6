"""Alembic's entry: runs the wanted steps inside the transaction that `hub.ledger.migrate` has opened."""

from alembic import context

from hub.ledger.schema import VERSION_TABLE

# transactional_ddl: Alembic supposes SQLite cannot roll back DDL; with an explicit BEGIN it can.
context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
