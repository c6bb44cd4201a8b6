"""Python clients that are not the connectors': atlassian-python-api for Jira, aiosalesforce for Salesforce."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import requests
from aiosalesforce import ClientCredentialsFlow, JwtBearerFlow, Salesforce, SoapLogin
from aiosalesforce.auth.base import Auth
from aiosalesforce.exceptions import AuthenticationError, NotFoundError, RequestLimitExceededError, SalesforceError
from atlassian.jira import JiraCloud, JiraServiceManagement
from client_company import CLIENT, DESK, PASSWORD, REQUEST, SECURITY_TOKEN, Company

pytestmark = pytest.mark.xdist_group("clients")


# -- atlassian-python-api -------------------------------------------------------------------------------------------


@pytest.fixture
def site(company: Company) -> JiraCloud:
    return JiraCloud(
        company.addresses["jira"], username=company.hub["email"], password=company.secrets["jira_token"], timeout=20
    )


def an_issue(company: Company) -> str:
    return str(next(issue["key"] for issue in company.documents("jira", "issue") if issue["_project"] != DESK))


def test_atlassian_pages_through_every_issue(company: Company, site: JiraCloud) -> None:
    issues = [issue for issue in company.documents("jira", "issue") if issue["_project"] != DESK]
    project = issues[0]["_project"]
    before = len(company.journal("jira", "GET", "/search/jql"))
    found = site.enhanced_jql_get_list_of_tickets(f"project = {project} ORDER BY id", fields=["summary"])
    assert sorted(issue["id"] for issue in found) == sorted(issue["id"] for issue in issues)
    asked = len(company.journal("jira", "GET", "/search/jql")) - before
    assert asked == -(-len(issues) // 50)  # it asks for no page size, and the default is 50


def test_atlassian_filters(company: Company, site: JiraCloud) -> None:
    told = site.enhanced_jql(f"assignee IS EMPTY AND project != {DESK}", fields="assignee", limit=5)
    assert [issue["fields"]["assignee"] for issue in told["issues"]] == [None] * 5


def test_atlassian_writes_and_reads_back(company: Company, site: JiraCloud) -> None:
    project = next(p["key"] for p in company.documents("jira", "project") if p["key"] != DESK)
    fields = {"project": {"key": project}, "summary": "Made by atlassian", "issuetype": {"name": "Task"}}
    made = site.create_issue(data={"fields": fields})["key"]
    site.edit_issue(made, data={"fields": {"summary": "Changed by atlassian"}})
    person = next(u["accountId"] for u in company.documents("jira", "user") if u["displayName"] == "Ada Lovelace")
    site.assign_issue(made, data={"accountId": person})
    moves = site.get_transitions(made)["transitions"]
    site.do_transition(made, data={"transition": {"id": moves[-1]["id"]}})
    body = {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "hi"}]}],
    }
    site.add_comment(made, data={"body": body})
    read = site.get_issue(made)["fields"]
    assert read["summary"] == "Changed by atlassian"
    assert read["assignee"]["accountId"] == person
    assert read["status"]["name"] == moves[-1]["to"]["name"]
    assert site.get_comments(made)["comments"][-1]["body"] == body
    changed = [item["field"] for entry in site.get_change_logs(made)["values"] for item in entry["items"]]
    assert changed == ["summary", "assignee", "status"]
    site.delete_issue(made)
    with pytest.raises(requests.HTTPError) as refused:
        site.get_issue(made)
    assert refused.value.response.status_code == 404


def test_atlassian_meets_refusals(company: Company, site: JiraCloud) -> None:
    key = an_issue(company)
    left = next(u["accountId"] for u in company.documents("jira", "user") if not u["active"])
    stranger = JiraCloud(company.addresses["jira"], username=company.hub["email"], password="wrong", timeout=20)
    for status, act in (
        (400, lambda: site.enhanced_jql("nonsense ~~ 1")),
        (404, lambda: site.get_issue("ACME-999999")),
        (400, lambda: site.assign_issue(key, data={"accountId": left})),
        (401, stranger.get_current_user),
    ):
        with pytest.raises(requests.HTTPError) as refused:
            act()
        assert refused.value.response.status_code == status


def test_atlassian_meets_the_rate_limit(company: Company, site: JiraCloud) -> None:
    order = {"fault": "too_many_requests", "tool": "jira", "times": 1, "settings": {"retry_after": 1}}
    company.ask("POST", "/faults", json=order)
    # left alone it would wait as long as it is told and ask again
    site.retry_with_header = False
    with pytest.raises(requests.HTTPError) as refused:
        site.get_issue(an_issue(company))
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "1"


def test_atlassian_asks_the_service_desk(company: Company) -> None:
    desk = JiraServiceManagement(
        company.addresses["jira"], username=company.hub["email"], password=company.secrets["jira_token"], timeout=20
    )
    assert isinstance(desk.get_info()["version"], str)
    assert [one["projectKey"] for one in desk.get_service_desks()["values"]] == [DESK]
    assert [one["id"] for one in desk.get_approvals(REQUEST)["values"]] == ["71"]


# -- aiosalesforce --------------------------------------------------------------------------------------------------


class ToSimulatedOrg(httpx.AsyncHTTPTransport):
    """Sends every request to the simulated org; the client is handed its httpx client, so this is its own means."""

    def __init__(self, address: str) -> None:
        """Remember the address."""
        super().__init__()
        self._to = httpx.URL(address)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send to the simulated org instead."""
        request.url = request.url.copy_with(scheme=self._to.scheme, host=self._to.host, port=self._to.port)
        return await super().handle_async_request(request)


