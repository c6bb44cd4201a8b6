"""Finding issues: a search walked to its end however the service cuts its pages, and reads by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.jira.site import Site
from connectors.jira.values import Json, Unreadable, milliseconds, moment
from hub.errors import SourceBroken

UNREADABLE = -1
EMPTY_PAGES = 50  # in a row, each with a token: the service is walking in circles
FETCHED = 100  # issues in one bulk fetch, the documented limit
RECONCILED = 50  # issues one search may be told to look up anew, the documented limit


def pages(site: Site, question: Json) -> Iterator[tuple[list[Any], bool]]:
    """The issues of each page of a search, as sent, and whether it is the last. A page may be short or empty and
    yet not be the last.

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
        token = body.get("nextPageToken")
        last = not token or body.get("isLast") is True
        yield found, last
        if last:
            return
        empty = 0 if found else empty + 1
        # a full page under a token used before is a page already read; an empty one may fill when asked again
        if (found and token in tokens) or empty > EMPTY_PAGES:
            raise broken(site, "search/jql repeats its page token")
        tokens.add(token)
        asked["nextPageToken"] = token


def changes(
    site: Site, restriction: str, question: Json, since: int | None, before: int | None
) -> Iterator[tuple[list[Any], bool]]:
    """Issues changed at or after `since` (epoch ms, None: all), oldest change first, and whether that was all.

    Each page asks anew from the last change read, so that an edit meanwhile moves an issue behind the walk and
    skips none; page tokens lead on only among changes of one moment. A page of an older search may show an issue
    in its old place with its new stamp: stamps after `before`, the service's clock when the walk began, lead nowhere.
    """
    served: dict[str, int] = {}
    while True:
        bounded = restriction if since is None else f"{restriction} AND updated >= {since}"
        for found, last in pages(site, {**question, "jql": f"{bounded} ORDER BY updated ASC, key ASC"}):
            stamps = {str(issue["id"]): changed_at(issue) for issue in found if has_id(issue)}
            yield [each for each in found if not has_id(each) or served.get(str(each["id"])) != changed_at(each)], last
            if last:
                return
            served |= stamps
            reached = max((at for at in stamps.values() if before is None or at <= before), default=UNREADABLE)
            if reached > (UNREADABLE if since is None else since):
                since = reached
                served = {native: at for native, at in served.items() if at >= since or at == UNREADABLE}
                break


def has_id(issue: Any) -> bool:
    """Whether an issue can be named at all."""
    return isinstance(issue, dict) and bool(issue.get("id"))


def changed_at(issue: Any) -> int:
    """Epoch milliseconds of an issue's `updated`; UNREADABLE where it says none."""
    try:
        return milliseconds(moment(issue["fields"]["updated"], "updated"))
    except (Unreadable, KeyError, TypeError):
        return UNREADABLE


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
