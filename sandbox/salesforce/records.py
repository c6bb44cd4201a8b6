"""Single records over HTTP: /sobjects/{o}, by id and by external id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.calls import Answer, Call, reply
from sandbox.salesforce.author import Author
from sandbox.salesforce.deletes import Bin
from sandbox.salesforce.describe import described, in_short, listed
from sandbox.salesforce.errors import body_of, not_found, several_found
from sandbox.salesforce.guards import check_read, check_write, entity_tag
from sandbox.salesforce.ids import plausible
from sandbox.salesforce.org import Org
from sandbox.salesforce.printing import Rows, printer
from sandbox.salesforce.queries import base_of
from sandbox.salesforce.schema import SObject

_RECENT = 5


class Records:
    """Handlers over one org; rights and rows as the calling user has them."""

    def __init__(self, org: Org) -> None:
        """Serve one org."""
        self._org = org
        self._bin = Bin(org)

    def list_objects(self, call: Call) -> Answer:
        """GET /sobjects."""
        return reply(listed(self._org.schema, call.at["v"], self._org.author(call).rights))

    def basic(self, call: Call) -> Answer:
        """GET /sobjects/{o}: the object in short and the records changed last."""
        sobject, author = self._called(call)
        recent = [
            {"attributes": {"type": sobject.name, "url": f"{base_of(call)}/sobjects/{sobject.name}/{doc['Id']}"}}
            | {"Id": doc["Id"]}
            for doc in self._org.store.scan(self._org.space, sobject.name, limit=_RECENT)
            if not doc.get("IsDeleted") and self._org.visible(sobject, doc, author.rights)
        ]
        return reply({"objectDescribe": in_short(sobject, call.at["v"], author.rights), "recentItems": recent})

    def describe(self, call: Call) -> Answer:
        """GET /sobjects/{o}/describe."""
        sobject, author = self._called(call)
        return reply(described(self._org.schema, sobject, call.at["v"], author.rights))

    def read(self, call: Call) -> Answer:
        """GET /sobjects/{o}/{id}?fields=a,b: all visible columns unless some are named."""
        sobject, author = self._called(call)
        return self._read(call, sobject, author, call.at["id"])

    def read_external(self, call: Call) -> Answer:
        """GET /sobjects/{o}/{field}/{value}: the record with this external id; 300 when several have it."""
        sobject, author = self._called(call)
        return self._read(call, sobject, author, self._one(call, sobject, author))

    def create(self, call: Call) -> Answer:
        """POST /sobjects/{o}."""
        sobject, author = self._called(call)
        return reply(
            {"id": self._org.writer.create(sobject, body_of(call), by=author), "success": True, "errors": []}, 201
        )

    def update(self, call: Call) -> Answer:
        """PATCH /sobjects/{o}/{id}, conditional headers obeyed."""
        sobject, author = self._called(call)
        self._update(call, sobject, author, call.at["id"], body_of(call))
        return Answer(status=204)

    def upsert(self, call: Call) -> Answer:
        """PATCH /sobjects/{o}/{field}/{value}: 201 for a new record, 200 for a changed one."""
        sobject, author = self._called(call)
        made, new = self._org.writer.upsert(sobject, call.at["field"], call.at["value"], body_of(call), by=author)
        return reply({"id": made, "success": True, "errors": [], "created": new}, 201 if new else 200)

    def delete(self, call: Call) -> Answer:
        """DELETE /sobjects/{o}/{id}."""
        sobject, author = self._called(call)
        self._bin.delete(sobject, self._plausible(call.at["id"]), by=author)
        return Answer(status=204)

    def delete_external(self, call: Call) -> Answer:
        """DELETE /sobjects/{o}/{field}/{value}."""
        sobject, author = self._called(call)
        self._bin.delete(sobject, self._one(call, sobject, author), by=author)
        return Answer(status=204)

    def _called(self, call: Call) -> tuple[SObject, Author]:
        author = self._org.author(call)
        return self._org.sobject(call.at["o"], author), author

    def _plausible(self, id_: str) -> str:
        if not plausible(id_):
            raise not_found()
        return id_

    def _one(self, call: Call, sobject: SObject, author: Author) -> str:
        found = self._org.writer.having(sobject, call.at["field"], call.at["value"], by=author)
        if not found:
            raise not_found()
        if len(found) > 1:
            raise several_found([f"{base_of(call)}/sobjects/{sobject.name}/{id_}" for id_ in found])
        return found[0]

    def _read(self, call: Call, sobject: SObject, author: Author, id_: str) -> Answer:
        record = self._org.writer.existing(sobject, self._plausible(id_), by=author)
        check_read(call, sobject.name, record)
        columns = self._org.columns(sobject, author)
        named = [name.strip() for name in call.one("fields").split(",") if name.strip()] or columns.names("ALL")
        wanted = tuple(columns.find(tuple(name.split("."))) for name in named)
        rows = Rows(sobject=sobject, columns=wanted, related=columns, base=base_of(call))
        headers = {"ETag": entity_tag(record)} if sobject.name == "Account" else {}
        return reply(printer(rows)(record)).plus(headers)

    def _update(self, call: Call, sobject: SObject, author: Author, id_: str, wanted: Mapping[str, Any]) -> None:
        def check(record: Mapping[str, Any]) -> None:
            check_write(call, sobject.name, record)

        self._org.writer.update(sobject, self._plausible(id_), wanted, by=author, check=check)


def only_first_locked(author: Author, number: int) -> Author:
    """Return the author for the row of this number: of many rows in one request somebody holds only the first."""
    return replace(author, row_locked=author.row_locked and number == 0)
