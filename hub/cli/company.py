"""`hub sandbox`: the simulated company to try the hub on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.console import AsJson, emit, out, table
from hub.errors import ConfigurationError, HubError, Refused

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The simulated company: local servers that speak the tools' protocols.",
)
Directory = Annotated[Path, typer.Option("--dir", help="Where the company lives.")]
HERE = Path(".hub/sandbox")


@app.command()
def up(
    seed: Annotated[int, typer.Option(help="Same seed, same company.")] = 7,
    items: Annotated[int, typer.Option(help="Number of work items.")] = 200,
    world: Annotated[Path | None, typer.Option(help="World file that fixes ids, schema, values and history.")] = None,
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """Start the tool servers; prints their addresses and where the credentials and the configuration are.

    Example: hub sandbox up --seed 7 --items 200
    """
    _start(directory, json=json, seed=seed, items=items, world=world)


@app.command("load-log")
def load_log(
    log: Annotated[Path, typer.Argument(help="Event log, CSV (gzip allowed).")],
    column_map: Annotated[
        Path, typer.Option("--map", help="YAML: which column is case, time, actor, activity, group.")
    ],
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """Start a company built out of an outside event log, dealt over the four tools.

    Example: hub sandbox load-log tickets.csv.gz --map tickets.yaml
    """
    for path in (log, column_map):
        if not path.is_file():
            raise ConfigurationError(f"no file {path}", hint="give the path of an existing file")
    _start(directory, json=json, log=log, log_map=column_map)


@app.command()
def status(directory: Directory = HERE, json: AsJson = False) -> None:
    """Whether the company is running, and where.

    Example: hub sandbox status --json
    """
    from sandbox import launcher

    running = launcher.status(directory)
    if running is None:
        raise Refused(f"no company is running in {directory}", hint="hub sandbox up")
    _show(running, json=json)


@app.command()
def down(directory: Directory = HERE) -> None:
    """Stop the company; its files stay.

    Example: hub sandbox down
    """
    from sandbox import launcher

    out.print("stopped" if launcher.down(directory) else "was not running")


@app.command()
def mail(
    to: Annotated[str, typer.Option(help="E-mail address of the reader.")],
    directory: Directory = HERE,
    json: AsJson = False,
) -> None:
    """Read what the simulated company's mail server delivered to somebody, newest first.

    Example: hub sandbox mail --to ada@acme.example
    """
    import requests

    from sandbox import launcher

    running = launcher.status(directory)
    if running is None:
        raise Refused(f"no company is running in {directory}", hint="hub sandbox up")
    reply = requests.get(f"{running.addresses['control']}/mail", params={"to": to}, timeout=10)
    letters = reply.json()
    if json:
        emit(letters)
        return
    for letter in letters:
        out.print(f"Subject: {dict(letter['headers'])['Subject']}\n\n{letter['text']}\n", highlight=False, markup=False)


def _start(directory: Path, *, json: bool, **options: object) -> None:
    from sandbox import launcher

    try:
        running = launcher.up(directory, **options)  # type: ignore[arg-type]  # options are up()'s own keywords
    except launcher.SandboxError as error:
        raise HubError(str(error), hint=getattr(error, "hint", "")) from error
    _show(running, json=json)


def _show(running: object, *, json: bool) -> None:
    if json:
        emit(running)
        return
    addresses: dict[str, str] = running.addresses  # type: ignore[attr-defined]  # sandbox.launcher.Running
    config: Path = running.config  # type: ignore[attr-defined]  # sandbox.launcher.Running
    table("Company", ("server", "address"), sorted(addresses.items()))
    out.print(f"configuration: {config} (credentials beside it in secrets/)", highlight=False, markup=False)
    out.print(f"next: hub sync --config {config}", highlight=False, markup=False)
