"""`hub demo`: the whole story on the simulated company, from disagreement to nothing left."""

from __future__ import annotations

import json as json_module
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import requests
import typer

from hub.cli.company import told
from hub.cli.console import AsJson, emit, line, now, pause, progress, say, table
from hub.cli.look import show_findings, totals
from hub.cli.observe import show_receipts
from hub.cli.score import Score, score
from hub.cli.write import names_in, show_plan
from hub.domain.findings import FINDING_KINDS, Finding
from hub.errors import ConfigurationError, InternalFault
from hub.reports.names import Names

if TYPE_CHECKING:
    from hub.wiring import Hub

HERE = Path(".hub/demo")
_SHOWN = 6
#: What people go on doing while the hub looks on; deletions and new items are left to a longer company.
_DEEDS, _WORK = 24, ("Reassign", "MoveStatus", "Comment", "ReplyToMail")
#: Everything that a company and the hub put into its directory.
_COMPANY_FILES = (
    "config", "secrets", "artifacts", "dagster", "world.sqlite*", "hub.sqlite*", "sandbox.*", "company.*",
    "answer_key.json", "truth.json", "load_report.json", "diary.jsonl", "clock.json", "mail",
)  # fmt: skip


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
    directory: Annotated[Path, typer.Option("--dir", help="Where the demo lives; emptied first.")] = HERE,
    json: AsJson = False,
) -> None:
    """Four tools disagree about who owns the work; the hub finds out why and puts it right. Ends by itself.

    Example: hub demo --seed 7 --items 200
    """
    from sandbox import launcher

    watch = Stopwatch()
    _empty(directory)
    try:
        with asked_to_stop():
            with watch.step("company", "starting the simulated company …", quiet=json), told():
                running = launcher.up(directory, seed=seed, items=items)
            result = _story(running.config, running.addresses["control"], directory, watch, seed=seed, quiet=json)
    finally:
        launcher.down(directory)
    result["seconds"] = {**watch.seconds, "total": round(sum(watch.seconds.values()), 2)}
    if json:
        emit(result)
    else:
        line(f"done in {result['seconds']['total']:.0f} seconds")
        line()
        line(f"all findings: hub findings --config {running.config}")
        line(f"in the Dagster UI: {'make ui' if directory == HERE else f'hub ui --config {running.config}'}")
    if result["second_plan_changes"] or result["verified"] != result["plan"]["changes"]:
        raise typer.Exit(1)


def _empty(directory: Path) -> None:
    """Make room for a new company; nothing but an earlier one is ever removed, however it ended."""
    from sandbox import launcher

    if directory.exists() and not directory.is_dir():
        raise ConfigurationError(f"{directory} is a file", hint="give a directory as --dir")
    if not directory.exists():
        return
    foreign = [entry.name for entry in directory.iterdir() if not any(map(entry.match, _COMPANY_FILES))]
    if foreign:
        raise ConfigurationError(
            f"{directory} holds something else: {min(foreign)}", hint="give another --dir; the demo empties it"
        )
    launcher.down(directory)
    shutil.rmtree(directory)


@contextmanager
def asked_to_stop() -> Iterator[None]:
    """A polite request to end (SIGTERM) is taken like Ctrl-C, so that the servers stop too."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _story(config: Path, control: str, directory: Path, watch: Stopwatch, *, seed: int, quiet: bool) -> dict[str, Any]:
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
        names = names_in(hub, first.plan)
        if not quiet:
            show_receipts(first.pull)
            _show_findings(found, names)
            _show_score(scored)
            show_plan(first.plan, names, limit=_SHOWN)
            if len(first.plan.changes) > _SHOWN:
                line(f"… and {len(first.plan.changes) - _SHOWN} more changes")
                line()
        approver = hub.charter.decision_rights.owner_change.approvers[0]
        address = hub.charter.people[approver].email or ""
        with watch.step("approve", f"{names.person(approver)} reads the code in the mail and approves …", quiet=quiet):
            approve(hub.ledger, hub.charter, first.plan.id, now=now(), code=_code(control, address, first.plan.id))
        with (
            watch.step("apply", "applying: read, compare, announce, send once, verify …", quiet=quiet),
            progress(quiet=quiet) as bar,
        ):
            applied = apply(
                hub.ledger, hub.charter, first.plan.id, writer=hub.writer, clock=now, sleep=pause, progress=bar
            )
        with watch.step("second_sync", "pulling and reconciling again …", quiet=quiet), progress(quiet=quiet) as bar:
            second = sync(hub.ledger, hub.charter, hub.connector, clock=now, progress=bar)
            announce(hub, second.reconciled.changes, second.plan, now=now())
        people = _work_goes_on(hub, directory, watch, seed=seed, quiet=quiet)
        files = publish(hub.ledger, hub.settings.artifacts, now=now(), charter=hub.charter)
    if not quiet:
        line(f"{first.plan.id} was approved by {names.person(approver)} with the single-use code from the mail")
        line()
        table("Applied", ("outcome", "changes"), sorted(applied.outcomes.items()))
        rows = [(kind, first.reconciled.findings[kind], number) for kind, number in second.reconciled.findings.items()]
        table("Open findings", ("kind", "before", "after"), rows)
        left = len(second.plan.changes)
        line("nothing left to correct" if not left else f"{left} owner changes left to correct")
        open_now = sum(second.reconciled.findings.values())
        if open_now:
            line(f"{open_now} findings are for people to settle; each names who, and the next move")
        line(
            f"meanwhile people did {people['deeds']} things in their tools; "
            f"the next sync took in {people['records']} changed records with {people['calls']} calls"
        )
        line(f"report: {files[0]}")
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
        "people": people,
        "new_observations": sum(r.new_observations for r in first.pull.receipts),
        "calls": sum(r.calls for r in first.pull.receipts),
        "report": str(files[0]),
    }


def _work_goes_on(hub: Hub, directory: Path, watch: Stopwatch, *, seed: int, quiet: bool) -> dict[str, int]:
    """People go on in their usual tools, and the next sync takes in what they did."""
    from hub.announce import announce
    from hub.flow.sync import sync
    from sandbox.people_at_work import work

    with watch.step("people_work", "people go on working in their tools …", quiet=quiet):
        worked = work(directory, seed=seed, deeds=_DEEDS, only=_WORK)
    with watch.step("third_sync", "pulling what they did …", quiet=quiet), progress(quiet=quiet) as bar:
        report = sync(hub.ledger, hub.charter, hub.connector, clock=now, progress=bar)
        announce(hub, report.reconciled.changes, report.plan, now=now())
    return {
        "deeds": sum(worked.deeds.values()) - worked.refused,
        "records": sum(receipt.new_records for receipt in report.pull.receipts),
        "calls": sum(receipt.calls for receipt in report.pull.receipts),
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


def _show_findings(found: tuple[Finding, ...], names: Names) -> None:
    """One of each kind: all of them would push everything else off the screen."""
    first = {finding.kind: finding for finding in reversed(found)}
    show_findings("What is wrong, one of each kind", [first[kind] for kind in FINDING_KINDS if kind in first], names)
    line(totals(found))
    line()


def _show_score(scored: Score) -> None:
    rows = [
        (kind, scored.planted.get(kind, 0), scored.found.get(kind, 0), scored.precision[kind], scored.recall[kind])
        for kind in scored.precision
    ]
    table("Planted and found", ("kind", "planted", "found", "precision", "recall"), rows)
