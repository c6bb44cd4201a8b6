"""Sources: which tool, whose, how to reach it, and which of its fields mean what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hub.charter.secret import SecretReference


def _loopback_or_tls(url: str) -> str:
    """Plain http is for this machine only."""
    if url.startswith("https://"):
        return url
    host = url.removeprefix("http://").split("/", 1)[0].rsplit(":", 1)[0]
    if url.startswith("http://") and host in {"127.0.0.1", "localhost", "[::1]"}:
        return url.rstrip("/")
    msg = f"{url!r} must be https (plain http is accepted for this machine only)"
    raise ValueError(msg)


Address = Annotated[str, AfterValidator(_loopback_or_tls)]


class Strict(BaseModel):
    """Frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False)


class SourceBase(Strict):
    """What every source states."""

    partner: str
    writable: bool = False
    pool: str | None = None


class SalesforceConnection(Strict):
    """Client-credentials sign-in; `domain` for a real org (My Domain), `base_url` for a test server."""

    domain: str | None = None
    base_url: Address | None = None
    client_id: str
    client_secret: SecretReference
    api_version: str = "59.0"


class SalesforceObject(Strict):
    """Field API names of one object. `tracked` are the fields with history tracking switched on."""

    title: str
    status: str | None = None
    phase: str | None = None
    owner: str = "OwnerId"
    due: str | None = None
    activity: str | None = None
    identifiers: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    tracked: tuple[str, ...] = ()
    comments: bool = False
    approvals: bool = False


class SalesforceSource(SourceBase):
    """One Salesforce org."""

    tool: Literal["salesforce"]
    connection: SalesforceConnection
    objects: dict[str, SalesforceObject]


class JiraConnection(Strict):
    """Jira Cloud with e-mail and API token."""

    server: Address
    email: str
    token: SecretReference


class JiraFields(Strict):
    """Custom fields by id; title, status, owner, due date, description and comments are built in."""

    phase: str | None = None
    approval: str | None = None
    approver: str | None = None
    activity: str | None = None
    identifiers: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


class JiraSource(SourceBase):
    """One Jira Cloud site."""

    tool: Literal["jira"]
    connection: JiraConnection
    projects: tuple[str, ...]
    fields: JiraFields = JiraFields()


class AirtableConnection(Strict):
    """Personal access token; `endpoint_url` only for a test server; `requests_per_second` is Airtable's
    published limit for one base, to be raised only where Airtable has agreed to more."""

    endpoint_url: Address = "https://api.airtable.com"
    token: SecretReference
    requests_per_second: float = Field(default=5, gt=0)


class AirtableItems(Strict):
    """The table of work items; table and fields by id, since people rename columns."""

    table: str
    title: str
    status: str | None = None
    phase: str | None = None
    owner: str
    due: str | None = None
    approval: str | None = None
    approver: str | None = None
    activity: str | None = None
    identifiers: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    modified: str | None = None


class AirtableUpdates(Strict):
    """A table of updates, each linked to an item, as teams keep one."""

    table: str
    item: str
    text: str
    by: str
    at: str


class AirtableSource(SourceBase):
    """One Airtable base."""

    tool: Literal["airtable"]
    connection: AirtableConnection
    base: str
    items: AirtableItems
    updates: AirtableUpdates | None = None


class MailConnection(Strict):
    """An IMAP folder to read and, for writing, an SMTP server."""

    host: str
    port: int = 993
    tls: bool = True
    user: str
    password: SecretReference
    folder: str = "INBOX"
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_tls: bool = True
    smtp_user: str | None = None
    smtp_password: SecretReference | None = None
    sender: str


class MailSource(SourceBase):
    """One mailbox folder."""

    tool: Literal["mail"]
    connection: MailConnection


Source = Annotated[
    SalesforceSource | JiraSource | AirtableSource | MailSource,
    Field(discriminator="tool"),
]
