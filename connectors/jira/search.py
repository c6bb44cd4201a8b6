"""Finding issues: a search walked to its end however the service cuts its pages, and reads by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.jira.site import Site
from connectors.jira.values import Json
from hub.errors import SourceBroken

EMPTY_PAGES = 50  # in a row, each with a token: the service is walking in circles
FETCHED = 100  # issues in one bulk fetch, the documented limit
RECONCILED = 50  # issues one search may be told to look up anew, the documented limit


def pages(site: Site, question: Json) -> Iterator[list[Any]]:
    """The issues of each page of a search, as sent. A page may be short or empty and yet not be the last.

    Raises SourceError, and SourceBroken for a walk in circles, rather than end early.
    """
    asked = dict(question)
    tokens: set[str] = set()
    empty = 0
    while True:
        body = site.get("search/jql", asked)
        found = body.get("issues") if isinstance(body, dict) else None
        if not isinstance(found, list):
            raise broken(site, "search/jql answered without issues")
        yield found
        token = body.get("nextPageToken")
        if not token or body.get("isLast") is True:
            return
        empty = 0 if found else empty + 1
        # a full page under a token used before is a page already read; an empty one may fill when asked again
        if (found and token in tokens) or empty > EMPTY_PAGES:
            raise broken(site, "search/jql repeats its page token")
        tokens.add(token)
        asked["nextPageToken"] = token


def by_id(site: Site, wanted: Sequence[str], fields: Sequence[str]) -> Iterator[tuple[str, Json | None]]:
    """Each id with its issue as it is now, past the search index; None where the service leaves it out."""
    for start in range(0, len(wanted), FETCHED):
        part = list(wanted[start : start + FETCHED])
        body: Any = site.ask("issue/bulkfetch", {"issueIdsOrKeys": part, "fields": list(fields)})
        issues = body.get("issues") if isinstance(body, dict) else None
        if not isinstance(issues, list):
            raise broken(site, "issue/bulkfetch answered without issues")
        found = {str(issue.get("id")): issue for issue in issues if isinstance(issue, dict)}
        for native in part:
            yield native, found.get(native)


def quoted(word: str) -> str:
    """A JQL string."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def broken(site: Site, what: str) -> SourceBroken:
    """The error for a reply that is not what Jira documents."""
    return SourceBroken(f"{site.source}: {what}", source=site.source, hint="the next sync tries again", remedy="wait")
