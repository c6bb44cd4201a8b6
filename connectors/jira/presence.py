"""What is there and what is gone: all issue ids of a project, proof of absence by direct read, issues by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.base import Absence
from connectors.jira import parse, pull
from connectors.jira.desk import is_desk
from connectors.jira.search import FETCHED, broken, by_id, pages, quoted
from connectors.jira.site import Site
from connectors.jira.values import Json
from hub.domain.records import Page

IDS = 5000  # a page of ids and keys, the documented limit


def ids(site: Site, project: str) -> Iterator[str]:
    """Ids of all issues of the project, by the pages of one search. Raises SourceError rather than end early.

    A search by id or key beyond the last one read would break when that very issue is deleted, since Jira refuses
    names of issues that do not exist.
    """
    site.me()  # a site may answer strangers with 200 and fewer issues
    question = {"jql": f"project = {quoted(project)} ORDER BY key ASC", "fields": ["id"], "maxResults": IDS}
    told: set[str] = set()
    for found, _ in pages(site, question):
        for issue in found:
            native = str(issue.get("id") or "") if isinstance(issue, dict) else ""
            if not native:
                raise broken(site, "search/jql lists an issue without an id")
            if native not in told:
                told.add(native)
                yield native


def prove(site: Site, project: str, wanted: Sequence[str], *, now: datetime) -> tuple[Absence, ...]:
    """What became of issues the project does not list, by reads past the search index.

    Readable: `present`, wherever it was moved. 404 while the project is visible: `deleted` (a single issue that a
    security level or a move into a hidden project takes out of sight answers the same, so the evidence says what
    was seen). 404 and the project out of sight: `unreachable`. Raises SourceError when an answer is missing.
    """
    own = site.me()
    proofs: list[Absence] = []
    missing: list[str] = []
    for native, issue in by_id(site, wanted, ["updated"]):
        if issue is None:
            missing.append(native)
        else:
            proofs.append(_there(native, issue, project, now))
    visible = _visible(site, project) if missing else True
    for native in missing:
        # the bulk reply names what it lacks without a reason; only a 404 of the issue itself is one
        issue = site.find(f"issue/{native}", {"fields": "updated"})
        if isinstance(issue, dict):
            proofs.append(_there(native, issue, project, now))
            continue
        seen = "is visible" if visible else "is out of sight"
        proofs.append(
            Absence(
                record=native,
                kind="deleted" if visible else "unreachable",
                at=now,
                evidence=f"read by id as {own}: 404, while project {project} {seen}",
            )
        )
    return tuple(proofs)


def fetch(
    site: Site,
    project: str,
    mapping: parse.Mapping,
    wanted: Sequence[str],
    known: set[str],
    *,
    now: datetime,
    approvals: bool = False,
) -> Iterator[Page]:
    """Pages of these issues, with changelogs and comments, past the search index and without cursors."""
    own = site.me()
    asks = approvals and is_desk(site, project)
    for start in range(0, len(wanted), FETCHED):
        found = [issue for _, issue in by_id(site, wanted[start : start + FETCHED], mapping.asked) if issue]
        logs = pull.changelogs(site, [str(issue["id"]) for issue in found], mapping.watched)
        page = pull.page(site, project, found, logs, mapping, known, own, now, pull.Position(), None, 0, asks)
        yield replace(page, cursor=None)


def _visible(site: Site, project: str) -> bool:
    return site.find(f"project/{project}") is not None


def _there(native: str, issue: Json, project: str, now: datetime) -> Absence:
    key = str(issue.get("key") or native)
    moved = "" if key.rpartition("-")[0] == project else f", moved out of {project}"
    return Absence(record=native, kind="present", at=now, evidence=f"read by id: {key}{moved}")
