"""The site's HTTP face: versions 2, 3 and latest of the same paths."""

from __future__ import annotations

import re
import secrets

from sandbox.calls import Answer, Call, RefusedCall, Routes
from sandbox.faults.hooks import Hooks
from sandbox.jira.accounts import Accounts
from sandbox.jira.catalog import Catalog
from sandbox.jira.deliveries import Deliveries
from sandbox.jira.errors import dead_link, refused
from sandbox.jira.limits import Limits
from sandbox.jira.mishaps import hooks
from sandbox.jira.oauth import OAuth, check_scope
from sandbox.jira.permissions import Permissions
from sandbox.jira.queries import Queries
from sandbox.jira.screens import Screens
from sandbox.jira.searching import Searching
from sandbox.jira.servicedesk import ServiceDesk
from sandbox.jira.site import Site, address
from sandbox.jira.trail import Trail
from sandbox.jira.webhooks import Webhooks
from sandbox.jira.work import Work
from sandbox.stamps import Clock
from sandbox.store import Store

_API = r"/rest/api/(?P<v>2|3|latest)"
_ISSUE = f"{_API}/issue/{{k}}"
_DESK = "/rest/servicedeskapi"
_OPEN = re.compile(r".*/(serverInfo|oauth/token|_edge/tenant_info|servicedeskapi/info)/?")
# what a site tells strangers who send no credentials, as far as they may see it: nothing of its projects
_PUBLIC = re.compile(r"/rest/api/[^/]+/(field|status|statuscategory|priority|issuetype|resolution|project(/search)?)/?")


