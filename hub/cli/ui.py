"""`hub ui`: the Dagster UI on a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.console import Config
from hub.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ui)


def ui(
    config: Config = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    home: Annotated[
        Path | None, typer.Option(help="Dagster's own state (default: dagster beside the configuration).")
    ] = None,
) -> None:
    """Serve the Dagster UI, with the daemon that runs schedules and sensors, until Ctrl-C.

    Example: hub ui --config .hub/demo/config
    """
    from hub.ui import serve

    settings = Settings.load(config)
    raise typer.Exit(serve(settings.directory, home or settings.directory.parent / "dagster", port))
