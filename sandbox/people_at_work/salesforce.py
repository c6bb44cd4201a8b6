"""How people work in a Salesforce org: REST version 59.0, and SOAP for the recycle bin (REST cannot undelete)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from sandbox.people_at_work import deeds
from sandbox.people_at_work.hands import NOBODY, Outcome, Seen
from sandbox.people_at_work.talk import Line, Reply
from sandbox.people_at_work.view import GONE, Record, State

_API = "/services/data/v59.0"
_TITLE = {"Case": "Subject", "Opportunity": "Name"}
_STATUS = {"Case": "Status", "Opportunity": "StageName"}


class SalesforceHand:
    """One org, with the session of each person."""

    def __init__(self, instance: str, address: str, tokens: Mapping[str, str]) -> None:
        """Work in the org at an address; ``tokens`` by person."""
        self._instance = instance
        self._line = Line(address)
        self._auth = {key: {"Authorization": f"Bearer {token}"} for key, token in tokens.items()}
        self._tokens = dict(tokens)
        self._first = next(iter(self._auth.values()))

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def look(self, most: int) -> Seen:
        """Read cases, opportunities, picklists, waiting approvals and inactive users."""
        described = self._line.look("GET", f"{_API}/sobjects", auth=self._first)["sobjects"]
        kinds = [name for name in _TITLE if any(each["name"] == name for each in described)]
        waiting = self._waiting()
        records: list[Record] = []
        statuses: dict[str, tuple[str, ...]] = {}
        for kind in kinds:
            text = f"SELECT Id, {_TITLE[kind]}, OwnerId, {_STATUS[kind]} FROM {kind} ORDER BY LastModifiedDate DESC"
            records += [
                Record(
                    instance=self._instance,
                    id=row["Id"],
                    kind=kind,
                    title=str(row[_TITLE[kind]] or ""),
                    owner=row["OwnerId"],
                    status=row[_STATUS[kind]],
                    approver=waiting.get(row["Id"]),
                )
                for row in self._rows(f"{text} LIMIT {most}")
            ]
            columns = self._line.look("GET", f"{_API}/sobjects/{kind}/describe", auth=self._first)["fields"]
            column: dict[str, Any] = next((each for each in columns if each["name"] == _STATUS[kind]), {})
            statuses[kind] = tuple(value["value"] for value in column.get("picklistValues") or ())
        former = tuple(row["Id"] for row in self._rows("SELECT Id FROM User WHERE IsActive = false ORDER BY Id"))
        return Seen(records=tuple(records), statuses=statuses, former=former)

    def state(self, record: Record, *, by: str) -> tuple[State | None, Reply]:
        """Read owner and status."""
        query = {"fields": f"OwnerId,{_STATUS[record.kind]}"}
        path = f"{_API}/sobjects/{record.kind}/{record.id}"
        reply = self._line.ask("GET", path, auth=self._auth[by], query=query)
        if reply.status == 404:
            return GONE, reply
        if not reply.ok:
            return None, reply
        return {"owner": reply.body["OwnerId"], "status": reply.body[_STATUS[record.kind]]}, reply

    def act(self, deed: deeds.Deed, record: Record | None, *, at: str) -> Outcome:
        """Carry out a deed."""
        auth = self._auth[deed.by]
        if isinstance(deed, deeds.CreateItem):
            return self._create(deed, auth)
        if record is None:
            return Outcome(reply=NOBODY)
        path = f"{_API}/sobjects/{record.kind}/{record.id}"
        match deed:
            case deeds.Reassign():
                reply = self._line.ask("PATCH", path, auth=auth, json={"OwnerId": deed.to})
            case deeds.MoveStatus():
                reply = self._line.ask("PATCH", path, auth=auth, json={_STATUS[record.kind]: deed.to})
            case deeds.Comment():
                body = {"ParentId": record.id, "CommentBody": deed.text}
                reply = self._line.ask("POST", f"{_API}/sobjects/CaseComment", auth=auth, json=body)
            case deeds.AskApproval():
                reply = self._process(auth, actionType="Submit", contextId=record.id, nextApproverIds=[deed.of])
            case deeds.Approve() | deeds.Reject():
                word = "Approve" if isinstance(deed, deeds.Approve) else "Reject"
                reply = self._process(auth, actionType=word, contextId=record.id)
            case deeds.Delete():
                reply = self._line.ask("DELETE", path, auth=auth)
            case deeds.Restore():
                return Outcome(reply=self._undelete(deed.by, record.id), made=record.id)
            case _:
                reply = NOBODY
        return Outcome(reply=reply)

    def _create(self, deed: deeds.CreateItem, auth: Mapping[str, str]) -> Outcome:
        body: dict[str, Any] = {_TITLE[deed.kind]: deed.title, _STATUS[deed.kind]: deed.status, "OwnerId": deed.owner}
        if deed.kind == "Opportunity":
            body["CloseDate"] = "2030-01-31"

        def found() -> Reply | None:
            rows = self._rows(f"SELECT Id FROM {deed.kind} WHERE {_TITLE[deed.kind]} = '{deed.title}'")
            return Reply(status=201, body={"id": rows[0]["Id"]}, tries=2) if rows else None

        reply = self._line.ask("POST", f"{_API}/sobjects/{deed.kind}", auth=auth, json=body, done=found)
        return Outcome(reply=reply, made=str(reply.body["id"]) if reply.ok else "")

    def _process(self, auth: Mapping[str, str], **request: Any) -> Reply:
        return self._line.ask("POST", f"{_API}/process/approvals", auth=auth, json={"requests": [request]})

    def _undelete(self, by: str, id_: str) -> Reply:
        envelope = (
            '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns="urn:partner.soap.sforce.com"><e:Header><SessionHeader>'
            f"<sessionId>{escape(self._tokens[by])}</sessionId></SessionHeader></e:Header>"
            f"<e:Body><undelete><ids>{escape(id_)}</ids></undelete></e:Body></e:Envelope>"
        )
        auth = {"Content-Type": "text/xml", "SOAPAction": '""'}
        reply = self._line.ask("POST", "/services/Soap/u/59.0", auth=auth, data=envelope.encode())
        if reply.ok and "<success>true" not in reply.text:
            return Reply(status=400, text=reply.text, tries=reply.tries)
        return reply

    def _waiting(self) -> dict[str, str]:
        """Whose answer each record waits for."""
        processes = self._rows("SELECT Id, TargetObjectId FROM ProcessInstance WHERE Status = 'Pending'")
        target = {row["Id"]: row["TargetObjectId"] for row in processes}
        items = self._rows("SELECT ProcessInstanceId, ActorId FROM ProcessInstanceWorkitem")
        return {target[row["ProcessInstanceId"]]: row["ActorId"] for row in items if row["ProcessInstanceId"] in target}

    def _rows(self, text: str) -> list[dict[str, Any]]:
        page = self._line.look("GET", f"{_API}/query", auth=self._first, query={"q": text})
        rows = list(page["records"])
        while not page["done"]:
            page = self._line.look("GET", page["nextRecordsUrl"], auth=self._first)
            rows += page["records"]
        return rows
