"""`hub check`, `pull`, `reconcile`, `sync`: from the tools into the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.company import asleep
from hub.cli.console import AsJson, Config, emit, line, now, progress, say, table
from hub.domain.records import PullReport, Receipt
from hub.errors import ConfigurationError, remedy_in
from hub.reports.names import read_names

if TYPE_CHECKING:
    from hub.flow.reconcile import ReconcileReport
    from hub.wiring import Hub


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (check, pull, reconcile, sync):
        app.command()(command)


def check(config: Config = None, json: AsJson = False) -> None:
    """Charter, connections, permissions, brakes: everything wrong at once.

    Example: hub check --config .hub/demo/config
    """
    from hub.flow.check import check as run_checks
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        if not json:
            say("asking every tool …")
        problems = run_checks(hub.charter, hub.ledger, hub.connector, hub.secret, now=now())
    if json:
        emit({"problems": problems})
    else:
        table(
            "Problems",
            ("severity", "where", "what", "what to do"),
            [(p.severity, p.where, p.what, p.hint) for p in problems],
            head=2,
        )
        if not problems:
            line("charter, connections and permissions are fine")
        if any(p.severity == "error" for p in problems):
            _hint_at_company(hub)
    if any(p.severity == "error" for p in problems):
        raise typer.Exit(2)


def pull(
    sources: Annotated[list[str] | None, typer.Argument(help="Sources to pull (default: all).")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again, not only what changed.")] = False,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Read what changed in the tools into the ledger.

    Example: hub pull acme_jira --full
    """
    from hub.flow.sync import census_policies
    from hub.flow.sync import pull as run_pull
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        unknown = [name for name in sources or () if name not in hub.charter.sources]
        if unknown:
            raise ConfigurationError(
                f"no source {unknown[0]!r} in the charter", hint=f"configured: {', '.join(hub.charter.sources)}"
            )
        with progress(quiet=json) as report:
            pulled = run_pull(
                hub.ledger,
                hub.connector,
                sources or tuple(hub.charter.sources),
                clock=now,
                full=full,
                policies=census_policies(hub.charter),
                progress=report,
            )
    if json:
        emit(pull_data(pulled))
    else:
        show_receipts(pulled)
        if pulled.failed:
            _hint_at_company(hub)
    if pulled.failed:
        raise typer.Exit(3)


def reconcile(config: Config = None, json: AsJson = False) -> None:
    """Find what is wrong in what the ledger remembers.

    Example: hub reconcile --json
    """
    from hub.flow.sync import think
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        if not json:
            say("reconciling …")
        report = think(hub.ledger, hub.charter, clock=now)
    if json:
        emit({"counts": report.counts, "findings": report.findings, "changes": report.changes})
    else:
        table("Counts", ("what", "number"), sorted(report.counts.items()))
        _show_findings(report)
    if any(report.findings.values()):
        raise typer.Exit(1)


def sync(
    config: Config = None,
    json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--no-alerts", help="Send no alerts and no approval codes.")] = False,
) -> None:
    """Pull every source, reconcile, plan, and tell whoever should know.

    Example: hub sync --config .hub/demo/config
    """
    from hub.announce import announce
    from hub.flow.sync import sync as run_sync
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        with progress(quiet=json) as report:
            result = run_sync(hub.ledger, hub.charter, hub.connector, clock=now, progress=report)
        told = None if quiet else announce(hub, result.reconciled.changes, result.plan, now=now())
        names = read_names(hub.ledger, hub.charter)
    if json:
        emit(
            {
                **pull_data(result.pull),
                "counts": result.reconciled.counts,
                "findings": result.reconciled.findings,
                "changes": result.reconciled.changes,
                "plan": {"id": result.plan.id, "changes": len(result.plan.changes), "brakes": result.brakes},
                "announced": told,
            }
        )
    else:
        show_receipts(result.pull)
        if result.pull.failed:
            _hint_at_company(hub)
        _show_findings(result.reconciled)
        if result.pull.failed:
            unread = ", ".join(dict.fromkeys(r.source for r in result.pull.failed))
            line(f"not read this time, so as they were known before: {unread}")
        changes = len(result.plan.changes)
        line(f"{result.plan.id}: {changes} owner changes proposed" if changes else "no owner change to propose")
        for name, sentence in result.brakes:
            line(f"brake {name}: {sentence}")
        for sentence in () if told is None else told.lines(names.person):
            say(sentence)
        line("next: hub findings" + (", hub plan" if changes else ""))
    if result.pull.failed:
        raise typer.Exit(3)
    if any(result.reconciled.findings.values()):
        raise typer.Exit(1)


def pull_data(pulled: PullReport) -> dict[str, Any]:
    """A pull as data: totals and receipts."""
    receipts = pulled.receipts
    return {
        "run": pulled.run,
        "calls": sum(r.calls for r in receipts),
        "new_records": sum(r.new_records for r in receipts),
        "new_observations": sum(r.new_observations for r in receipts),
        "receipts": [_receipt_data(r) for r in receipts],
    }


def _receipt_data(receipt: Receipt) -> dict[str, Any]:
    names = (
        "source", "stream", "pages", "records", "new_records", "new_observations", "quarantined", "calls",
        "source_count", "ledger_count", "gap", "missing", "error", "hint",
    )  # fmt: skip
    seconds = (receipt.finished_at - receipt.started_at).total_seconds()
    told = {name: getattr(receipt, name) for name in names}
    return told | {"remedy": remedy_in(receipt.hint), "seconds": round(seconds, 3)}


def _hint_at_company(hub: Hub) -> None:
    """Nobody who works with the simulated company should look for a fault in the network."""
    hint = asleep(hub.settings.directory.parent)
    if hint:
        say(f"hint: {hint}")


def show_receipts(pulled: PullReport) -> None:
    """Print the receipts, then the errors with their hints, then the totals."""
    columns = ("source", "stream", "read", "new", "observed", "quarantined", "calls", "in ledger", "state")
    rows = [
        (
            r.source,
            r.stream,
            r.records,
            r.new_records,
            r.new_observations,
            r.quarantined,
            r.calls,
            None if r.source_count is None else f"{r.ledger_count} of {r.source_count}",
            "failed" if r.error else ("gap" if r.gap else "ok"),
        )
        for r in pulled.receipts
    ]
    held = any(r.quarantined for r in pulled.receipts)
    spare = ("new", "calls", "in ledger") if held else ("new", "calls", "quarantined")
    table("Receipts", columns, rows, spare=spare)
    for receipt in pulled.receipts:
        if receipt.missing:
            say(f"missing: {receipt.source} {receipt.stream}: {', '.join(receipt.missing)}")
    for receipt in pulled.failed:
        say(f"error: {receipt.error}")
        if receipt.hint:
            say(f"hint: {receipt.hint}")
    new = sum(r.new_observations for r in pulled.receipts)
    calls = sum(r.calls for r in pulled.receipts)
    line(f"{new} new observations, {calls} API calls")
    line()


def _show_findings(report: ReconcileReport) -> None:
    rows = [(kind, number) for kind, number in sorted(report.findings.items()) if number]
    table("Findings", ("kind", "open"), rows)
    changes = report.changes
    line(
        f"{sum(report.findings.values())} open findings: {len(changes.opened)} new, {len(changes.reopened)} back again;"
        f" {len(changes.resolved)} resolved"
    )
