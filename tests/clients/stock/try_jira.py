"""The ``jira`` package against the simulated site, with its default settings.

python tests/clients/stock/try_jira.py DIRECTORY
"""

from __future__ import annotations

import sys

from company import Directory, tell
from jira import JIRA, JIRAError


def main() -> None:
    """Read, page, filter, write, read back, and be refused."""
    directory = Directory(sys.argv[1])
    address = directory.addresses["jira"]
    site = JIRA(server=address, basic_auth=("hub@acme.example", directory.secret("jira_token")))
    tell("me", site.myself()["displayName"])
    tell("server", site.server_info()["deploymentType"])
    project = next(one.key for one in site.projects() if one.projectTypeKey == "software")
    tell("fields", len(site.fields()))
    # asked for everything, it pages by itself, 100 issues a page
    tell("all", [issue.id for issue in site.search_issues(f"project = {project} ORDER BY id", maxResults=False)])
    tell("count", site.approximate_issue_count(f"project = {project}"))
    unassigned = site.search_issues(f"project = {project} AND assignee IS EMPTY", maxResults=20)
    tell("unassigned", [issue.fields.assignee for issue in unassigned][:3])
    first = site.search_issues(f"project = {project} AND assignee IS NOT EMPTY ORDER BY created", maxResults=1)[0]
    issue = site.issue(first.key, expand="changelog")
    tell("history", len(issue.changelog.histories))
    person = site.search_users(query=issue.fields.assignee.displayName)[0]
    made = site.create_issue(project=project, summary="Made by jira", issuetype={"name": "Task"})
    made.update(summary="Changed by jira")
    # given an account id, this library looks for a person of that *name*, so it is given the name
    site.assign_issue(made.key, person.displayName)
    site.add_comment(made.key, "From jira")
    moves = site.transitions(made.key)
    site.transition_issue(made.key, moves[-1]["id"])
    read = site.issue(made.key)
    tell("read back", [read.fields.summary, read.fields.assignee.accountId == person.accountId])
    tell("moved", read.fields.status.name == moves[-1]["to"]["name"])
    tell("comments", [comment.body for comment in site.comments(made.key)])
    tell("assignable", len(site.search_assignable_users_for_issues(query=person.displayName, issueKey=made.key)) > 0)
    made.delete()
    refused(lambda: site.issue(made.key), "deleted issue")
    refused(lambda: site.search_issues("nonsense ~~ 1"), "bad query")
    refused(lambda: site.search_issues("ORDER BY created"), "unbounded query")
    refused(lambda: JIRA(server=address, basic_auth=("hub@acme.example", "wrong")).myself(), "wrong token")


def refused(act: object, step: str) -> None:
    """Tell the status with which a call is refused."""
    try:
        act()  # type: ignore[operator]  # any call without arguments
    except JIRAError as error:
        tell(step, error.status_code)


main()
