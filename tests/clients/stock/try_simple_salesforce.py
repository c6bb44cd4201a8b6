"""simple-salesforce against the simulated org, once with each of its ways to sign in.

The library builds ``https://`` addresses from domain names and cannot be given another address. So the session it
is handed carries an adapter that sends what is meant for Salesforce to the simulated org: the only thing changed.

    python tests/clients/stock/try_simple_salesforce.py DIRECTORY
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from company import Directory, tell
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceResourceNotFound


class ToSimulatedOrg(HTTPAdapter):
    """Sends every request to one address, whatever host it names."""

    def __init__(self, address: str) -> None:
        """Remember the address."""
        super().__init__()
        self._to = urlsplit(address)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send to the simulated org instead."""
        asked = urlsplit(str(request.url))
        request.url = urlunsplit((self._to.scheme, self._to.netloc, asked.path, asked.query, ""))
        return super().send(request, *args, **kwargs)


def session(address: str) -> requests.Session:
    """A session for ``Salesforce(session=...)``."""
    made = requests.Session()
    made.mount("https://", ToSimulatedOrg(address))
    return made


def ways_in(directory: Directory) -> dict[str, dict[str, Any]]:
    """The arguments that choose each login flow, as far as the company of the directory has the secrets for it."""
    client = {"consumer_key": "hub-client", "consumer_secret": directory.secret("salesforce_client_secret")}
    ways: dict[str, dict[str, Any]] = {"client credentials": client | {"domain": "acme.my"}}
    if directory.has("salesforce_password"):
        name, password = directory.secret("salesforce_username"), directory.secret("salesforce_password")
        token = directory.secret("salesforce_security_token")
        person = {"username": name, "password": password}
        ways["SOAP with security token"] = person | {"security_token": token}
        ways["SOAP with organisation"] = person | {"organizationId": directory.secret("salesforce_organization")}
        ways["OAuth password"] = {"username": name, "password": password + token} | client
    if directory.has("salesforce_key.pem"):
        ways["JWT bearer"] = {
            "username": directory.secret("salesforce_username"),
            "consumer_key": "hub-client",
            "privatekey_file": directory.secret_file("salesforce_key.pem"),
        }
    return ways


def main() -> None:
    """Sign in each way, then read, page, filter, write, read back, and be refused."""
    directory = Directory(sys.argv[1])
    address = directory.addresses["salesforce"]
    entered = {}
    for way, arguments in ways_in(directory).items():
        entered[way] = Salesforce(**arguments, session=session(address))
        tell(way, entered[way].query("SELECT Id FROM Case LIMIT 1")["totalSize"])
    known = entered["client credentials"]
    direct = Salesforce(instance=known.sf_instance, session_id=known.session_id, session=session(address))
    tell("direct session", direct.query("SELECT Id FROM Case LIMIT 1")["totalSize"])
    try:
        Salesforce(username="nobody@acme.example", password="wrong", security_token="", session=session(address))
    except SalesforceAuthenticationFailed as refused:
        tell("wrong password", str(refused.code))
    work(direct)


def work(sf: Salesforce) -> None:
    """Read, page, filter, write, read back, and be refused."""
    tell("objects", [one["name"] for one in sf.describe()["sobjects"]])
    tell("fields", [one["name"] for one in sf.Case.describe()["fields"]])
    page = sf.query("SELECT Id FROM Case", headers={"Sforce-Query-Options": "batchSize=200"})
    tell("first page", {"size": len(page["records"]), "done": page["done"]})
    tell("all", [row["Id"] for row in sf.query_all_iter("SELECT Id, Owner.Name, Owner.Type FROM Case")])
    tell("filter", [row["Id"] for row in sf.query_all("SELECT Id FROM Case WHERE Status = 'Closed'")["records"]])
    person = sf.query("SELECT Id FROM User WHERE IsActive = true AND Name = 'Ada Lovelace'")["records"][0]["Id"]
    made = sf.Case.create({"Subject": "Made by simple-salesforce", "OwnerId": person})["id"]
    sf.Case.update(made, {"Subject": "Changed by simple-salesforce"})
    tell("read back", {name: sf.Case.get(made)[name] == value for name, value in (("OwnerId", person),)})
    now = datetime.now(UTC)
    since = now - timedelta(hours=1)
    tell("updated", made in sf.Case.updated(since, now + timedelta(minutes=2))["ids"])
    many = {"allOrNone": False, "records": [{"attributes": {"type": "Case"}, "id": made, "Subject": "Again"}]}
    told = sf.restful("composite/sobjects", method="PATCH", json=many)
    tell("collection", [row["success"] for row in told])
    tell("bulk query", sum(page.count("\n") - 1 for page in sf.bulk2.Case.query("SELECT Id FROM Case", wait=0.05)))
    told = sf.bulk2.Case.update(records=[{"Id": made, "Subject": "In bulk"}], wait=0.05)
    tell("bulk update", [(job["numberRecordsProcessed"], job["numberRecordsFailed"]) for job in told])
    asked = {"actionType": "Submit", "contextId": made, "nextApproverIds": [person], "comments": "please"}
    tell("approval", sf.restful("process/approvals/", method="POST", json={"requests": [asked]})[0]["instanceStatus"])
    tell("limits", sf.limits()["DailyApiRequests"]["Max"] > 0)
    tell("usage", sf.api_usage["api-usage"].used > 0)
    other = sf.Case.create({"Subject": "To be deleted"})["id"]
    sf.Case.delete(other)
    gone = sf.Case.deleted(since, now + timedelta(minutes=2))["deletedRecords"]
    tell("deleted", other in [row["id"] for row in gone])
    tell(
        "queryAll",
        sf.query(f"SELECT IsDeleted FROM Case WHERE Id = '{other}'", include_deleted=True)["records"][0]["IsDeleted"],
    )
    try:
        sf.Case.get(other)
    except SalesforceResourceNotFound as refused:
        tell("deleted record", refused.status)
    try:
        sf.query("SELECT Nonsense__c FROM Case")
    except SalesforceMalformedRequest as refused:
        tell("unknown column", refused.content[0]["errorCode"])
    left = sf.query("SELECT Id FROM User WHERE IsActive = false LIMIT 1")["records"][0]["Id"]
    try:
        sf.Case.update(sf.query("SELECT Id FROM Case LIMIT 1")["records"][0]["Id"], {"OwnerId": left})
    except SalesforceMalformedRequest as refused:
        tell("inactive owner", refused.content[0]["errorCode"])


main()
