"""`hub demo`: the whole story on the simulated company, from disagreement to nothing left."""

from __future__ import annotations

import json as json_module
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import requests
import typer

from hub.cli.console import AsJson, emit, now, out, pause, progress, say, table
from hub.cli.observe import show_receipts
from hub.cli.score import Score, score
from hub.cli.write import show_plan
from hub.domain.findings import Finding
from hub.errors import HubError, InternalFault


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


@dataclass
class Stopwatch:
    """Seconds per step of the story."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, text: str, *, quiet: bool) -> Iterator[None]:
        """Time a step and say what it is."""
        if not quiet:
            say(text)
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 2)


def demo(
    seed: Annotated[int, typer.Option(help="Same seed, same company.")] = 7,
    items: Annotated[int, typer.Option(help="Number of work items.")] = 200,
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo lives; emptied first.")] = Path(".hub/demo"),
    json: AsJson = False,
) -> None:
    """Four tools disagree about who owns the work; the hub finds out why and puts it right. Ends by itself.

    Example: hub demo --seed 7 --items 200
    """
    from sandbox import launcher

    watch = Stopwatch()
    launcher.down(directory)
    if directory.exists():
        if any(directory.iterdir()) and not (directory / "sandbox.json").exists():
            raise HubError(f"{directory} holds something else", hint="give another --dir; the demo empties it")
        shutil.rmtree(directory)
    with watch.step("company", "starting the simulated company …", quiet=json):
        running = launcher.up(directory, seed=seed, items=items)
    try:
        result = _story(running.config, running.addresses["control"], directory, watch, quiet=json)
    finally:
        launcher.down(directory)
    result["seconds"] = {**watch.seconds, "total": round(sum(watch.seconds.values()), 2)}
    if json:
        emit(result)
    else:
        out.print("\nlook at it in the Dagster UI: make ui", highlight=False)
    if result["second_plan_changes"] or result["verified"] != result["plan"]["changes"]:
        raise typer.Exit(1)


def _story(config: Path, control: str, directory: Path, watch: Stopwatch, *, quiet: bool) -> dict[str, Any]:
    from hub.announce import announce
    from hub.flow.apply import apply
    from hub.flow.approve import approve
    from hub.flow.sync import sync
    from hub.reports.publish import publish
    from hub.wiring import open_hub

    key = json_module.loads((directory / "answer_key.json").read_text(encoding="utf-8"))
    with open_hub(config) as hub:
        with (
            watch.step("first_sync", "pulling four tools, reconciling, planning …", quiet=quiet),
            progress(quiet=quiet) as bar,
        ):
            first = sync(hub.ledger, hub.charter, hub.connector, clock=now, progress=bar)
        if first.pull.failed:
            raise InternalFault(first.pull.failed[0].error, hint=first.pull.failed[0].hint)
        found = hub.ledger.findings()
        scored = score(key, found)
        with watch.step("announce", "telling whoever should know …", quiet=quiet):
            announce(hub, first.reconciled.changes, first.plan, now=now())
            files = publish(hub.ledger, hub.settings.artifacts, now=now(), charter=hub.charter)
        if not quiet:
            show_receipts(first.pull)
            _show_findings(found)
            _show_score(scored)
            show_plan(first.plan)
        approver = hub.charter.decision_rights.owner_change.approvers[0]
        address = hub.charter.people[approver].email or ""
        with watch.step("approve", f"{approver} reads the code in the mail and approves …", quiet=quiet):
            approve(hub.ledger, hub.charter, first.plan.id, now=now(), code=_code(control, address, first.plan.id))
        with (
            watch.step("apply", "applying: read, compare, announce, send once, verify …", quiet=quiet),
            progress(quiet=quiet) as bar,
        ):
            applied = apply(
                hub.ledger, hub.charter, first.plan.id, writer=hub.writer, clock=now, sleep=pause, progress=bar
            )
        with watch.step("second_sync", "pulling again …", quiet=quiet):
            second = sync(hub.ledger, hub.charter, hub.connector, clock=now)
            announce(hub, second.reconciled.changes, second.plan, now=now())
            files = publish(hub.ledger, hub.settings.artifacts, now=now(), charter=hub.charter)
    if not quiet:
        table("Applied", ("outcome", "changes"), sorted(applied.outcomes.items()))
        rows = [(kind, first.reconciled.findings[kind], number) for kind, number in second.reconciled.findings.items()]
        table("Open findings", ("kind", "before", "after"), rows)
        left = len(second.plan.changes)
        out.print("nothing left to correct" if not left else f"{left} changes left", highlight=False)
        out.print(f"report: {files[0]}", highlight=False, markup=False, soft_wrap=True)
    return {
        "planted": scored.planted,
        "found": scored.found,
        "precision": scored.precision,
        "recall": scored.recall,
        "plan": {"id": first.plan.id, "changes": len(first.plan.changes)},
        "applied": sum(1 for row in applied.rows if row.sent),
        "verified": applied.verified,
        "outcomes": applied.outcomes,
        "second_plan_changes": len(second.plan.changes),
        "second_findings": second.reconciled.findings,
        "new_observations": sum(r.new_observations for r in first.pull.receipts),
        "calls": sum(r.calls for r in first.pull.receipts),
        "report": str(files[0]),
    }


def _code(control: str, address: str, plan_id: str) -> str:
    """The code out of the approver's mail, as the approver would read it."""
    letters = requests.get(f"{control}/mail", params={"to": address}, timeout=10).json()
    for letter in letters:
        if plan_id in letter["text"]:
            match = re.search(r"--code (\S+)", letter["text"])
            if match is not None:
                return match[1]
    raise InternalFault(
        f"no mail with a code for {plan_id} reached {address}", hint="is alerts.via set in the charter?"
    )


def _show_findings(found: tuple[Finding, ...]) -> None:
    rows = [(f.severity, f.kind, f.title, f.summary, f.next_move) for f in found]
    table("What is wrong", ("severity", "kind", "work item", "what", "next best move"), rows)


def _show_score(scored: Score) -> None:
    rows = [
        (kind, scored.planted.get(kind, 0), scored.found.get(kind, 0), scored.precision[kind], scored.recall[kind])
        for kind in scored.precision
    ]
    table("Planted and found", ("kind", "planted", "found", "precision", "recall"), rows)
