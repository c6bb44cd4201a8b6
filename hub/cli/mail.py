"""`hub mail explain`: what the hub reads from a message."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.console import AsJson, emit, line, table
from hub.errors import ConfigurationError, Refused

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What the hub makes of e-mail.")


@app.callback()
def group() -> None:
    """What the hub makes of e-mail."""


@app.command()
def explain(file: Annotated[Path, typer.Argument(help="A message file (.eml).")], json: AsJson = False) -> None:
    """What the hub reads from a message, with evidence and the sender verdict.

    Example: hub mail explain letter.eml
    """
    from connectors.mail.explain import explain as run_explain

    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}", hint="give an .eml file") from None
    told = run_explain(raw)
    if not told.message_id and told.note:
        raise Refused(f"{file} would be {told.note}", hint="give a message as it was received, with its headers (.eml)")
    if json:
        emit(told)
        return
    line(f"sender: {told.sender} ({told.verdict})")
    line(f"title: {told.title}")
    if told.note:
        line(told.note)
    line()
    table("Statements", ("what", "value", "by line"), [(s.field, s.value, s.span) for s in told.statements])
    table("References", ("token",), [(token,) for token in told.references])
