"""Reconciliation says nothing on standard output, however long it takes."""

from __future__ import annotations

from reconciliation.engine import Engine


def test_the_engine_draws_no_progress_bar() -> None:
    with Engine() as engine:
        setting = engine._connection.raw_sql("SELECT current_setting('enable_progress_bar')").fetchone()
        assert setting == (False,)
