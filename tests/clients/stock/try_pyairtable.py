"""pyairtable against the simulated base, with its default settings; the address is its own ``endpoint_url``.

python tests/clients/stock/try_pyairtable.py DIRECTORY
"""

from __future__ import annotations

import sys

import requests
from company import Directory, tell
from pyairtable import Api
from pyairtable.formulas import match


def main() -> None:
    """Read, page, filter, write, read back, and be refused."""
    directory = Directory(sys.argv[1])
    address, token = directory.addresses["airtable"], directory.secret("airtable_token")
    api = Api(token, endpoint_url=address)
    tell("who am I", api.whoami()["id"])
    base = api.bases()[0]
    tell("base", base.name)
    schema = base.schema()
    tell("tables", [table.name for table in schema.tables])
    tell("collaborators", base.collaborators().id == base.id)
    items = base.table("Items")
    tell("all", [row["id"] for row in items.all()])
    tell("pages", [len(page) for page in items.iterate(page_size=100)])
    tell("by field id", min(items.first(use_field_ids=True)["fields"])[:3])  # type: ignore[index]  # there are rows
    status = schema.table("Items").field("Status").options.choices[0].name  # type: ignore[union-attr]  # a select
    tell("filter", len(items.all(formula=match({"Status": status}))))
    tell("sorted", [row["fields"]["Name"] for row in items.all(sort=["-Name"], fields=["Name"], max_records=30)])
    long = "OR(" + ",".join(f"RECORD_ID() = '{row['id']}'" for row in items.all() * 3) + ")"
    tell("long formula", len(items.all(formula=long)))
    owner = next(row["fields"]["Owner"][0] for row in items.all() if row["fields"].get("Owner"))
    made = items.create({"Name": "Made by pyairtable", "Status": status})["id"]
    items.update(made, {"Owner": [{"email": owner["email"]}]})
    tell("read back", items.get(made)["fields"]["Owner"][0]["id"] == owner["id"])
    told = items.batch_upsert([{"fields": {"Name": "Made by pyairtable", "Ref": "REF-1"}}], key_fields=["Name"])
    tell("upsert", [told["createdRecords"], told["updatedRecords"] == [made]])
    rows = items.batch_create([{"Name": f"Row {n}"} for n in range(12)])
    changed = items.batch_update([{"id": row["id"], "fields": {"Status": status}} for row in rows])
    tell("batches", [len(rows), len(changed), len(items.batch_delete([row["id"] for row in rows]))])
    items.add_comment(made, "From pyairtable")
    tell("comments", [comment.text for comment in items.comments(made)])
    hook = base.add_webhook("http://127.0.0.1:9/ping", {"options": {"filters": {"dataTypes": ["tableData"]}}})
    items.update(made, {"Name": "Seen by the webhook"})
    webhook = base.webhook(hook.id)
    tell("webhook", [payload.base_transaction_number > 0 for payload in webhook.payloads()])
    webhook.delete()
    items.delete(made)
    refused(lambda: items.get(made), "deleted record")
    refused(lambda: items.all(formula="AND({Name"), "bad formula")
    refused(lambda: items.create({"Nonsense": 1}), "unknown field")
    refused(lambda: base.table("Nothing").all(), "unknown table")
    refused(lambda: Api("wrong", endpoint_url=address).whoami(), "wrong token")


def refused(act: object, step: str) -> None:
    """Tell the status with which a call is refused."""
    try:
        act()  # type: ignore[operator]  # any call without arguments
    except requests.HTTPError as error:
        tell(step, error.response.status_code)


main()
