"""The ledger: what connectors observed, what was found, planned, approved and done. Nothing else touches SQL.

    ledger.py      the face: `Ledger`, one method per thing the hub may ask
    schema.py      the tables; migrations/ makes them, migrate.py runs it and refuses a newer schema
    engine.py      one URL, two databases: opening, transactions, durability
    append.py      one page in one transaction: records, observations, quarantine, cursor
      in_force.py    which snapshots say something new (pure)
      append_sqlite.py, append_postgresql.py    bulk rows, each in its database's own way
    reads.py       observations as Arrow, raw records, counts
    runs.py        runs and receipts
    derived.py     what reconciliation made of it: a cache, replaced as a whole
    findings.py    findings and their lives, and the trend
    plans.py       plans, codes, approvals, single use
    intents.py     writes decided, and what became of each
    lease.py       one applier at a time, freed when it dies
    alerts.py      the outbox of messages
    values.py      times and texts as columns; upsert.py the one dialect difference

Laws, which the tests hold on both databases: tables that only grow refuse UPDATE and DELETE in the database
itself; a page and its cursor are stored together or not at all; the same page again adds nothing; what was
known at a moment can be read again.
"""

from hub.ledger.alerts import Delivery
from hub.ledger.append import Appended
from hub.ledger.findings import FindingChanges
from hub.ledger.ledger import Ledger
from hub.ledger.plans import PlanStatus

__all__ = ["Appended", "Delivery", "FindingChanges", "Ledger", "PlanStatus"]