class JiraServer:
    """A function from Call to Answer over one space of the store."""

    def __init__(self, store: Store, space: str, clock: Clock) -> None:
        """Serve one site."""
        self._site = site = Site(store, space, clock)
        catalog, searching, trail, accounts = Catalog(site), Searching(site), Trail(site), Accounts(site)
        screens, desk, oauth = Screens(site), ServiceDesk(site), OAuth(site)
        permissions, queries = Permissions(site), Queries(site, searching)
        webhooks = Webhooks(site, searching, Deliveries())
        self._oauth, self._webhooks, self._limits = oauth, webhooks, Limits()
        self.hooks: Hooks = hooks(site, searching)
        work = Work(site, screens)
        self._routes = Routes(
            [
                ("GET", f"{_API}/serverInfo", catalog.server_info),
                ("GET", f"{_API}/field", catalog.fields),
                ("GET", f"{_API}/status", catalog.statuses),
                ("GET", f"{_API}/status/{{n}}", catalog.status),
                ("GET", f"{_API}/statuscategory", catalog.categories),
                ("GET", f"{_API}/priority", catalog.priorities),
                ("GET", f"{_API}/priority/search", catalog.priority_pages),
                ("GET", f"{_API}/priority/{{n}}", catalog.priority),
                ("GET", f"{_API}/issuetype", catalog.issue_types),
                ("GET", f"{_API}/issuetype/{{n}}", catalog.issue_type),
                ("GET", f"{_API}/resolution", catalog.resolutions),
                ("GET", f"{_API}/resolution/{{n}}", catalog.resolution),
                ("GET", f"{_API}/label", catalog.labels),
                ("GET", f"{_API}/project", catalog.all_projects),
                ("GET", f"{_API}/project/search", catalog.projects),
                ("GET", f"{_API}/project/{{p}}", catalog.project),
                ("GET", f"{_API}/project/{{p}}/statuses", catalog.project_statuses),
                ("GET", f"{_API}/search", searching.removed),
                ("POST", f"{_API}/search", searching.removed),
                ("GET", f"{_API}/search/jql", searching.search),
                ("POST", f"{_API}/search/jql", searching.search),
                ("POST", f"{_API}/search/approximate-count", searching.count),
                ("POST", f"{_API}/issue", work.create),
                ("POST", f"{_API}/issue/bulkfetch", work.bulk_fetch),
                ("GET", f"{_API}/issue/createmeta", screens.projects),
                ("GET", f"{_API}/issue/createmeta/{{p}}/issuetypes", screens.types),
                ("GET", f"{_API}/issue/createmeta/{{p}}/issuetypes/{{t}}", screens.fields),
                ("POST", f"{_API}/changelog/bulkfetch", trail.bulk_changelog),
                ("GET", _ISSUE, work.read),
                ("PUT", _ISSUE, work.edit),
                ("DELETE", _ISSUE, work.delete),
                ("GET", f"{_ISSUE}/editmeta", work.edit_screen),
                ("GET", f"{_ISSUE}/changelog", trail.changelog),
                ("POST", f"{_ISSUE}/changelog/list", trail.changelog_list),
                ("PUT", f"{_ISSUE}/assignee", work.assign),
                ("GET", f"{_ISSUE}/transitions", work.transitions),
                ("POST", f"{_ISSUE}/transitions", work.move),
                ("GET", f"{_ISSUE}/comment", trail.comments),
                ("POST", f"{_ISSUE}/comment", trail.comment),
                ("GET", f"{_ISSUE}/comment/{{c}}", trail.read_comment),
                ("PUT", f"{_ISSUE}/comment/{{c}}", trail.rewrite),
                ("DELETE", f"{_ISSUE}/comment/{{c}}", trail.withdraw),
                ("GET", f"{_ISSUE}/properties", trail.properties),
                ("GET", f"{_ISSUE}/properties/{{name}}", trail.value),
                ("PUT", f"{_ISSUE}/properties/{{name}}", trail.keep),
                ("DELETE", f"{_ISSUE}/properties/{{name}}", trail.drop),
                ("GET", f"{_API}/myself", accounts.myself),
                ("GET", f"{_API}/user", accounts.one),
                ("GET", f"{_API}/user/search", accounts.search),
                ("GET", f"{_API}/user/bulk", accounts.bulk),
                ("GET", f"{_API}/user/assignable/search", accounts.assignable),
                ("GET", f"{_API}/user/assignable/multiProjectSearch", accounts.assignable_everywhere),
                ("GET", f"{_API}/users", accounts.everybody),
                ("GET", f"{_API}/users/search", accounts.everybody),
                ("GET", f"{_API}/group/member", accounts.group_members),
                ("GET", f"{_API}/user/groups", accounts.groups_of),
                ("GET", f"{_API}/groups/picker", accounts.groups),
                ("GET", f"{_API}/mypermissions", permissions.mine),
                ("GET", f"{_API}/permissions", permissions.everything),
                ("POST", f"{_API}/jql/parse", queries.parsed),
                ("GET", f"{_API}/webhook", webhooks.registered),
                ("POST", f"{_API}/webhook", webhooks.register),
                ("DELETE", f"{_API}/webhook", webhooks.delete),
                ("PUT", f"{_API}/webhook/refresh", webhooks.refresh),
                ("GET", f"{_API}/webhook/failed", webhooks.failed),
                ("GET", f"{_DESK}/info", desk.info),
                ("GET", f"{_DESK}/servicedesk", desk.desks),
                ("GET", f"{_DESK}/servicedesk/{{d}}", desk.desk),
                ("GET", f"{_DESK}/request/{{k}}", desk.request),
                ("GET", f"{_DESK}/request/{{k}}/approval", desk.approvals),
                ("GET", f"{_DESK}/request/{{k}}/approval/{{a}}", desk.approval),
                ("POST", f"{_DESK}/request/{{k}}/approval/{{a}}", desk.decide),
                ("POST", "/oauth/token", oauth.token),
                ("GET", "/oauth/token/accessible-resources", oauth.resources),
                ("GET", "/_edge/tenant_info", oauth.tenant),
            ]
        )

    def __call__(self, call: Call) -> Answer:
        """Answer one request as the site would."""
        self._site.forget_caller()
        self._site.address = address(call)
        self._webhooks.keep_failures()
        trace = {"X-ARequestId": secrets.token_hex(16), "Atl-Traceid": secrets.token_hex(16), "Server": "AtlassianEdge"}
        try:
            inner = self._oauth.through_gateway(call)
            found = self._routes.find(inner)
            if not isinstance(found, tuple):
                raise refused(405, "Method Not Allowed") if found else dead_link()
            handler, routed = found
            if _OPEN.fullmatch(inner.path):
                return handler(routed).plus(trace)
            if not call.headers.get("authorization") and inner.method == "GET" and _PUBLIC.fullmatch(inner.path):
                return handler(routed).plus(trace)
            caller = self._site.caller(inner)
            trace |= {"X-AAccountId": caller.account, "x-sandbox-actor": caller.account}
            trace |= self._limits.passed(inner, self._site.settings(), self._site.clock(), app=caller.app)
            check_scope(inner, caller)
            return handler(routed).plus(trace)
        except RefusedCall as error:
            return error.answer.plus(trace)
