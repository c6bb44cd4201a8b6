"""How the site prints issues, comments and changelogs."""

from __future__ import annotations

import html
import zlib
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from sandbox.jira import adf, defaults
from sandbox.jira.columns import Columns
from sandbox.jira.things import Things
from sandbox.jira.wanted import Wanted
from sandbox.rights import Rights
from sandbox.stamps import parsed
from sandbox.store import Store

_MOST_COMMENTS = 20  # comments inside a search result
_MOST_HISTORIES = 40  # changelog entries inside a search result; a single issue shows up to 100
_MOST_PREPARED = 50


class Printer(Things):
    """Prints documents of one site, for one reader and as long as nothing changes."""

    def __init__(self, store: Store, space: str, *, address: str, version: str, zone: tzinfo, rights: Rights) -> None:
        """Print in API version 2 (plain text) or 3 (document trees) what these rights let through."""
        super().__init__(store, space, address=address, version=version, zone=zone, rights=rights)
        self._fields: Mapping[str, Mapping[str, Any]] | None = None
        self._priorities: Mapping[str, Mapping[str, Any]] | None = None
        self._prepared: dict[tuple[Wanted, str, bool], Columns] = {}

    def issues(self, docs: Sequence[Mapping[str, Any]], what: Wanted, *, in_search: bool) -> list[dict[str, Any]]:
        """Return issues; histories, comments and properties are read for all of them at once.

        Those of a search are only to be sent: parts of them are JSON already.
        """
        if what.only_id:
            return [{"id": str(doc["id"])} for doc in docs]
        ids = [str(doc["id"]) for doc in docs]
        with_comments = what.field("comment")
        comments = self._grouped("comment", ids) if with_comments else {}
        histories = self._grouped("changelog", ids) if what.changelog else {}
        properties = self._grouped("_property", ids) if what.properties else {}
        expand, link = "renderedFields,names,schema,operations,editmeta,changelog", f"{self._rest}/issue/"
        rendered, always = "renderedFields" in what.expand, bool(what.fields - {"id", "key"})
        by_project = bool(self._rights.hidden_fields)
        columns = self._columns(what, "", pressed=in_search)
        out = []
        for doc in docs:
            id_ = str(doc["id"])
            told: dict[str, Any] = {"expand": expand, "id": id_, "self": link + id_, "key": doc["key"]}
            if what.changelog:
                told["changelog"] = self._changelog(histories.get(id_, []), _MOST_HISTORIES if in_search else 100)
            if by_project:
                columns = self._columns(what, str(doc["key"]).rpartition("-")[0], pressed=in_search)
            fields = columns.of(doc)
            if with_comments:
                fields["comment"] = self._embedded(id_, comments.get(id_, []), _MOST_COMMENTS if in_search else None)
            if fields or always:
                told["fields"] = fields
            if what.properties:
                held = properties.get(id_, [])
                wanted_all = "*all" in what.properties
                told["properties"] = {
                    str(one["key"]): one["value"] for one in held if wanted_all or one["key"] in what.properties
                }
            if rendered:
                told["renderedFields"] = {
                    name: None if name != "description" else _rendered(doc["fields"].get(name)) for name in fields
                }
            out.append(told)
        return out

    def field_names(self, what: Wanted) -> dict[str, str]:
        """Return the shown name of every field asked for."""
        return {id_: str(doc["name"]) for id_, doc in self.visible_fields().items() if what.field(id_)}

    def field_schemas(self, what: Wanted) -> dict[str, dict[str, Any]]:
        """Return the schema of every field asked for."""
        shown = self.visible_fields().items()
        return {id_: defaults.schema_of(doc) for id_, doc in shown if what.field(id_) and doc.get("schema")}

    def visible_fields(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the fields of the site that the caller may see, by id."""
        if self._fields is None:
            self._fields = {
                str(doc["id"]): doc
                for doc in defaults.fields(self._store, self._space)
                if self._rights.sees_field("", str(doc["id"]))
            }
        return self._fields

    def comment(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        """Return a comment."""
        author = self.person(doc.get("_author"))
        return {
            "self": f"{self._rest}/issue/{doc['_parent']}/comment/{doc['id']}",
            "id": str(doc["id"]),
            "author": author,
            "body": self.rich(doc["body"]),
            "updateAuthor": self.person(doc.get("_editor")) or author,
            "created": self.time(doc["created"]),
            "updated": self.time(doc.get("updated", doc["created"])),
            "jsdPublic": True,
        }

    def histories(self, docs: Sequence[Mapping[str, Any]], *, epoch: bool = False) -> list[dict[str, Any]]:
        """Return changelog entries without the items about fields the caller may not see."""
        shown = ((doc, self._items(doc["items"])) for doc in docs)
        return [self._history(doc, items, epoch=epoch) for doc, items in shown if items or not doc["items"]]

    def rich(self, text: str | None) -> Any:
        """Return text as this API version prints it."""
        return adf.to_tree(text) if self._trees else text

    def option(self, name: str, value: str) -> dict[str, Any]:
        """Return an option of a select field; its id is made from field and value."""
        id_ = str(10_000 + zlib.crc32(f"{name}/{value}".encode()) % 1_000_000)
        return {"self": f"{self._rest}/customFieldOption/{id_}", "value": value, "id": id_}

    def priority_or_usual(self, value: Any) -> dict[str, Any]:
        """Return a priority; an issue without one has the medium one."""
        if self._priorities is None:
            self._priorities = {str(doc["id"]): doc for doc in defaults.priorities(self._store, self._space)}
        if isinstance(value, Mapping) and value.get("name"):
            return self.priority(value)
        return self.priority(self._priorities.get(defaults.MEDIUM) or next(iter(self._priorities.values())))

    def sees_field(self, project: str, name: str) -> bool:
        """Whether the reader sees a field in a project."""
        return self._rights.sees_field(project, name)

    # -- inside ----------------------------------------------------------------------------------------------

    def _history(self, doc: Mapping[str, Any], items: list[Any], *, epoch: bool) -> dict[str, Any]:
        created: Any = int(parsed(doc["created"]).timestamp() * 1000) if epoch else self.time(doc["created"])
        told = {"id": str(doc["id"]), "created": created, "items": items}
        author = self.person(doc.get("_author"))
        return told if author is None else {"id": told["id"], "author": author, **told}

    def _items(self, items: Sequence[Mapping[str, Any]]) -> list[Any]:
        if not self._rights.hidden_fields:
            return list(items)
        return [item for item in items if self._rights.sees_field("", str(item.get("fieldId", "")))]

    def _changelog(self, docs: Sequence[Mapping[str, Any]], most: int) -> dict[str, Any]:
        rows = self.histories(docs)
        return {
            "startAt": 0,
            "maxResults": min(most, len(rows)),
            "total": len(rows),
            "histories": rows[::-1][:most],
        }

    def _grouped(self, kind: str, ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for doc in self._store.find_all(self._space, kind, ids):
            groups.setdefault(str(doc["_parent"]), []).append(doc)
        return groups

    def _embedded(self, id_: str, docs: Sequence[Mapping[str, Any]], most: int | None) -> dict[str, Any]:
        shown = docs if most is None else docs[:most]
        return {
            "comments": [self.comment(doc) for doc in shown],
            "self": f"{self._rest}/issue/{id_}/comment",
            "maxResults": len(shown),
            "total": len(docs),
            "startAt": 0,
        }

    def _columns(self, what: Wanted, project: str, *, pressed: bool) -> Columns:
        key = (what, project, pressed)
        if key not in self._prepared:
            if len(self._prepared) >= _MOST_PREPARED:
                self._prepared.clear()
            self._prepared[key] = Columns(self, what, project=project, pressed=pressed)
        return self._prepared[key]


def _rendered(text: str | None) -> str:
    blocks = (html.escape(block).replace("\n", "<br/>") for block in (text or "").split("\n\n") if block)
    return "".join(f"<p>{block}</p>" for block in blocks)
