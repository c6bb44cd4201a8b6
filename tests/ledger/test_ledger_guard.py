"""The database itself refuses to change what was remembered, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from hub.domain.plans import Approval, Intent, Outcome
from hub.domain.records import Receipt
from hub.ledger import Ledger
from hub.ledger.schema import APPEND_ONLY, metadata

Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def full(ledger: Ledger, scene: Any) -> Ledger:
    """A ledger with a row in every table that only grows."""
    run = ledger.start_run("sync", scene.at())
    page = scene.page(scene.said("ada", 0), records=(scene.raw(),))
    ledger.append(run, "issues", "jira", page, scene.at())
    ledger.add_receipt(run, Receipt(source="jira", stream="issues", started_at=scene.at(), finished_at=scene.at(1)))
    ledger.record_findings(run, scene.wrong("k1"), scene.at())
    plan = scene.plan()
    ledger.save_plan(plan, scene.at())
    ledger.add_approval(Approval(digest=plan.digest, person="ada", method="code", at=scene.at()))
    ledger.consume(plan.digest, scene.at())
    ledger.add_intent(Intent(key="k", plan=plan.digest, change=plan.changes[0]), scene.at())
    ledger.add_event("k", Outcome(kind="claimed", at=scene.at()))
    return ledger


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_update_and_delete_are_refused(full: Ledger, sql: Sql, table: str) -> None:
    column = next(c.name for c in metadata.tables[table].columns if not c.primary_key)
    before = sql(f'SELECT * FROM "{table}"')
    assert before, "a guard on an empty table proves nothing"

    for statement in (f'UPDATE "{table}" SET "{column}" = "{column}"', f'DELETE FROM "{table}"'):
        with pytest.raises(Exception, match="append-only"):
            sql(statement)

    assert sql(f'SELECT * FROM "{table}"') == before


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_a_row_cannot_be_replaced_or_the_table_emptied(full: Ledger, sql: Sql, prepared_url: str, table: str) -> None:
    before = sql(f'SELECT * FROM "{table}"')

    if prepared_url.startswith("sqlite"):
        columns = [c.name for c in metadata.tables[table].columns]
        changed = ", ".join(
            f"\"{name}\" || 'x'" if name in {"summary", "body", "error", "method", "detail", "version", "value"}
            else f'"{name}"' for name in columns
        )  # fmt: skip
        # REPLACE deletes the old row without a DELETE trigger, unless something stands in its way.
        sql(f'REPLACE INTO "{table}" SELECT {changed} FROM "{table}"')
    else:
        with pytest.raises(psycopg.Error, match="append-only"):
            sql(f'TRUNCATE "{table}" CASCADE')
        with pytest.raises(psycopg.Error, match="append-only"):
            sql(f'SET session_replication_role = replica; DELETE FROM "{table}"')

    assert sql(f'SELECT * FROM "{table}"') == before


def test_what_may_change_still_can(full: Ledger, scene: Any) -> None:
    full.record_findings("r2", scene.wrong(), scene.at(1))
    full.reset_cursor("jira", "issues")
    assert full.findings() == ()
