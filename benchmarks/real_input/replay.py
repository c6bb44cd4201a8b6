"""An event log through the four tools: the hub's handoffs beside those of the independent check, case by case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.real_input.independent_check import COUNTED, by_case, totals
from benchmarks.real_input.measure import Row, company, synced_twice
from hub.flow.sync import SyncReport
from hub.ledger.ledger import Ledger
from hub.wiring import Hub

Cases = dict[str, dict[str, int]]


def replay(log: Path, column_map: Path) -> Row:
    """Load the log into a company, sync it, and compare: cases, events, handoffs, returns, and handoffs taken
    up late, which the hub calls missed. The map must name no title column.
    """
    columns = YAML(typ="safe").load(column_map.read_text(encoding="utf-8"))
    check = by_case(log, *(columns[name] for name in ("case", "time", "actor", "activity")))

    def read(hub: Hub, report: SyncReport) -> tuple[Cases, dict[str, int]]:
        found = report.reconciled.findings
        counted = {
            "cases": report.reconciled.counts["items"],
            "events": sum(_events(hub.ledger).values()),
            "handoffs": hub.ledger.derived("handoff").num_rows,
            "returns": found["returned_handoff"],
            "late": found["missed_handoff"],
        }
        return cases(hub.ledger), counted

    with company(log=log, log_map=column_map) as (running, load):
        (told, counted), first, again = synced_twice(running, read)
    apart = list(differences(told, check))
    return Row(
        name=log.name,
        hub=counted,
        check=totals(check),
        differences=tuple(line for line, known in apart if not known),
        explained=tuple(line for line, known in apart if known),
        first=first,
        again=again,
        load=load,
    )


def cases(ledger: Ledger) -> Cases:
    """What the hub holds of every case, under the names of the independent check.

    The company's titles end in the case, which tells which work item is which case.
    """
    work = {row["item"]: row["title"].rpartition(": ")[2] for row in ledger.derived("work_item").to_pylist()}
    counted = {
        "events": _events(ledger),
        "handoffs": Counter(ledger.derived("handoff").column("item").to_pylist()),
        "returns": Counter(found.item for found in ledger.findings(kind="returned_handoff")),
        "late": Counter(found.item for found in ledger.findings(kind="missed_handoff")),
    }
    told: Cases = {}
    for item, case in work.items():
        # Two items of one case are one too many, and must not hide each other.
        name = case if case not in told else f"{case} (again, {item})"
        told[name] = {number: counted[number][item] for number in COUNTED}
    return told


def differences(hub: Cases, check: Cases) -> Iterable[tuple[str, bool]]:
    """One line for each case that the two count differently, and whether whole seconds explain it."""
    nothing = dict.fromkeys(COUNTED, 0)
    for case in sorted(hub.keys() | check.keys()):
        ours, theirs = hub.get(case, nothing), check.get(case, nothing)
        words = [f"{name} {ours[name]} against {theirs[name]}" for name in COUNTED if ours[name] != theirs[name]]
        if words:
            yield f"{case}: {', '.join(words)}", bool(theirs.get("unsure")) and ours["events"] == theirs["events"]


def _events(ledger: Ledger) -> Counter[str]:
    """Events per work item: the company tells each once, by a field's history or by a message."""
    link = ledger.derived("link").to_pylist()
    items = {(row["source"], row["record"]): row["item"] for row in link}
    tools = {"activity": "history", "update": "event"}
    said = ledger.observations().select(["source", "record", "field", "origin"]).to_pylist()
    return Counter(items[row["source"], row["record"]] for row in said if tools.get(row["field"]) == row["origin"])
