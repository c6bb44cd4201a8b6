"""The hub as a Dagster resource."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dagster import ConfigurableResource, Failure

from hub.errors import HubError
from hub.wiring import Hub, open_hub


class HubResource(ConfigurableResource):  # type: ignore[type-arg]  # its type argument is for values it yields
    """Opens the hub of one configuration directory.

    `report_url` is the http(s) address under which the artifacts are served, when they are.
    """

    directory: str
    report_url: str = ""

    @contextmanager
    def open(self) -> Iterator[Hub]:
        """The opened hub; a hub error becomes a Failure with its line and hint, which is never retried."""
        try:
            with open_hub(Path(self.directory)) as hub:
                yield hub
        except HubError as error:
            raise Failure(description=one_line(error), allow_retries=False) from error


def one_line(error: HubError) -> str:
    """What went wrong and what to do about it."""
    return f"{error.message}. {error.hint}" if error.hint else error.message


def now() -> datetime:
    """The current time in UTC; use cases take it as an argument."""
    return datetime.now(UTC)
