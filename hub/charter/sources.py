"""Sources: which tool, whose, how to reach it, and which of its fields mean what."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from hub.charter.duration import Duration
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


def _in_full(path: str) -> str:
    """A file is named in full, wherever the hub is started."""
    if not path.startswith("/"):
        msg = "must be an absolute path"
        raise ValueError(msg)
    return path


class HttpConnection(Strict):
    """What every tool spoken to over HTTP may state. `ca_file` is a PEM file with the certificates of a private
    authority, trusted instead of the public ones."""

    ca_file: Annotated[str, AfterValidator(_in_full)] | None = None


class SourceBase(Strict):
    """What every source states."""

    partner: str
    writable: bool = False
    pool: str | None = None
    census_every: Duration = timedelta(hours=24)
    max_believed_deletions: int | None = Field(default=None, ge=0)


_SIGN_IN_NEEDS = {
    "client_credentials": ("client_id", "client_secret"),
    "jwt_bearer": ("client_id", "username", "private_key"),
    "password": ("client_id", "client_secret", "username", "password"),
    "soap": ("username", "password"),
}


class SalesforceConnection(HttpConnection):
    """How to sign in; `domain` for a real org (My Domain, `login` or `test`), `base_url` for a test server.

    `keep_requests` is the share of the org's daily requests that the hub leaves to others.
    """

    domain: str | None = None
    base_url: Address | None = None
    sign_in: Literal["client_credentials", "jwt_bearer", "password", "soap"] = "client_credentials"
    client_id: str = ""
    client_secret: SecretReference | None = None
    username: str = ""
    password: SecretReference | None = None
    security_token: SecretReference | None = None
    private_key: SecretReference | None = None
    api_version: str = "59.0"
    keep_requests: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _complete(self) -> SalesforceConnection:
        missing = [name for name in _SIGN_IN_NEEDS[self.sign_in] if not getattr(self, name)]
        if missing:
            msg = f"signing in by {self.sign_in} needs {', '.join(missing)}"
            raise ValueError(msg)
        if self.sign_in == "client_credentials" and self.domain in {"login", "test"}:
            msg = "signing in by client_credentials needs your My Domain as domain, not login or test"
            raise ValueError(msg)
        return self


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
    """One Salesforce org. Objects with more than `bulk_above` records are read by a bulk job the first time."""

    tool: Literal["salesforce"]
    connection: SalesforceConnection
    objects: dict[str, SalesforceObject]
    bulk_above: int = Field(default=20_000, ge=0)


class JiraConnection(HttpConnection):
    """Jira Cloud, signed in to in one of three ways.

    `email` and `token`: an API token. `token` alone: a token sent as it is (bearer). `client_id`, `client_secret`,
    `refresh_token` and `cloud_id`: OAuth 2.0; every use replaces the refresh token, so it lives in a file the hub
    may write. With `cloud_id` requests go through Atlassian's gateway, `server` is what people open. `gateway` and
    `sign_in` are changed only for a test server. `index_lag`: how far back every pull asks again, since the search
    index shows changes late.
    """

    server: Address
    email: str | None = None
    token: SecretReference | None = None
    cloud_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]+$")
    client_id: str | None = None
    client_secret: SecretReference | None = None
    refresh_token: SecretReference | None = None
    gateway: Address = "https://api.atlassian.com"
    sign_in: Address = "https://auth.atlassian.com"
    index_lag: Duration = timedelta(hours=2)

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        app = (self.client_id, self.client_secret, self.refresh_token)
        if self.token is not None:
            if any(app):
                msg = "has both a token and an OAuth app; keep one"
                raise ValueError(msg)
            return self
        if self.email is not None or not all((*app, self.cloud_id)):
            msg = "needs email and token, or token alone, or client_id, client_secret, refresh_token and cloud_id"
            raise ValueError(msg)
        if not str(self.refresh_token).startswith("file:"):
            msg = "refresh_token must be a file: reference, since every use replaces it"
            raise ValueError(msg)
        return self


class JiraFields(Strict):
    """Custom fields by id; title, status, owner, due date, description and comments are built in."""

    phase: str | None = None
    approval: str | None = None
    approver: str | None = None
    activity: str | None = None
    identifiers: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


class JiraSource(SourceBase):
    """One Jira Cloud site. `approvals`: read those of service-desk requests, one request for each changed issue."""

    tool: Literal["jira"]
    connection: JiraConnection
    projects: tuple[str, ...]
    fields: JiraFields = JiraFields()
    approvals: bool = False


def _rewritable(reference: str) -> str:
    """A file the hub replaces is named in full, wherever the hub is started."""
    if not reference.startswith("file:/"):
        msg = "must be file: with an absolute path; the hub replaces this file"
        raise ValueError(msg)
    return reference


class AirtableOAuth(Strict):
    """An app of your own: `token_file` holds its refresh token, which the hub replaces with each renewal;
    `renewal_url` only for a test server. Without `client_secret` the app is a public one."""

    client_id: str
    client_secret: SecretReference | None = None
    token_file: Annotated[SecretReference, AfterValidator(_rewritable)]
    renewal_url: Address = "https://airtable.com/oauth2/v1/token"


class AirtableConnection(HttpConnection):
    """Personal access token or an app's sign-in, one of the two; `endpoint_url` only for a test server;
    `requests_per_second` is Airtable's published limit for one base, to be raised only where Airtable has
    agreed to more."""

    endpoint_url: Address = "https://api.airtable.com"
    token: SecretReference | None = None
    oauth: AirtableOAuth | None = None
    requests_per_second: float = Field(default=5, gt=0)

    @model_validator(mode="after")
    def _signs_in_one_way(self) -> AirtableConnection:
        if (self.token is None) == (self.oauth is None):
            msg = "give either token or oauth"
            raise ValueError(msg)
        return self


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


class RestConnection(HttpConnection):
    """Any HTTP service: a token as `bearer`, name and password as `basic`, a key in a `header` of its own."""

    base_url: Address
    auth: Literal["bearer", "basic", "header", "none"] = "bearer"
    secret: SecretReference | None = None
    user: str | None = None
    header: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = {"bearer": {"secret"}, "basic": {"secret", "user"}, "header": {"secret", "header"}, "none": set()}
        given = {name for name in ("secret", "user", "header") if getattr(self, name) is not None}
        if given != wanted[self.auth]:
            msg = f"auth {self.auth} takes {' and '.join(sorted(wanted[self.auth])) or 'nothing else'}"
            raise ValueError(msg)
        return self


class RestPaging(Strict):
    """How a service hands out a long list; `next` is where a reply says how to go on.

    `cursor`: the value at `next` goes into `parameter`. `link`: the address at `next`, or the Link header where
    `next` is left out. `offset`: records so far, `page`: number of the page from `first`, both in `parameter`,
    until a page is empty. `none`: one reply holds everything.
    """

    kind: Literal["cursor", "link", "offset", "page", "none"] = "none"
    next: str | None = None
    parameter: str | None = None
    size_parameter: str | None = None
    size: int = Field(default=100, gt=0)
    first: int = 1

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind in {"cursor", "offset", "page"} and self.parameter is None:
            msg = f"paging by {self.kind} needs the name of its parameter"
            raise ValueError(msg)
        if self.kind == "cursor" and self.next is None:
            msg = "paging by cursor needs `next`, the place of the cursor in a reply"
            raise ValueError(msg)
        return self


class RestSince(Strict):
    """The filter for what has changed, read again for `overlap` because rows may appear late."""

    parameter: str
    format: Literal["iso", "epoch", "epoch_ms"] = "iso"
    overlap: Duration = timedelta(minutes=10)


class RestDeleted(Strict):
    """The listing of what was deleted: the same path with these parameters; `at` holds the time of deletion."""

    params: dict[str, str]
    at: str


class RestListing(Strict):
    """A listing: where it is, how it pages, and where in a record its id and modified stamp are.

    Places are keys joined by dots (`properties.owner`), in CSV the column's heading.
    """

    path: str = Field(pattern="^/")
    format: Literal["json", "csv"] = "json"
    params: dict[str, str] = {}
    records: str = ""
    paging: RestPaging = RestPaging()
    id: str = "id"


class RestAccounts(RestListing):
    """The listing of people. `inactive` is a flag that is true for those who have left."""

    name: tuple[str, ...] = ()
    email: str | None = None
    modified: str | None = None
    inactive: str | None = None
    deleted: RestDeleted | None = None


class RestUpdates(Strict):
    """Updates kept as a list inside each record."""

    records: str
    id: str
    text: str
    by: str | None = None
    at: str


class RestStream(RestListing):
    """A listing of work items. `record` is the path of a single one, with `{id}` in it."""

    modified: str
    created: str | None = None
    since: RestSince | None = None
    deleted: RestDeleted | None = None
    record: str | None = Field(default=None, pattern=r"^/.*\{id\}")
    url: str | None = Field(default=None, pattern=r"^https?://.*\{id\}")
    title: str
    status: str | None = None
    phase: str | None = None
    owner: str | None = None
    due: str | None = None
    identifiers: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    updates: RestUpdates | None = None
    absent_is_empty: bool = False


class RestSource(SourceBase):
    """Any service with lists over HTTP, in JSON or CSV; read only."""

    tool: Literal["rest"]
    connection: RestConnection
    accounts: RestAccounts | None = None
    streams: dict[str, RestStream] = Field(min_length=1)

    @model_validator(mode="after")
    def _readable_only(self) -> Self:
        if self.writable:
            msg = "a source of this kind is only read; leave `writable` out"
            raise ValueError(msg)
        if "accounts" in self.streams:
            msg = "`accounts` is the name of the listing of people and cannot be a stream of items"
            raise ValueError(msg)
        return self


Source = Annotated[
    SalesforceSource | JiraSource | AirtableSource | MailSource | RestSource,
    Field(discriminator="tool"),
]
