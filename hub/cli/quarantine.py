"""`hub quarantine`: records that could not be read, and how they are tried again."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.console import AsJson, Config, emit, line, now, say, table
from hub.errors import ConfigurationError, remedy_in

app = typer.Typer(
    invoke_without_command=True, help="Records that could not be read, with the reason.", rich_markup_mode=None
)


@app.callback()
def listed(context: typer.Context, config: Config = None, json: AsJson = False) -> None:
    """Records that could not be read, with the reason.

    Example: hub quarantine --json
    """
    if context.invoked_subcommand is not None:
        if config is not None or json:
            raise ConfigurationError("options go behind the verb", hint="hub quarantine retry --json")
        return
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        held = hub.ledger.quarantined()
    if json:
        emit([{"source": q.source, "stream": q.stream, "record": q.native_id, "reason": q.reason} for q in held])
    else:
        rows = [(q.source, q.stream, q.native_id, q.reason) for q in held]
        table("Quarantined", ("source", "stream", "record", "reason"), rows, head=3)
        if held:
            line("fix the mapping or the record in its tool, then: hub quarantine retry")
    if held:
        raise typer.Exit(1)


@app.command()
def released(
    limit: Annotated[int, typer.Option(help="How many, the latest first.", min=1)] = 100,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Records that left the quarantine: why they were in it, and how they came out.

    Example: hub quarantine released --limit 20
    """
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        out = hub.ledger.released(limit)
    if json:
        emit([{"source": q.source, "stream": q.stream, "record": q.native_id, "note": q.reason} for q in out])
    else:
        rows = [(q.source, q.stream, q.native_id, q.reason) for q in out]
        table("Released", ("source", "stream", "record", "note"), rows, head=3)


@app.command()
def retry(
    source: Annotated[str | None, typer.Argument(help="Only the records of this source (default: all).")] = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Read quarantined records again: from the payload that was kept, or anew from the tool.

    Example: hub quarantine retry acme_jira
    """
    from hub.flow.quarantine import retry as run_retry
    from hub.wiring import open_hub

    with open_hub(config) as hub:
        if source is not None and source not in hub.charter.sources:
            raise ConfigurationError(
                f"no source {source!r} in the charter", hint=f"configured: {', '.join(hub.charter.sources)}"
            )
        names = (source,) if source is not None else tuple(hub.charter.sources)
        report = run_retry(hub.ledger, hub.connector, names, clock=now)
    if json:
        emit(
            {
                "released": len(report.released),
                "held": len(report.held),
                "records": [
                    {
                        "source": each.source,
                        "stream": each.stream,
                        "record": each.native_id,
                        "released": each.released,
                        "note": each.note,
                    }
                    for each in report.records
                ],
                "failures": [
                    {"source": each.source, "error": each.error, "hint": each.hint, "remedy": remedy_in(each.hint)}
                    for each in report.failures
                ],
            }
        )
    else:
        rows = [(r.source, r.stream, r.native_id, "released" if r.released else "held", r.note) for r in report.records]
        table("Tried again", ("source", "stream", "record", "state", "note"), rows, head=3)
        for failure in report.failures:
            say(f"error: {failure.error}")
            say(f"hint: {failure.hint}")
        line(f"{len(report.released)} released, {len(report.held)} still held")
    if report.failures:
        raise typer.Exit(3)
    if report.held:
        raise typer.Exit(1)
