"""A Jira Cloud site as a source of the hub."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from connectors.base import Absence, OwnerWriter
from connectors.jira import again, check, presence, pull
from connectors.jira.parse import Mapping
from connectors.jira.search import quoted
from connectors.jira.sign_in import sign_in
from connectors.jira.site import Site
from connectors.jira.write import AssigneeWriter
from connectors.wire import Meter
from connectors.write_transport import write_session
from hub.charter.secret import Secret
from hub.charter.sources import JiraSource
from hub.domain.records import Page, Problem
from hub.errors import SourceRefused


class JiraConnector:
    """Streams `users` and `issues:<PROJECT>` of one site; a record is an issue id, which survives moves."""

    def __init__(
        self,
        name: str,
        source: JiraSource,
        secret: Callable[[str], Secret],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._source = source
        self._meter = Meter()
        connection = source.connection
        self._overlap = connection.index_lag
        auth = sign_in(name, connection, secret, meter=self._meter)
        root = f"{connection.gateway}/ex/jira/{connection.cloud_id}" if connection.cloud_id else connection.server
        self._site = Site(
            name, connection.server, auth, root=root, ca_file=connection.ca_file, meter=self._meter, sleep=sleep
        )
        self._mapping = Mapping(source=name, server=self._site.server, fields=source.fields)
        self._known: set[str] = set()
        self._writer: AssigneeWriter | None = None
        if source.writable:
            session = write_session(
                name, allowed_hosts=[urlsplit(root).netloc], ca_file=connection.ca_file, meter=self._meter
            )
            session.auth = auth
            self._writer = AssigneeWriter(self._site, session)

    @property
    def calls(self) -> int:
        """Requests sent so far."""
        return self._meter.calls

    @property
    def writer(self) -> OwnerWriter | None:
        """Writes assignees, when the charter says the source is writable."""
        return self._writer

    def streams(self) -> tuple[str, ...]:
        """Accounts, then one stream for each project."""
        return (pull.USERS, *(pull.ISSUES + project for project in self._source.projects))

    def pull(self, stream: str, cursor: str | None, *, now: datetime) -> Iterator[Page]:
        """Pages of accounts or issues; see `connectors.jira.pull`."""
        if stream == pull.USERS:
            return pull.users(self._site, self._known, now=now)
        return pull.issues(
            self._site,
            self._project(stream),
            self._mapping,
            cursor,
            self._known,
            now=now,
            overlap=self._overlap,
            reconcile=tuple(self._writer.written) if self._writer else (),
            approvals=self._source.approvals,
        )

    def ids(self, stream: str) -> Iterator[str] | None:
        """Ids of all issues of a project; None for accounts, which have no presence of their own."""
        return None if stream == pull.USERS else presence.ids(self._site, self._project(stream))

    def prove(self, stream: str, ids: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
        """What became of issues; see `connectors.jira.presence`. Nothing is proven about accounts."""
        if stream == pull.USERS:
            return ()
        return presence.prove(self._site, self._project(stream), ids, now=now)

    def fetch(self, stream: str, ids: Sequence[str], *, now: datetime) -> Iterator[Page]:
        """These issues again; of accounts nothing, since every pull reads them all."""
        if stream == pull.USERS:
            return iter(())
        project, asks = self._project(stream), self._source.approvals
        return presence.fetch(self._site, project, self._mapping, ids, self._known, now=now, approvals=asks)

    def deletions(self, stream: str, cursor: str | None, *, now: datetime) -> tuple[tuple[Absence, ...], str | None]:
        """Jira tells of no deletions by itself."""
        del stream, cursor, now
        return (), None

    def reparse(self, stream: str, payload: bytes, *, now: datetime) -> Page | None:
        """A record out of the payload that was kept; see `connectors.jira.again`."""
        return again.reparse(self._site, stream, self._mapping, payload, now=now)

    def census(self, stream: str) -> int | None:
        """Jira's approximate count of the issues of a project; accounts have no count."""
        if stream == pull.USERS:
            return None
        question = {"jql": f"project = {quoted(self._project(stream))}"}
        body = self._site.ask("search/approximate-count", question)
        count = body.get("count") if isinstance(body, dict) else None
        return int(count) if isinstance(count, int) else None

    def check(self) -> tuple[Problem, ...]:
        """Everything wrong with sign-in, projects, permissions and fields; see `connectors.jira.check`."""
        return check.problems(self._site, self._source, self._mapping)

    def _project(self, stream: str) -> str:
        project = stream.removeprefix(pull.ISSUES)
        if stream not in self.streams():
            raise SourceRefused(
                f"{self._name}: no stream {stream!r}",
                source=self._name,
                hint=f"one of {', '.join(self.streams())}",
            )
        return project


def connect(name: str, source: JiraSource, secret: Callable[[str], Secret]) -> JiraConnector:
    """The connector of a configured site; nothing is sent. Raises ConfigurationError for a missing secret."""
    return JiraConnector(name, source, secret)
