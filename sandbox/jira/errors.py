"""Jira's error bodies."""

from __future__ import annotations

from sandbox.calls import Answer, RefusedCall, reply


def refused(status: int, *messages: str, errors: dict[str, str] | None = None) -> RefusedCall:
    """Return the refusal to raise: general messages, and messages by field."""
    return RefusedCall(reply({"errorMessages": list(messages), "errors": errors or {}}, status))


def bad_jql(message: str) -> RefusedCall:
    """Return what an unusable query gets."""
    return RefusedCall(reply({"errorMessages": [message], "warningMessages": []}, 400))


def no_issue() -> RefusedCall:
    """Return what an unknown or invisible issue gets."""
    return refused(404, "Issue does not exist or you do not have permission to see it.")


def no_project(name: str) -> RefusedCall:
    """Return what an unknown or invisible project gets."""
    return refused(404, f"No project could be found with key '{name}'.")


def unsigned() -> Answer:
    """Return the answer to a wrong or missing token: plain text, not JSON."""
    text = b"Client must be authenticated to access this resource."
    return Answer(status=401, body=text, kind="text/plain;charset=UTF-8")


def not_signed_in() -> RefusedCall:
    """Return what a wrong or missing token gets."""
    return RefusedCall(unsigned())


def no_scope() -> RefusedCall:
    """Return what an OAuth 2 token without the needed scope gets, from the gateway in front of the site."""
    return RefusedCall(reply({"code": 401, "message": "Unauthorized; scope does not match"}, 401))


def dead_link() -> RefusedCall:
    """Return what an unknown path gets: a web page."""
    page = b"<!DOCTYPE html><html><head><title>Oops, you've found a dead link.</title></head><body></body></html>"
    return RefusedCall(Answer(status=404, body=page, kind="text/html;charset=UTF-8"))
