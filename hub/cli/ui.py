"""`hub ui`: the Dagster UI on a configuration."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.console import Config, say
from hub.errors import ConfigurationError
from hub.settings import Settings

HOST = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ui)


def ui(
    config: Config = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 3000,
    home: Annotated[
        Path | None, typer.Option(help="Dagster's own state (default: dagster beside the configuration).")
    ] = None,
) -> None:
    """Serve the Dagster UI, with the daemon that runs schedules and sensors, until Ctrl-C.

    Where the configuration belongs to a simulated company that is stopped, the company runs as long as the UI does.

    Example: hub ui --config .hub/demo/config
    """
    from hub.ui import serve

    settings = Settings.load(config)
    refuse_taken(port)
    with awake(settings.directory.parent):
        code = serve(settings.directory, home or settings.directory.parent / "dagster", port)
    raise typer.Exit(code)


def refuse_taken(port: int) -> None:
    """Raise ConfigurationError when another program listens on the port: the web server would only end with a log."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError as error:
            raise ConfigurationError(
                f"port {port} cannot be used: {error.strerror}", hint="choose another: hub ui --port N"
            ) from None


@contextmanager
def awake(directory: Path) -> Iterator[None]:
    """A stopped simulated company of this directory answers again inside; nothing happens for any other directory.

    Raises HubError when it cannot be started, for instance because one of its ports is taken.
    """
    from hub.cli.company import told
    from sandbox import launcher

    if not launcher.resumable(directory) or launcher.status(directory) is not None:
        yield
        return
    say(f"starting the simulated company of {directory} again …")
    with told():
        launcher.resume(directory)
    try:
        yield
    finally:
        launcher.down(directory)
