"""The tables. Migrations make them; this is what queries are written against (a test keeps both equal).

Times are microseconds since 1970 UTC (see values.py); JSON is ASCII text. `APPEND_ONLY` names the tables in
which the database itself refuses UPDATE and DELETE.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

#: Revision this code works with; the newest one in migrations/versions.
HEAD = "0002"
#: Named so that it never meets the version table of another application in the same database.
VERSION_TABLE = "ledger_version"

APPEND_ONLY = (
    "raw_record", "observation", "receipt", "plan", "approval", "consumed", "intent", "intent_event",
    "finding_event",
)  # fmt: skip

metadata = MetaData()

# SQLite numbers rows by itself only in a column that is exactly INTEGER PRIMARY KEY.
_Seq = BigInteger().with_variant(Integer, "sqlite")


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def _number(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


run = Table(
    "run", metadata,
    Column("id", Text, primary_key=True),
    _text("kind"), _number("started_at"), _number("finished_at", null=True), _text("outcome", null=True),
)  # fmt: skip

receipt = Table(
    "receipt", metadata,
    Column("seq", _Seq, primary_key=True),
    _text("run"), _text("source"), _text("stream"), _number("started_at"), _number("finished_at"),
    _number("pages"), _number("records"), _number("new_records"), _number("new_observations"),
    _number("quarantined"), _number("calls"), _number("source_count", null=True),
    _number("ledger_count", null=True), _text("error"), _text("hint"),
    Column("missing", Text, nullable=False, server_default="[]"),
    Index("receipt_by_stream", "source", "stream", "seq"),
    Index("receipt_by_run", "run", "seq"),
)  # fmt: skip

raw_record = Table(
    "raw_record", metadata,
    Column("digest", Text, primary_key=True),
    _text("source"), _text("stream"), _text("native_id"), _text("version"),
    Column("payload", LargeBinary, nullable=False),
    _number("fetched_at"), _text("run"), _number("recorded_at"),
    Index("raw_record_by_id", "source", "stream", "native_id"),
)  # fmt: skip

observation = Table(
    "observation", metadata,
    # Given by the hub under its append lock, so that the order of numbers is the order of commits.
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    _text("source"), _text("entity"), _text("record"), _text("part"), _text("field"),
    _text("value", null=True), _number("valid_from"), _text("origin"), _text("actor", null=True),
    _text("raw"), _text("evidence"), _number("recorded_at"),
    Index("observation_key", "key", unique=True),
    Index("observation_subject", "source", "entity", "record", "field", "part", "valid_from"),
    Index(
        "observation_presence", "source", "record",
        sqlite_where=text("field = 'presence'"), postgresql_where=text("field = 'presence'"),
    ),
)  # fmt: skip

cursor = Table(
    "cursor", metadata,
    _text("source"), _text("stream"), _text("position"), _text("run"), _number("updated_at"),
    PrimaryKeyConstraint("source", "stream"),
)  # fmt: skip

quarantine = Table(
    "quarantine", metadata,
    _text("source"), _text("stream"), _text("native_id"), _text("reason"),
    Column("payload", LargeBinary, nullable=False),
    _number("first_at"), _number("last_at"), _number("resolved_at", null=True),
    PrimaryKeyConstraint("source", "stream", "native_id"),
)  # fmt: skip

derived = Table(
    "derived", metadata,
    _text("name"), Column("part", Integer, nullable=False), _text("run"), _number("at"),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name", "part"),
)  # fmt: skip

finding = Table(
    "finding", metadata,
    Column("key", Text, primary_key=True),
    _text("kind"), _text("item"), _text("title"), _text("severity"), _text("summary"), _text("rule"),
    _text("next_move"), _text("next_who"), _number("at"), _text("from_person", null=True),
    _text("to_person", null=True), _number("due", null=True), _text("refs"), _text("evidence"),
    _text("content"), _text("state"), _number("first_seen"), _number("last_seen"),
    _number("resolved_at", null=True), _number("seen"),
    Index("finding_by_state", "state", "kind"),
)  # fmt: skip

finding_event = Table(
    "finding_event", metadata,
    Column("seq", _Seq, primary_key=True),
    _text("key"), _text("run"), _text("kind"), _text("item"), _text("transition"), _text("severity"),
    _text("summary"), _number("at"),
    Index("finding_event_by_key", "key", "seq"),
)  # fmt: skip

trend = Table(
    "trend", metadata,
    _text("run"), _text("kind"), _number("open"), _number("at"),
    PrimaryKeyConstraint("run", "kind"),
)  # fmt: skip

plan = Table(
    "plan", metadata,
    Column("seq", _Seq, primary_key=True),
    _text("digest"), _text("body"), _number("created_at"), _number("expires_at"), _number("base_seq"),
    _number("saved_at"),
    UniqueConstraint("digest", name="plan_digest"),
)  # fmt: skip

_DIGEST = "plan.digest"

code = Table(
    "code", metadata,
    Column("digest", Text, ForeignKey(_DIGEST), nullable=False),
    _text("person"), _text("code_hash"), _number("expires_at"), _number("used_at", null=True),
    PrimaryKeyConstraint("digest", "code_hash"),
)  # fmt: skip

approval = Table(
    "approval", metadata,
    Column("seq", _Seq, primary_key=True),
    Column("digest", Text, ForeignKey(_DIGEST), nullable=False),
    _text("person"), _text("method"), _number("at"),
    Index("approval_by_digest", "digest", "seq"),
)  # fmt: skip

consumed = Table(
    "consumed", metadata,
    Column("digest", Text, ForeignKey(_DIGEST), primary_key=True),
    _number("at"),
)  # fmt: skip

intent = Table(
    "intent", metadata,
    Column("seq", _Seq, primary_key=True),
    _text("key"), _text("plan"), _text("body"), _number("at"),
    UniqueConstraint("key", name="intent_key"),
    Index("intent_by_plan", "plan", "seq"),
)  # fmt: skip

intent_event = Table(
    "intent_event", metadata,
    Column("seq", _Seq, primary_key=True),
    Column("intent", Text, ForeignKey("intent.key"), nullable=False),
    _text("kind"), _number("at"), _text("detail"), _text("before", null=True), _text("after", null=True),
    _text("version"),
    Index("intent_event_by_intent", "intent", "seq"),
)  # fmt: skip

delivery = Table(
    "delivery", metadata,
    Column("id", _Seq, primary_key=True),
    _text("key"), _text("kind"), _text("payload"), _number("queued_at"), _number("attempts"),
    _number("attempted_at", null=True), _number("delivered_at", null=True), _text("detail"),
    Index("delivery_by_key", "key", "id"),
    Index("delivery_pending", "delivered_at", "id"),
)  # fmt: skip
