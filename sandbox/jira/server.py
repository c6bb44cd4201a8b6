"""The site's HTTP face: versions 2, 3 and latest of the same paths."""

from __future__ import annotations

from sandbox.calls import Answer, Call, RefusedCall, Routes
from sandbox.jira.accounts import Accounts
from sandbox.jira.catalog import Catalog
from sandbox.jira.errors import dead_link, refused
from sandbox.jira.searching import Searching
from sandbox.jira.site import Site
from sandbox.jira.trail import Trail
from sandbox.jira.work import Work
from sandbox.stamps import Clock
from sandbox.store import Store

_API = r"/rest/api/(?P<v>2|3|latest)"
_ISSUE = f"{_API}/issue/{{k}}"


class JiraServer:
    """A function from Call to Answer over one space of the store."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve one site."""
        self._site = site = Site(store, space, clock)
        catalog, searching, work, trail = Catalog(site), Searching(site), Work(site), Trail(site)
        accounts = Accounts(store, space, site.printer)
        self._routes = Routes(
            [
                ("GET", f"{_API}/serverInfo", catalog.server_info),
                ("GET", f"{_API}/myself", catalog.myself),
                ("GET", f"{_API}/field", catalog.fields),
                ("GET", f"{_API}/status", catalog.statuses),
                ("GET", f"{_API}/project", catalog.all_projects),
                ("GET", f"{_API}/project/search", catalog.projects),
                ("GET", f"{_API}/project/{{p}}", catalog.project),
                ("GET", f"{_API}/search", searching.removed),
                ("POST", f"{_API}/search", searching.removed),
                ("GET", f"{_API}/search/jql", searching.search),
                ("POST", f"{_API}/search/jql", searching.search),
                ("POST", f"{_API}/search/approximate-count", searching.count),
                ("POST", f"{_API}/issue", work.create),
                ("POST", f"{_API}/issue/bulkfetch", work.bulk_fetch),
                ("POST", f"{_API}/changelog/bulkfetch", trail.bulk_changelog),
                ("GET", _ISSUE, work.read),
                ("PUT", _ISSUE, work.edit),
                ("GET", f"{_ISSUE}/changelog", trail.changelog),
                ("PUT", f"{_ISSUE}/assignee", work.assign),
                ("GET", f"{_ISSUE}/transitions", work.transitions),
                ("POST", f"{_ISSUE}/transitions", work.move),
                ("GET", f"{_ISSUE}/comment", trail.comments),
                ("POST", f"{_ISSUE}/comment", trail.comment),
                ("GET", f"{_ISSUE}/properties", trail.properties),
                ("GET", f"{_ISSUE}/properties/{{name}}", trail.value),
                ("PUT", f"{_ISSUE}/properties/{{name}}", trail.keep),
                ("GET", f"{_API}/user", accounts.one),
                ("GET", f"{_API}/user/search", accounts.search),
                ("GET", f"{_API}/user/bulk", accounts.bulk),
                ("GET", f"{_API}/user/assignable/search", accounts.assignable),
                ("GET", f"{_API}/users", accounts.everybody),
                ("GET", f"{_API}/users/search", accounts.everybody),
            ]
        )

    def __call__(self, call: Call) -> Answer:
        """Answer one request as the site would."""
        try:
            found = self._routes.find(call)
            if not isinstance(found, tuple):
                raise refused(405, "Method Not Allowed") if found else dead_link()
            handler, routed = found
            if not call.path.endswith("/serverInfo"):
                account = self._site.account(call)
                return handler(routed).plus({"X-AAccountId": account})
            return handler(routed)
        except RefusedCall as error:
            return error.answer
