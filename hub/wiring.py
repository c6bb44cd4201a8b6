"""The one place where ports meet their connectors: settings, charter, ledger, sources."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import Connector, OwnerWriter
from hub.charter.load import load_charter
from hub.charter.model import Charter
from hub.charter.secret import Secret, resolve
from hub.errors import ConfigurationError, SourceRefused
from hub.ledger.ledger import Ledger
from hub.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Everything a use case needs, opened once per command or run."""

    settings: Settings
    charter: Charter
    ledger: Ledger
    _connectors: dict[str, Connector] = field(default_factory=dict)

    def secret(self, reference: str) -> Secret:
        """The secret behind `env:NAME` or `file:path`; raises ConfigurationError."""
        return resolve(reference, directory=self.settings.charter.parent, environment=os.environ)

    def connector(self, source: str) -> Connector:
        """The connector of a configured source, signed in on first use.

        Raises ConfigurationError for an unknown source or an unreadable secret, SourceError when it refuses.
        """
        from connectors.registry import connect  # client libraries load only when a source is used

        if source not in self._connectors:
            if source not in self.charter.sources:
                known = ", ".join(sorted(self.charter.sources))
                raise ConfigurationError(f"no source {source!r} in the charter", hint=f"configured: {known}")
            self._connectors[source] = connect(source, self.charter.sources[source], secret=self.secret)
        return self._connectors[source]

    def writer(self, source: str) -> OwnerWriter:
        """The write half of a source; raises SourceRefused when the charter or the tool has none."""
        configured = self.charter.sources.get(source)
        writer = self.connector(source).writer if configured is not None and configured.writable else None
        if writer is None:
            raise SourceRefused(
                f"{source} is not writable", source=source, hint="set `writable: true` for it in the charter"
            )
        return writer


@contextmanager
def open_hub(directory: Path | None = None) -> Iterator[Hub]:
    """The hub of a configuration directory; the ledger is migrated and closed. Raises ConfigurationError."""
    settings = Settings.load(directory)
    charter = load_charter(settings.charter)
    with Ledger.open(settings.database) as ledger:
        yield Hub(settings=settings, charter=charter, ledger=ledger)