def with_org(
    company: Company, act: Callable[[Salesforce], Awaitable[Any]], auth: Auth | None = None, *, retry: bool = True
) -> Any:
    """Do something with a client that signs in by client credentials, unless told otherwise."""

    async def run() -> Any:
        async with httpx.AsyncClient(transport=ToSimulatedOrg(company.addresses["salesforce"])) as client:
            way_in = auth or ClientCredentialsFlow(CLIENT, company.secrets["salesforce_client_secret"])
            settings: dict[str, Any] = {} if retry else {"retry_policy": None}
            return await act(Salesforce(client, "https://acme.my.salesforce.com", way_in, **settings))

    return asyncio.run(run())


def cases(company: Company) -> list[dict[str, Any]]:
    return [case for case in company.documents("salesforce", "Case") if not case.get("IsDeleted")]


async def ids(sf: Salesforce, query: str, *, deleted: bool = False) -> list[str]:
    return [row["Id"] async for row in sf.query(query, include_all_records=deleted)]


def test_aiosalesforce_signs_in_each_way(company: Company) -> None:
    name = company.hub["username"]
    for auth in (
        SoapLogin(name, PASSWORD, SECURITY_TOKEN),
        ClientCredentialsFlow(CLIENT, company.secrets["salesforce_client_secret"]),
        JwtBearerFlow(CLIENT, name, company.directory / "secrets" / "salesforce_key.pem"),
    ):
        assert len(with_org(company, lambda sf: ids(sf, "SELECT Id FROM Case LIMIT 1"), auth)) == 1
    for auth in (SoapLogin(name, PASSWORD, "wrong"), ClientCredentialsFlow(CLIENT, "wrong")):
        with pytest.raises(AuthenticationError):
            with_org(company, lambda sf: ids(sf, "SELECT Id FROM Case LIMIT 1"), auth)


