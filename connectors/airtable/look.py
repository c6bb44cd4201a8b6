"""What `hub check` finds out about a base: sign-in, scopes, level of access, tables and fields, one by one."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.airtable import drift
from connectors.airtable.cells import Json
from connectors.airtable.web import Web
from connectors.airtable.write import LINKS, MANY, ONE
from hub.charter.sources import AirtableItems, AirtableSource, AirtableUpdates
from hub.domain.records import Problem
from hub.errors import HubError, SourceRefused

READ, WRITE, SCHEMA = "data.records:read", "data.records:write", "schema.bases:read"
PEOPLE = "workspacesAndBases:read"
_MAY_WRITE = frozenset({"edit", "create", "owner"})


def problems(name: str, web: Web, source: AirtableSource) -> tuple[Problem, ...]:
    """Everything that stands in the way of pulling `source` (and of writing, where it is writable)."""
    found: list[Problem] = []
    try:
        web.me()
        found.extend(_all(name, web, source))
    except HubError as error:  # what was found before it stays
        found.append(Problem(where=name, what=error.message, hint=error.advice))
    return tuple(found)


def _all(name: str, web: Web, source: AirtableSource) -> Iterator[Problem]:
    lacking: set[str] = set()
    told = web.scopes()
    for scope in (READ, SCHEMA, *((WRITE,) if source.writable else ())):
        if told is not None and scope not in told:
            lacking.add(scope)
            yield _no_scope(name, scope)
    tables: dict[str, Json] | None = None
    try:
        tables = web.tables(fresh=True)
    except SourceRefused as error:
        if SCHEMA not in lacking:
            yield Problem(
                where=name,
                what=error.message,
                hint=f"the token needs the scope {SCHEMA}, and base {source.base} among those it may see",
            )
    for part, mapping in (("items", source.items), ("updates", source.updates)):
        if mapping is None:
            continue
        there = tables is None or mapping.table in tables
        if tables is not None:
            yield from _table(f"{name}.{part}", source.base, mapping, tables)
        if there and READ not in lacking and not web.may_read(mapping.table):
            yield Problem(
                where=f"{name}.{part}.table",
                what=f"records of table {mapping.table} cannot be read",
                hint=f"the token needs the scope {READ}, its user access to the table",
            )
    level = web.level() if source.writable and SCHEMA not in lacking else None
    if level is not None and level not in _MAY_WRITE:
        yield Problem(
            where=name,
            what=f"the hub's user may not write: its level in base {source.base} is {level}",
            hint="make it an editor of the base, or take `writable` out of the charter",
        )
    if web.collaborators() is None:
        yield Problem(
            where=name,
            what=f"collaborators cannot be listed with this plan or token (scope {PEOPLE})",
            hint="people are then known only from the cells they appear in",
            severity="warning",
        )


def _no_scope(name: str, scope: str) -> Problem:
    return Problem(where=name, what=f"the token lacks the scope {scope}", hint="add it to the token, or to the app")


def _table(
    where: str, base: str, mapping: AirtableItems | AirtableUpdates, tables: dict[str, Json]
) -> Iterator[Problem]:
    if mapping.table not in tables:
        yield Problem(
            where=f"{where}.table",
            what=f"table {mapping.table} does not exist in base {base}",
            hint="use the table's id (tbl...)",
        )
        return
    fields = [field for field in tables[mapping.table].get("fields") or () if isinstance(field, dict)]
    lost = drift.lost(fields, drift.roles(mapping))
    for reason in lost.values():
        yield Problem(where=where, what=f"{reason} in table {mapping.table}", hint="use the field's id (fld...)")
    if isinstance(mapping, AirtableUpdates):
        return
    kinds = {field.get("id"): field.get("type") for field in fields}
    expected = {mapping.owner: (ONE, MANY, LINKS), mapping.modified: ("lastModifiedTime",)}
    for field, types in expected.items():
        if field in kinds and field not in lost and kinds[field] not in types:
            yield Problem(
                where=where,
                what=f"field {field} is of type {kinds[field]}",
                hint=f"it must be one of {', '.join(types)}",
            )
