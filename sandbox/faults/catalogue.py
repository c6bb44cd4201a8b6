"""Everything that can go wrong on order, by name: which request it strikes when nothing else is said, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SALESFORCE, JIRA, AIRTABLE = ("salesforce",), ("jira",), ("airtable",)
HTTP = (*SALESFORCE, *JIRA, *AIRTABLE)
EVERYWHERE = (*HTTP, "smtp")
# Requests that list records, and the further pages of such a list, in any of the tools.
LISTS = r"/query(All)?/?\?|/search/jql|/listRecords$|/v0/app\w+/[^/]+(\?|$)"
FURTHER = r"/query(All)?/01g|nextPageToken=|offset="
ROW_WRITE = r"/sobjects/|/composite|/issue/|/v0/app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A fault: its number in the catalogue (0: a plain wire effect), where it can strike, and its settings."""

    number: int
    tools: tuple[str, ...]
    says: str
    on_wire: bool = False  # done by the gate in front of the tool; otherwise by the tool
    method: str = ""
    path: str = ""
    body: str = ""  # pattern over the request body; for further pages it is matched with "or" to the path
    settings: Mapping[str, Any] = field(default_factory=dict)


CATALOGUE: Mapping[str, Known] = {
    "session_expired_mid_walk": Known(
        number=1, tools=SALESFORCE, path=r"/query(All)?/01g",
        says="The session and its query locators die just before a further page.",
    ),
    "session_expired_before_write": Known(
        number=2, tools=SALESFORCE, method="PATCH",
        says="The session dies between the read and the guarded write.",
    ),
    "unauthorized_for_ever": Known(
        number=3, tools=HTTP, says="The token is refused in the tool's own words, however often it is renewed.",
    ),
    "request_limit_exceeded": Known(
        number=4, tools=SALESFORCE, says="The day's requests are used up: 403, and no Retry-After.",
    ),
    "row_locked": Known(
        number=5, tools=SALESFORCE, method="PATCH",
        says="Somebody else holds the row: UNABLE_TO_LOCK_ROW, also inside collections and bulk jobs.",
    ),
    "partial_collection_failure": Known(
        number=6, tools=SALESFORCE, path="/composite/sobjects", settings={"rows": [1], "code": "UNABLE_TO_LOCK_ROW"},
        says="Some rows of a collection fail, the others are written.",
    ),
    "changed_before_write": Known(
        number=7, tools=HTTP, path=ROW_WRITE,
        says="Somebody else's change lands between the read and the write: 412 where a guard was sent.",
    ),
    "owner_changed_same_second": Known(
        number=8, tools=SALESFORCE, method="PATCH",
        says="Somebody else's change lands in the very second of the read, so that no guard can notice.",
    ),
    "late_commit": Known(
        number=9, tools=HTTP, path=LISTS, settings={"seconds": 300},
        says="A change becomes visible late, with a stamp older than what was read already.",
    ),
    "equal_stamps": Known(
        number=10, tools=HTTP, path=LISTS, settings={"count": 1000},
        says="So many records carry one and the same time of change, over page borders.",
    ),
    "deleted_between_pages": Known(
        number=11, tools=HTTP, path=FURTHER, body="nextPageToken|offset",
        says="A record that is still to come is deleted between two pages.",
    ),
    "deleted_window_too_old": Known(
        number=12, tools=SALESFORCE, path="/deleted", says="The log of deletions does not go back that far.",
    ),
    "index_lag": Known(
        number=13, tools=JIRA, path="/search", settings={"seconds": 60, "flicker": 0.2, "seed": 1},
        says="Search lags behind the issues, and what it showed once it may miss the next time.",
    ),
    "repeated_page_token": Known(
        number=14, tools=JIRA, path="/search/jql", says="A page gives the very token it was asked with.",
    ),
    "empty_page_with_token": Known(
        number=15, tools=JIRA, path="/search/jql", says="A page holds nothing and yet points to a further one.",
    ),
    "fewer_rows": Known(
        number=16, tools=(*JIRA, *SALESFORCE), path=r"/search/jql|/query", settings={"rows": 3},
        says="A page holds fewer records than were asked for, though more are to come.",
    ),
    "too_many_requests": Known(
        number=17, tools=HTTP, settings={"retry_after": 1},
        says="429 in the tool's own form; Retry-After in seconds, as a date, or missing.",
    ),
    "profile_zone": Known(
        number=18, tools=JIRA, settings={"zone": "America/Los_Angeles"},
        says="The account's profile is moved to another time zone.",
    ),
    "email_hidden": Known(
        number=19, tools=JIRA, settings={"account": None}, says="A person's address is no longer shown.",
    ),
    "user_deleted": Known(
        number=19, tools=JIRA, settings={"account": None}, says="A person's account is gone; a former user is left.",
    ),
    "issue_moved": Known(
        number=19, tools=JIRA, settings={"issue": None, "project": None},
        says="An issue moves to another project: its key changes, its id stays.",
    ),
    "base_locked": Known(
        number=20, tools=AIRTABLE, settings={"seconds": 30},
        says="The base is locked for every request, as after more than five in one second.",
    ),
    "offset_expired": Known(
        number=21, tools=AIRTABLE, path="offset=|/listRecords", says="The offset of a further page is forgotten.",
    ),
    "reply_lost": Known(
        number=22, tools=EVERYWHERE, on_wire=True, says="Applied, and then the connection is reset without an answer.",
    ),
    "edited_mid_walk": Known(
        number=23, tools=HTTP, path=FURTHER, body="nextPageToken|offset",
        says="Records already served and still to come are edited between two pages.",
    ),
    "field_renamed": Known(
        number=24, tools=HTTP, settings={"field": None, "name": None}, says="A field gets another name.",
    ),
    "field_deleted": Known(number=24, tools=HTTP, settings={"field": None}, says="A field is gone."),
    "field_retyped": Known(
        number=24, tools=HTTP, settings={"field": None, "type": None}, says="A field gets another type.",
    ),
    "collaborator_without_access": Known(
        number=25, tools=AIRTABLE, settings={"user": None}, says="A person loses access to the base.",
    ),
    "webhook_gap": Known(
        number=26, tools=AIRTABLE, path="/payloads", says="The hook was silent for longer than its payloads are kept.",
    ),
    "truncated": Known(
        number=27, tools=HTTP, on_wire=True, says="Applied; half the answer, then the connection is cut.",
    ),
    "html_502": Known(
        number=27, tools=HTTP, on_wire=True, says="A gateway's web page with status 502 instead of the answer.",
    ),
    "slow_drip": Known(
        number=27, tools=HTTP, on_wire=True, settings={"bytes": 64, "pause": 0.05},
        says="The answer comes in drops: so many bytes, then a pause in real seconds.",
    ),
    "clock_skew": Known(
        number=28, tools=HTTP, on_wire=True, settings={"seconds": 300},
        says="The service's clock, as its Date header tells it, is off by so many seconds.",
    ),
    "owner_deactivated": Known(
        number=29, tools=HTTP, path=ROW_WRITE, body="wner|ssignee|usr|accountId|email",
        says="The person who shall own the record is deactivated just before the write.",
    ),
    "queue_owner_refused": Known(
        number=29, tools=SALESFORCE, path="/sobjects/", body="00G", says="The object does not take a queue as owner.",
    ),
    "permission_lost": Known(
        number=30, tools=HTTP, settings={"records": None, "container": None},
        says="The token no longer sees records (or a whole container): it looks like deletion.",
    ),
    # plain wire effects, for what the list of thirty does not name
    "hang_before": Known(number=0, tools=EVERYWHERE, on_wire=True, says="Received, not applied, never answered."),
    "hang_after": Known(number=0, tools=HTTP, on_wire=True, says="Applied, never answered."),
    "status": Known(
        number=0, tools=EVERYWHERE, on_wire=True, settings={"status": 503, "headers": {}, "body": None},
        says="Refused with this status, these headers and this body; not applied.",
    ),
    "html": Known(
        number=0, tools=HTTP, on_wire=True, settings={"status": 200, "headers": {}},
        says="A web page instead of the answer; not applied.",
    ),
    "truncate": Known(number=0, tools=HTTP, on_wire=True, says="Another name for truncated."),
    "down": Known(
        number=0, tools=EVERYWHERE, on_wire=True, says="The connection is cut before anything is done.",
    ),
}  # fmt: skip
