"""Webhooks of a base: payloads by cursor for every change, filters, expiry, and signed notifications."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from airtable_base import PROJECTS, RICH, TASKS, Stage, ask, client, refusal, rich_stage
from http_world import BASE, U_GRACE, Running
from pyairtable.models.webhook import WebhookNotification, WebhookPayload

HOOKS = f"/v0/bases/{RICH}/webhooks"
DAY = 86400


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with rich_stage(tmp_path_factory.mktemp("rich")) as stage:
        yield stage


@pytest.fixture
def rich(stage: Stage) -> Running:
    return stage.set_up()


def hooked(rich: Running, url: str | None = None, includes: Any = None, **filters: Any) -> str:
    options: dict[str, Any] = {"filters": {"dataTypes": ["tableData"], **filters}}
    if includes:
        options["includes"] = includes
    return str(client(rich).base(RICH).add_webhook(url, {"options": options}).id)


def payloads(rich: Running, hook: str, cursor: int = 1) -> list[WebhookPayload]:
    return list(client(rich).base(RICH).webhook(hook).payloads(cursor=cursor))


def later(rich: Running, seconds: float) -> None:
    rich.control("POST", "/clock", json={"advance": seconds})


def test_created_changed_and_destroyed_records_are_told_with_who_did_it(rich: Running) -> None:
    hook = hooked(rich, includes={"includePreviousCellValues": True, "includeCellValuesInFieldIds": "all"})
    table = client(rich).table(RICH, "Tasks")
    made = table.create({"Name": "Film"})
    table.update(made["id"], {"Hours": 7})
    table.delete(made["id"])
    created, changed, destroyed = payloads(rich, hook)
    record = created.changed_tables_by_id[TASKS].created_records_by_id[made["id"]]
    assert record.cell_values_by_field_id == {"fldTName": "Film", "fldTNumber": 3}
    change = changed.changed_tables_by_id[TASKS].changed_records_by_id[made["id"]]
    assert change.current.cell_values_by_field_id == {"fldTHours": 7}
    assert change.previous is not None
    assert change.previous.cell_values_by_field_id == {"fldTHours": None}
    assert change.unchanged is not None
    assert change.unchanged.cell_values_by_field_id["fldTName"] == "Film"
    assert destroyed.changed_tables_by_id[TASKS].destroyed_record_ids == [made["id"]]
    assert created.action_metadata is not None
    assert created.action_metadata.source == "publicApi"
    assert created.action_metadata.source_metadata["user"]["id"] == U_GRACE
    numbers = [one.base_transaction_number for one in (created, changed, destroyed)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_the_far_end_of_a_link_changes_in_the_same_transaction(rich: Running) -> None:
    hook = hooked(rich)
    client(rich).table(RICH, "Tasks").update("recT2", {"Project": ["recP2"]})
    (told,) = payloads(rich, hook)
    assert set(told.changed_tables_by_id) == {PROJECTS, TASKS}
    assert set(told.changed_tables_by_id[PROJECTS].changed_records_by_id) == {"recP1", "recP2"}


def test_a_batch_is_one_transaction_and_a_refused_one_is_none(rich: Running) -> None:
    hook = hooked(rich)
    table = client(rich).table(RICH, "Tasks")
    table.batch_update([{"id": f"recT{n}", "fields": {"Hours": 1}} for n in (1, 2)])
    batch = [{"id": "recT1", "fields": {"Hours": 2}}, {"id": "recT2", "fields": {"Hours": "no number"}}]
    assert ask(rich, "PATCH", f"/v0/{RICH}/{TASKS}", json={"records": batch}).status_code == 422
    table.update("recT1", {"Hours": 1})  # what it is already
    (told,) = payloads(rich, hook)
    assert set(told.changed_tables_by_id[TASKS].changed_records_by_id) == {"recT1", "recT2"}


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({}, 4),
        ({"recordChangeScope": PROJECTS}, 1),
        ({"recordChangeScope": "viwLate"}, 1),
        ({"changeTypes": ["remove"]}, 1),
        ({"changeTypes": ["add"]}, 1),
        ({"watchDataInFieldIds": ["fldTHours"], "changeTypes": ["update"]}, 1),
        ({"fromSources": ["formSubmission"]}, 0),
        ({"fromSources": ["publicApi"]}, 4),
        ({"dataTypes": ["tableFields"]}, 0),
    ],
)
def test_a_hook_hears_what_it_asked_for(rich: Running, filters: Any, told: int) -> None:
    hook = hooked(rich, **filters)
    tasks = client(rich).table(RICH, "Tasks")
    tasks.update("recT1", {"Hours": 9})
    client(rich).table(RICH, "Projects").update("recP2", {"State": "Done"})
    made = tasks.create({"Name": "short"})
    tasks.delete(made["id"])
    client(rich).table(BASE, "Items").update("rec1", {"Name": "another base"})
    assert len(payloads(rich, hook)) == told


def test_schema_changes_are_told(rich: Running) -> None:
    hook = hooked(rich, dataTypes=["tableFields", "tableMetadata"], includes={"includePreviousFieldDefinitions": True})
    base = client(rich).base(RICH)
    field = base.table("Tasks").create_field("Kind", "singleLineText")
    field.name = "Sort"
    field.save()
    schema = base.schema(force=True).table("Tasks")
    schema.name = "Work"
    schema.save()
    table = base.create_table("New", [{"name": "Name", "type": "singleLineText"}])
    made, renamed, table_renamed, table_made = payloads(rich, hook)
    assert made.changed_tables_by_id[TASKS].created_fields_by_id[field.id].name == "Kind"
    change = renamed.changed_tables_by_id[TASKS].changed_fields_by_id[field.id]
    assert change.previous is not None
    assert (change.previous.name, change.current.name) == ("Kind", "Sort")
    metadata = table_renamed.changed_tables_by_id[TASKS].changed_metadata
    assert metadata is not None
    assert (metadata.previous.name, metadata.current.name) == ("Tasks", "Work")
    assert table.id in table_made.created_tables_by_id


def test_cursors_go_on_for_ever_fifty_payloads_at_a_time(rich: Running) -> None:
    hook = hooked(rich)
    table = client(rich).table(RICH, "Tasks")
    for n in range(55):
        table.update("recT1", {"Hours": 100 + n})
    path = f"{HOOKS}/{hook}/payloads"
    first = ask(rich, "GET", path).json()
    assert (len(first["payloads"]), first["cursor"], first["mightHaveMore"]) == (50, 51, True)
    rest = ask(rich, "GET", path, params={"cursor": 51}).json()
    assert (len(rest["payloads"]), rest["cursor"], rest["mightHaveMore"]) == (5, 56, False)
    assert ask(rich, "GET", path, params={"cursor": 56}).json() == {
        "payloads": [],
        "cursor": 56,
        "mightHaveMore": False,
    }
    assert len(ask(rich, "GET", path, params={"cursor": 3, "limit": 2}).json()["payloads"]) == 2
    assert [one.cursor for one in payloads(rich, hook, cursor=49)] == [49, 50, 51, 52, 53, 54, 55]
    assert client(rich).base(RICH).webhook(hook).cursor_for_next_payload == 56
    for odd in ("0", "-1", "x", "1e3"):
        assert refusal(ask(rich, "GET", path, params={"cursor": odd})) == (422, "INVALID_REQUEST_UNKNOWN")


def test_payloads_are_kept_for_seven_days_and_reading_keeps_the_hook_alive(rich: Running) -> None:
    hook = hooked(rich)
    table = client(rich).table(RICH, "Tasks")
    table.update("recT1", {"Hours": 10})
    later(rich, 5 * DAY)
    table.update("recT1", {"Hours": 11})
    assert len(payloads(rich, hook)) == 2
    later(rich, 3 * DAY)
    assert [one.base_transaction_number for one in payloads(rich, hook)] == [2]
    later(rich, 6 * DAY)
    assert payloads(rich, hook) == []
    later(rich, 7 * DAY + 1)
    assert ask(rich, "GET", f"{HOOKS}/{hook}/payloads").json() == {"error": "NOT_FOUND"}
    assert client(rich).base(RICH).webhooks() == []


def test_a_refresh_gives_seven_more_days(rich: Running) -> None:
    hook = hooked(rich)
    later(rich, 6 * DAY)
    client(rich).base(RICH).webhook(hook).extend_expiration()
    later(rich, 6 * DAY)
    assert client(rich).base(RICH).webhook(hook).id == hook


def test_a_deleted_hook_is_gone(rich: Running) -> None:
    hook = hooked(rich)
    client(rich).base(RICH).webhook(hook).delete()
    assert client(rich).base(RICH).webhooks() == []
    assert ask(rich, "POST", f"{HOOKS}/{hook}/refresh").status_code == 404


@pytest.mark.parametrize(
    "specification",
    [
        None,
        {"options": {}},
        {"options": {"filters": {}}},
        {"options": {"filters": {"dataTypes": ["everything"]}}},
        {"options": {"filters": {"dataTypes": ["tableData"], "changeTypes": ["explode"]}}},
        {"options": {"filters": {"dataTypes": ["tableData"]}, "includes": []}},
    ],
)
def test_a_specification_nobody_can_follow(rich: Running, specification: Any) -> None:
    answer = ask(rich, "POST", HOOKS, json={"specification": specification})
    assert refusal(answer) == (422, "INVALID_REQUEST_UNKNOWN")


def test_a_base_has_ten_hooks_at_most(rich: Running) -> None:
    for _ in range(10):
        hooked(rich)
    answer = ask(rich, "POST", HOOKS, json={"specification": {"options": {"filters": {"dataTypes": ["tableData"]}}}})
    assert refusal(answer) == (422, "INVALID_REQUEST_UNKNOWN")


@dataclass
class Receiver:
    """A listener on this machine that keeps what it was told."""

    url: str = ""
    status: int = 204
    told: list[tuple[str, str]] = field(default_factory=list)
    news: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            receiver.told.append((body, self.headers["X-Airtable-Content-MAC"]))
            self.send_response(receiver.status)
            self.end_headers()
            receiver.news.set()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/told?by=airtable"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def result_of(rich: Running, hook: str) -> Any:
    """Return the hook's last notification result, once there is one."""
    for _ in range(200):
        found = client(rich).base(RICH).webhook(hook)
        if found.last_notification_result is not None:
            return found
        threading.Event().wait(0.01)
    raise AssertionError("no notification was noted")