def test_aiosalesforce_pages_through_every_case(company: Company) -> None:
    before = len(company.journal("salesforce", "GET", "/query"))
    found = with_org(company, lambda sf: ids(sf, "SELECT Id, CaseId, Field FROM CaseHistory"))
    assert len(found) == len(company.documents("salesforce", "CaseHistory")) > 2000
    assert len(company.journal("salesforce", "GET", "/query")) - before == -(-len(found) // 2000)


def test_aiosalesforce_filters(company: Company) -> None:
    closed = sorted(case["Id"] for case in cases(company) if case["Status"] == "Closed")
    assert with_org(company, lambda sf: ids(sf, "SELECT Id FROM Case WHERE Status = 'Closed' ORDER BY Id")) == closed


def test_aiosalesforce_writes_and_reads_back(company: Company) -> None:
    owner = next(u["Id"] for u in company.documents("salesforce", "User") if u["Name"] == "Ada Lovelace")

    async def work(sf: Salesforce) -> None:
        made = await sf.sobject.create("Case", {"Subject": "Made by aiosalesforce", "Status": "New"})
        await sf.sobject.update("Case", made, {"OwnerId": owner})
        read = await sf.sobject.get("Case", made, fields=["Subject", "OwnerId"])
        assert (read["Subject"], read["OwnerId"]) == ("Made by aiosalesforce", owner)
        told = await sf.sobject.upsert("Case", "REF-aio", "External_Ref__c", {"Subject": "Upserted"})
        assert told.created
        again = await sf.sobject.upsert("Case", "REF-aio", "External_Ref__c", {"Subject": "Twice"})
        assert (again.id, again.created) == (told.id, False)
        async with sf.composite(all_or_none=True) as batch:
            first = batch.sobject.create("Case", {"Subject": "First of two"})
            parent = str(first.reference.id)  # as it is, the reference loses its braces on its way into JSON
            second = batch.sobject.create("CaseComment", {"ParentId": parent, "CommentBody": "Second"})
        assert (await sf.sobject.get("CaseComment", second.id))["ParentId"] == first.id
        for id_ in (made, told.id, first.id):
            await sf.sobject.delete("Case", id_)
        with pytest.raises(NotFoundError):
            await sf.sobject.get("Case", made)
        assert await ids(sf, f"SELECT Id FROM Case WHERE Id = '{made}'") == []
        assert await ids(sf, f"SELECT Id FROM Case WHERE Id = '{made}'", deleted=True) == [made]

    with_org(company, work)


def test_aiosalesforce_loads_in_bulk(company: Company) -> None:
    async def work(sf: Salesforce) -> None:
        rows = [{"Subject": f"Bulk {n}"} for n in range(3)]
        told = [job async for job in sf.bulk_v2.ingest.perform_operation("insert", "Case", rows, polling_interval=0.02)]
        made = [row["sf__Id"] for job in told for row in job.successful_results]
        assert len(made) == 3
        gone = [{"Id": id_} for id_ in (*made, "500000000000000AAA")]
        told = [job async for job in sf.bulk_v2.ingest.perform_operation("delete", "Case", gone, polling_interval=0.02)]
        assert (len(told[0].successful_results), len(told[0].failed_results)) == (3, 1)

    with_org(company, work)


def test_aiosalesforce_meets_refusals(company: Company) -> None:
    left = next(u["Id"] for u in company.documents("salesforce", "User") if not u["IsActive"])
    record = next(case["Id"] for case in cases(company) if case["OwnerId"] != left)
    for code, act in (
        ("INVALID_FIELD", lambda sf: ids(sf, "SELECT Nonsense__c FROM Case")),
        ("MALFORMED_QUERY", lambda sf: ids(sf, "SELECT FROM WHERE")),
        ("NOT_FOUND", lambda sf: sf.sobject.get("Case", "500000000000000AAA")),
        ("INACTIVE_OWNER_OR_USER", lambda sf: sf.sobject.update("Case", record, {"OwnerId": left})),
    ):
        with pytest.raises(SalesforceError) as refused:
            with_org(company, act)
        assert refused.value.error_code == code


def test_aiosalesforce_meets_the_daily_limit(company: Company) -> None:
    company.ask("POST", "/faults", json={"fault": "request_limit_exceeded", "tool": "salesforce", "path": "/limits"})
    with pytest.raises(RequestLimitExceededError):
        with_org(company, lambda sf: sf.get_limits(), retry=False)
    assert with_org(company, lambda sf: sf.get_limits())["DailyApiRequests"]["Max"] > 0


def test_aiosalesforce_signs_in_again_when_its_session_dies(company: Company) -> None:
    async def work(sf: Salesforce) -> int:
        token = await sf.auth.get_access_token(sf)
        answer = requests.post(
            company.addresses["salesforce"] + "/services/oauth2/revoke", data={"token": token}, timeout=10
        )
        assert answer.status_code == 200
        return len(await ids(sf, "SELECT Id FROM Case LIMIT 1"))

    assert with_org(company, work) == 1
