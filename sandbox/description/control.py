"""What the control port serves; it takes no token and answers programs on this machine only."""

from __future__ import annotations

from sandbox.description.operations import (
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    WHOLE,
    Operation,
    Service,
    made_of,
    one_of,
    operation,
)

_ORDER = made_of(
    fault=TEXT,
    tool=one_of("salesforce", "jira", "airtable"),
    method=one_of("GET", "POST", "PUT", "PATCH", "DELETE"),
    path=TEXT,
    body_matches=TEXT,
    nth=WHOLE,
    times=WHOLE,
    probability=NUMBER,
    seed=WHOLE,
    for_seconds=NUMBER,
    settings={"type": "object"},
)
_JOURNAL = {"tool": TEXT, "method": TEXT, "since": WHOLE, "limit": WHOLE}

_OPERATIONS: tuple[Operation, ...] = (
    operation("GET", "/", "The status page", kind="text/html", signed=False),
    operation("GET", "/status", "Documents, requests, orders, clock and addresses", signed=False),
    operation("GET", "/journal", "The requests so far, oldest first", query=_JOURNAL, signed=False),
    operation("DELETE", "/journal", "Forget the requests so far", signed=False),
    operation("GET", "/faults", "The orders, with how often they matched and struck", signed=False),
    operation(
        "POST",
        "/faults",
        "Order a fault, or a list of them",
        body={"anyOf": [_ORDER, {"type": "array", "items": dict(_ORDER)}]},
        sample={"fault": "html_502", "tool": "jira", "nth": 3},
        statuses=(201,),
        signed=False,
    ),
    operation("DELETE", "/faults", "Withdraw all orders", signed=False),
    operation("GET", "/openapi/{tool}.json", "What a simulated tool serves, as OpenAPI 3.0", signed=False),
    operation("GET", "/faults/catalogue", "Every fault that can be ordered", signed=False),
    operation("GET", "/clock", "The company's present", signed=False),
    operation(
        "POST",
        "/clock",
        "Move, set, stop or resume the clock",
        body=made_of(advance=NUMBER, set=INSTANT, frozen=FLAG),
        sample={"advance": 60},
        signed=False,
    ),
    operation("GET", "/mail", "Envelopes, newest first", query={"to": TEXT}, signed=False),
    operation("GET", "/people", "Who has which token", signed=False),
)

CONTROL = Service(
    name="control",
    title="The control port of the sandbox",
    says="It speaks about the simulation itself: its clock, its faults, what was asked of it.",
    error=made_of("error", error=TEXT),
    path_values={"tool": one_of("salesforce", "jira", "airtable", "control")},
    operations=_OPERATIONS,
)
