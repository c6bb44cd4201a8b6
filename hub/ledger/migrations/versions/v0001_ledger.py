"""The ledger: what was observed, found, planned, approved and done."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_APPEND_ONLY = (
    "raw_record", "observation", "receipt", "plan", "approval", "consumed", "intent", "intent_event",
    "finding_event",
)  # fmt: skip
#: What makes a row the same row: SQLite's REPLACE deletes such a row without firing a DELETE trigger.
_SAME_ROW = {
    "raw_record": ("digest = NEW.digest",),
    "observation": ("key = NEW.key", "seq = NEW.seq"),
    "receipt": ("seq = NEW.seq",),
    "plan": ("digest = NEW.digest", "seq = NEW.seq"),
    "approval": ("seq = NEW.seq",),
    "consumed": ("digest = NEW.digest",),
    "intent": ("key = NEW.key", "seq = NEW.seq"),
    "intent_event": ("seq = NEW.seq",),
    "finding_event": ("seq = NEW.seq",),
}


def _text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=null) for name in names]


def _number(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=null) for name in names]


def _seq(name: str = "seq") -> sa.Column[int]:
    return sa.Column(name, _SEQ, primary_key=True)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def upgrade() -> None:
    """Make every table and let the database guard those that only grow."""
    _observing()
    _thinking()
    _acting()
    _guard()


def _observing() -> None:
    op.create_table(
        "run", sa.Column("id", sa.Text, primary_key=True), *_text("kind"), *_number("started_at"),
        *_number("finished_at", null=True), *_text("outcome", null=True),
    )  # fmt: skip
    op.create_table(
        "receipt", _seq(), *_text("run", "source", "stream"),
        *_number("started_at", "finished_at", "pages", "records", "new_records", "new_observations",
                 "quarantined", "calls"),
        *_number("source_count", "ledger_count", null=True), *_text("error", "hint"),
    )  # fmt: skip
    op.create_index("receipt_by_stream", "receipt", ["source", "stream", "seq"])
    op.create_index("receipt_by_run", "receipt", ["run", "seq"])
    op.create_table(
        "raw_record", sa.Column("digest", sa.Text, primary_key=True),
        *_text("source", "stream", "native_id", "version"), _bytes("payload"), *_number("fetched_at"),
        *_text("run"), *_number("recorded_at"),
    )  # fmt: skip
    op.create_index("raw_record_by_id", "raw_record", ["source", "stream", "native_id"])
    op.create_table(
        "observation", sa.Column("seq", _SEQ, primary_key=True, autoincrement=False), _bytes("key"),
        *_text("source", "entity", "record", "part", "field"), *_text("value", null=True),
        *_number("valid_from"), *_text("origin"), *_text("actor", null=True), *_text("raw", "evidence"),
        *_number("recorded_at"),
    )  # fmt: skip
    op.create_index("observation_key", "observation", ["key"], unique=True)
    op.create_index("observation_subject", "observation", ["source", "entity", "record", "field", "part", "valid_from"])
    op.create_table(
        "cursor", *_text("source", "stream", "position", "run"), *_number("updated_at"),
        sa.PrimaryKeyConstraint("source", "stream"),
    )  # fmt: skip
    op.create_table(
        "quarantine", *_text("source", "stream", "native_id", "reason"), _bytes("payload"),
        *_number("first_at", "last_at"), *_number("resolved_at", null=True),
        sa.PrimaryKeyConstraint("source", "stream", "native_id"),
    )  # fmt: skip


def _thinking() -> None:
    op.create_table(
        "derived", *_text("name"), sa.Column("part", sa.Integer, nullable=False), *_text("run"),
        *_number("at"), _bytes("body"), sa.PrimaryKeyConstraint("name", "part"),
    )  # fmt: skip
    op.create_table(
        "finding", sa.Column("key", sa.Text, primary_key=True),
        *_text("kind", "item", "title", "severity", "summary", "rule", "next_move", "next_who"),
        *_number("at"), *_text("from_person", "to_person", null=True), *_number("due", null=True),
        *_text("refs", "evidence", "content", "state"), *_number("first_seen", "last_seen"),
        *_number("resolved_at", null=True), *_number("seen"),
    )  # fmt: skip
    op.create_index("finding_by_state", "finding", ["state", "kind"])
    op.create_table(
        "finding_event", _seq(),
        *_text("key", "run", "kind", "item", "transition", "severity", "summary"), *_number("at"),
    )  # fmt: skip
    op.create_index("finding_event_by_key", "finding_event", ["key", "seq"])
    op.create_table("trend", *_text("run", "kind"), *_number("open", "at"), sa.PrimaryKeyConstraint("run", "kind"))


def _acting() -> None:
    op.create_table(
        "plan", _seq(), *_text("digest", "body"),
        *_number("created_at", "expires_at", "base_seq", "saved_at"),
        sa.UniqueConstraint("digest", name="plan_digest"),
    )  # fmt: skip
    op.create_table(
        "code", sa.Column("digest", sa.Text, sa.ForeignKey("plan.digest"), nullable=False),
        *_text("person", "code_hash"), *_number("expires_at"), *_number("used_at", null=True),
        sa.PrimaryKeyConstraint("digest", "code_hash"),
    )  # fmt: skip
    op.create_table(
        "approval", _seq(), sa.Column("digest", sa.Text, sa.ForeignKey("plan.digest"), nullable=False),
        *_text("person", "method"), *_number("at"),
    )  # fmt: skip
    op.create_index("approval_by_digest", "approval", ["digest", "seq"])
    op.create_table(
        "consumed", sa.Column("digest", sa.Text, sa.ForeignKey("plan.digest"), primary_key=True),
        *_number("at"),
    )  # fmt: skip
    op.create_table(
        "intent", _seq(), *_text("key", "plan", "body"), *_number("at"),
        sa.UniqueConstraint("key", name="intent_key"),
    )  # fmt: skip
    op.create_index("intent_by_plan", "intent", ["plan", "seq"])
    op.create_table(
        "intent_event", _seq(), sa.Column("intent", sa.Text, sa.ForeignKey("intent.key"), nullable=False),
        *_text("kind"), *_number("at"), *_text("detail"), *_text("before", "after", null=True),
        *_text("version"),
    )  # fmt: skip
    op.create_index("intent_event_by_intent", "intent_event", ["intent", "seq"])
    op.create_table(
        "delivery", _seq("id"), *_text("key", "kind", "payload"), *_number("queued_at", "attempts"),
        *_number("attempted_at", "delivered_at", null=True), *_text("detail"),
    )  # fmt: skip
    op.create_index("delivery_by_key", "delivery", ["key", "id"])
    op.create_index("delivery_pending", "delivery", ["delivered_at", "id"])


def _guard() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'append-only: % on % is refused', TG_OP, TG_TABLE_NAME; END $$"
        )
        for table in _APPEND_ONLY:
            op.execute(
                f'CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "{table}" '
                "FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
            )
            # ALWAYS: also for sessions that replicate, which skip ordinary triggers.
            op.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER {table}_append_only')
        return
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f'CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON "{table}" '
                f"BEGIN SELECT RAISE(ABORT, 'append-only: {verb} on {table} is refused'); END"
            )
        # One EXISTS each: a single one with OR reads both indexes for every row.
        same = " OR ".join(f'EXISTS (SELECT 1 FROM "{table}" WHERE {rule})' for rule in _SAME_ROW[table])
        op.execute(
            f'CREATE TRIGGER {table}_no_replace BEFORE INSERT ON "{table}" WHEN {same} BEGIN SELECT RAISE(IGNORE); END'
        )
