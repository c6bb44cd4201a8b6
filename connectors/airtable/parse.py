"""Observations out of one item, one update, one collaborator. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.airtable.cells import Json, Unreadable, approval, moment, owners, text, users, words
from connectors.references import find_in_field, normalise
from hub.charter.sources import AirtableItems, AirtableUpdates
from hub.domain.records import Entity, Field, Observation, Origin

# Approval and approver are cells of the item: one approval at a time, told apart by time alone.
APPROVAL_PART = "approval"
_HOME = "https://airtable.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Observations of one record and the collaborators met in it."""

    observations: tuple[Observation, ...]
    users: tuple[Json, ...]


def asked(items: AirtableItems) -> tuple[str, ...]:
    """Field ids to ask of the table of items, each once."""
    named = (
        items.title, items.status, items.phase, items.owner, items.due, items.approval, items.approver,
        items.activity, *items.identifiers, *items.references, items.modified,
    )  # fmt: skip
    return tuple(dict.fromkeys(name for name in named if name))


def modified(record: Json, items: AirtableItems, seen: datetime) -> datetime:
    """When the record last changed: its own stamp; its creation when that cell is still empty; the service's
    clock at reading where the base keeps no stamp. Raises Unreadable."""
    if not items.modified:
        return seen
    stamp = _cells(record).get(items.modified) or record.get("createdTime")
    return moment(stamp, "the modified time")


def item(record: Json, items: AirtableItems, *, source: str, base: str, seen: datetime, raw: str) -> Parsed:
    """What an item says now. Airtable keeps no history, so every value is a snapshot as of its last change.

    Cells left out are empty, since every field was asked for by id; of a field that the mapping leaves out
    (None, or the empty text) nothing is said. Raises Unreadable.
    """
    cells, native = _cells(record), _native(record)
    at = modified(record, items, seen)
    created = moment(record.get("createdTime"), "createdTime")
    url = f"{_HOME}/{base}/{items.table}/{native}"
    told: list[Observation] = []

    def say(what: Field, value: str | None, since: datetime = at, part: str = "") -> None:
        told.append(_observation(source, "item", native, what, value, since, "snapshot", part=part, raw=raw, link=url))

    say("identifier", native, created, native)
    say("url", url, created)
    if items.title:
        say("title", text(cells.get(items.title), "the title"))
    if items.owner:
        say("owner", owners(cells.get(items.owner), "the owner cell"))
    plain: tuple[tuple[Field, str | None], ...] = (
        ("status", items.status), ("phase", items.phase), ("due", items.due), ("activity", items.activity),
    )  # fmt: skip
    for what, name in plain:
        if name:
            value = text(cells.get(name), f"field {name}")
            say(what, value[:10] if value and what == "due" else value)
    if items.approval:
        say("approval", approval(text(cells.get(items.approval), "the approval")), part=APPROVAL_PART)
    if items.approver:
        say("approver", owners(cells.get(items.approver), "the approver cell"), part=APPROVAL_PART)
    # One observation per field: what a cell no longer names is withdrawn with its next value.
    for name in items.identifiers:
        tokens = dict.fromkeys(normalise(word) for word in words(cells.get(name), f"field {name}"))
        say("identifier", "\n".join(tokens) or None, part=name)
    for name in items.references:
        found = (find_in_field(word) for word in words(cells.get(name), f"field {name}"))
        named = dict.fromkeys(token for tokens_of_word in found for token in tokens_of_word)
        say("reference", "\n".join(named) or None, part=name)
    met = users(cells.get(items.owner)) + (users(cells.get(items.approver)) if items.approver else ())
    return Parsed(observations=tuple(told), users=met)


def update(record: Json, updates: AirtableUpdates, *, source: str, base: str, raw: str) -> Parsed:
    """What a row of the table of updates says about the items it is linked to: news, told by `By` at `At`.

    A row without text or without a link says nothing yet. Raises Unreadable.
    """
    cells, native = _cells(record), _native(record)
    news = text(cells.get(updates.text), "the text")
    by = users(cells.get(updates.by))
    actor = owners(cells.get(updates.by), "the author cell")
    at = moment(cells.get(updates.at) or record.get("createdTime"), "the time of the update")
    linked = cells.get(updates.item) or []
    if not isinstance(linked, list) or not all(isinstance(one, str) for one in linked):
        raise Unreadable("the link to the item holds something else than record ids")
    link = f"{_HOME}/{base}/{updates.table}/{native}"
    told: list[Observation] = []
    for target in linked if news else ():
        told += [
            _observation(
                source, "item", target, "update", news, at, "event", part=native, actor=actor, raw=raw, link=link
            ),
            _observation(source, "item", target, "activity", news, at, "event", actor=actor, raw=raw, link=link),
        ]
    return Parsed(observations=tuple(told), users=by)


def account(
    user: Json, *, source: str, base: str, own: str, at: datetime, raw: str, active: bool | None = None
) -> tuple[Observation, ...]:
    """What is known of a collaborator; `own` is the hub's user id, `at` the service's clock. Raises Unreadable.

    `active` is only known from the list of collaborators (None: not said).
    """
    native = user.get("id") or user.get("userId")
    if not native:
        raise Unreadable("a collaborator without an id")
    said: list[tuple[Field, str]] = [(what, str(user[what])) for what in ("name", "email") if user.get(what)]
    if active is not None:
        said.append(("active", "true" if active else "false"))
    said.append(("kind", "hub" if native == own else "person"))
    return tuple(
        _observation(source, "account", str(native), what, value, at, "snapshot", raw=raw, link=f"{_HOME}/{base}")
        for what, value in said
    )


def _observation(
    source: str, entity: Entity, record: str, what: Field, value: str | None, at: datetime, origin: Origin,
    *, part: str = "", actor: str | None = None, raw: str, link: str,
) -> Observation:  # fmt: skip
    return Observation(
        source=source, entity=entity, record=record, field=what, value=value, valid_from=at, origin=origin,
        part=part, actor=actor, raw=raw, evidence=link,
    )  # fmt: skip


def _native(record: Json) -> str:
    if not record.get("id"):
        raise Unreadable("a record without an id")
    return str(record["id"])


def _cells(record: Json) -> Json:
    cells = record.get("fields")
    if not isinstance(cells, dict):
        raise Unreadable("the record has no fields")
    return cells
