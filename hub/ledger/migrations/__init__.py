"""One Alembic history for both databases; run by hub.ledger.migrate."""
