"""`hub plan`, `approve`, `apply`, `undo`: writes, safely."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.console import AsJson, Config, emit, line, now, pause, progress, say, table
from hub.domain.plans import OwnerChange, Plan
from hub.reports.names import Names, read_names

if TYPE_CHECKING:
    from hub.wiring import Hub  # at run time it would load the ledger for every --help

TOKEN = "HUB_APPROVAL_TOKEN"  # noqa: S105  the name of the variable, not a token
PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="Plan id (or its beginning), or digest.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (plan, approve, apply, undo):
        app.command()(command)


def plan(config: Config = None, json: AsJson = False) -> None:
    """Propose the owner corrections that the last reconciliation calls for; changes nothing.

    Example: hub plan
    """
    from hub.announce import announce_plan
    from hub.flow.plan import engaged_brakes, make_plan, open_item_count
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        proposed = make_plan(hub.ledger, hub.charter, now=now())
        brakes = engaged_brakes(proposed, hub.charter, open_items=open_item_count(hub.ledger))
        asked = announce_plan(hub, proposed, now=now())
        names = names_in(hub, proposed)
    if json:
        emit({**_data(proposed), "brakes": brakes, "asked": asked})
    else:
        show_plan(proposed, names)
        _show_next(proposed, names, asked, brakes)
    if proposed.changes:
        raise typer.Exit(1)


def approve(
    plan_id: PlanId,
    code: Annotated[str | None, typer.Option(help="The single-use code the hub sent to you.")] = None,
    person: Annotated[
        str | None, typer.Option("--as", help=f"Who you are in the charter; your token is read from ${TOKEN}.")
    ] = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Consent to exactly one plan, as a person whom the charter lets decide.

    Example: hub approve plan-3f2a --code 7KQ4-99PX-2B
    """
    from hub.flow.approve import approve as run_approve
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        approval = run_approve(
            hub.ledger, hub.charter, plan_id, now=now(), code=code, person=person, token=os.environ.get(TOKEN)
        )
        names = read_names(hub.ledger, hub.charter)
    if json:
        emit(approval)
    else:
        line(f"{plan_id} approved by {names.person(approval.person)}")
        line(f"next: hub apply {plan_id}")


def apply(plan_id: PlanId, config: Config = None, json: AsJson = False) -> None:
    """Carry out an approved plan: read, compare, announce, send once, verify. Safe to run again after a crash.

    Example: hub apply plan-3f2a
    """
    from hub.flow.apply import apply as run_apply
    from hub.wiring import open_hub

    with open_hub(config) as hub, progress(quiet=json) as report:
        applied = run_apply(
            hub.ledger, hub.charter, plan_id, writer=hub.writer, clock=now, sleep=pause, progress=report
        )
        names = read_names(hub.ledger, hub.charter)
    if json:
        emit(
            {
                "plan": applied.plan_id,
                "outcomes": applied.outcomes,
                "verified": applied.verified,
                "stopped": applied.stopped,
                "rows": applied.rows,
            }
        )
    else:
        rows = [
            (r.outcome or "waiting", r.change.source, r.change.title, names.person(r.change.person), r.detail)
            for r in applied.rows
        ]
        columns = ("outcome", "source", "work item", "owner", "detail")
        told = len(columns) if any(row[-1] for row in rows) else len(columns) - 1
        table(f"Applied {applied.plan_id}", columns[:told], [row[:told] for row in rows], head=3)
        counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(applied.outcomes.items()))
        line(f"{applied.verified} of {len(applied.rows)} verified: {counts}")
        if applied.stopped:
            line(applied.stopped)
        if "waiting" in applied.outcomes:
            line(f"next: hub apply {applied.plan_id}")
    if applied.verified < len(applied.rows):
        raise typer.Exit(1)


def undo(plan_id: PlanId, config: Config = None, json: AsJson = False) -> None:
    """Propose the inverse of an applied plan; it is approved and applied like any other.

    Example: hub undo plan-3f2a
    """
    from hub.announce import announce_plan
    from hub.flow.undo import inverse_plan
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        inverse = inverse_plan(hub.ledger, hub.charter, plan_id, now=now())
        asked = announce_plan(hub, inverse, now=now())
        names = names_in(hub, inverse)
    if json:
        emit({**_data(inverse), "asked": asked})
    else:
        show_plan(inverse, names)
        _show_next(inverse, names, asked)


def _data(proposed: Plan) -> dict[str, object]:
    return {
        "id": proposed.id,
        "digest": proposed.digest,
        "expires_at": proposed.expires_at,
        "changes": proposed.changes,
    }


def names_in(hub: Hub, proposed: Plan) -> Names:
    """The names of everybody a plan speaks of."""
    return read_names(
        hub.ledger, hub.charter, [(c.source, ids) for c in proposed.changes for ids in (c.expected, c.desired)]
    )


def show_plan(proposed: Plan, names: Names, *, limit: int | None = None) -> None:
    """Print a plan as people read it, with names for account ids; at most `limit` changes."""
    rows = [_row(change, names) for change in proposed.changes]
    title = f"{proposed.id}: {len(rows)} owner changes, valid until {proposed.expires_at:%Y-%m-%d %H:%M} UTC"
    columns = ("source", "work item", "owner now", "owner then", "why")
    table(title if rows else "Owner changes", columns, rows[:limit], head=2)


def _row(change: OwnerChange, names: Names) -> tuple[str, ...]:
    then = names.owner(change.source, change.desired)
    return (change.source, change.title, names.owner(change.source, change.expected), then, change.reason)


def _show_next(proposed: Plan, names: Names, asked: tuple[str, ...], brakes: tuple[tuple[str, str], ...] = ()) -> None:
    for name, sentence in brakes:
        line(f"brake {name}: {sentence}")
    if asked:
        say(f"approval code sent to: {names.several(asked)}")
    if proposed.changes and not brakes:
        line(f"next: hub approve {proposed.id} --code CODE")