def test_a_notification_is_signed_and_names_only_base_and_hook(rich: Running) -> None:
    with receiving() as receiver:
        options = {"options": {"filters": {"dataTypes": ["tableData"]}}}
        made = client(rich).base(RICH).add_webhook(receiver.url, options)
        client(rich).table(RICH, "Tasks").update("recT1", {"Hours": 12})
        assert receiver.news.wait(5)
        body, mac = receiver.told[0]
        notice = WebhookNotification.from_request(body, mac, made.mac_secret_base64)
        assert (notice.base.id, notice.webhook.id) == (RICH, made.id)
        with pytest.raises(ValueError, match="failed validation"):
            WebhookNotification.from_request(body + " ", mac, made.mac_secret_base64)
        found = result_of(rich, str(made.id))
        assert found.last_notification_result.success
        assert found.last_successful_notification_time is not None


def test_a_receiver_that_fails_is_noted_and_the_payload_waits(rich: Running) -> None:
    with receiving() as receiver:
        receiver.status = 500
        hook = hooked(rich, url=receiver.url)
        client(rich).table(RICH, "Tasks").update("recT1", {"Hours": 12})
        found = result_of(rich, hook)
        assert not found.last_notification_result.success
        assert "500" in found.last_notification_result.error.message
        assert len(payloads(rich, hook)) == 1


def test_a_switched_off_hook_is_not_notified_but_goes_on_collecting(rich: Running) -> None:
    with receiving() as receiver:
        hook = hooked(rich, url=receiver.url)
        client(rich).base(RICH).webhook(hook).disable_notifications()
        client(rich).table(RICH, "Tasks").update("recT1", {"Hours": 12})
        assert len(payloads(rich, hook)) == 1
        client(rich).base(RICH).webhook(hook).enable_notifications()
        client(rich).table(RICH, "Tasks").update("recT1", {"Hours": 13})
        assert receiver.news.wait(5)
        assert len(receiver.told) == 1


def test_nobody_beyond_this_machine_is_notified(rich: Running) -> None:
    hook = hooked(rich, url="http://example.invalid/told")
    client(rich).table(RICH, "Tasks").update("recT1", {"Hours": 12})
    assert "this machine" in result_of(rich, hook).last_notification_result.error.message
