"""`hub plan`, `approve`, `apply`, `undo`: writes, safely."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from hub.cli.console import AsJson, Config, emit, now, out, pause, progress, table
from hub.domain.plans import Plan

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
    if json:
        emit({**_data(proposed), "brakes": brakes, "asked": asked})
    else:
        show_plan(proposed)
        for name, sentence in brakes:
            out.print(f"brake {name}: {sentence}", highlight=False, markup=False)
        if asked:
            out.print(f"approval code sent to: {', '.join(asked)}", highlight=False)
        if proposed.changes:
            out.print(f"approve: hub approve {proposed.id} --code CODE", highlight=False)
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
    if json:
        emit(approval)
    else:
        out.print(f"{plan_id} approved by {approval.person}; apply: hub apply {plan_id}", highlight=False)


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
            (r.change.source, r.change.title, r.change.person, r.outcome or "waiting", r.detail) for r in applied.rows
        ]
        table(f"Applied {applied.plan_id}", ("source", "work item", "owner", "outcome", "detail"), rows)
        if applied.stopped:
            out.print(applied.stopped, highlight=False)
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
    if json:
        emit({**_data(inverse), "asked": asked})
    else:
        show_plan(inverse)
        out.print(f"approve: hub approve {inverse.id} --code CODE", highlight=False)


def _data(proposed: Plan) -> dict[str, object]:
    return {
        "id": proposed.id,
        "digest": proposed.digest,
        "expires_at": proposed.expires_at,
        "changes": proposed.changes,
    }


def show_plan(proposed: Plan) -> None:
    """Print a plan as people read it."""
    rows = [(c.source, c.title, c.expected, c.desired, c.person, c.reason) for c in proposed.changes]
    title = f"{proposed.id}, valid until {proposed.expires_at:%Y-%m-%d %H:%M} UTC" if rows else "Plan"
    table(title, ("source", "work item", "owner now", "owner then", "person", "why"), rows)
