"""Signing in to Jira: API token, bearer token, OAuth with a refresh token that is good once."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from contract import NOW, pulled
from jira_world import EMAIL, FIRST, GRACE, HUB, SECRET, SPACE, configured, fill
from pydantic import ValidationError

from connectors.jira.connector import JiraConnector
from connectors.kept_token import replace_kept
from hub.charter.secret import Secret, resolve
from hub.charter.sources import JiraConnection
from hub.errors import ConfigurationError, SourceRefused

ISSUES = "issues:ACME"
CLOUD, APP, APP_SECRET, REFRESH = "cloud-1", "the-app", "app-secret-canary", "first-refresh-token"
SCOPES = ["read:jira-work", "write:jira-work", "read:jira-user", "offline_access"]


@pytest.fixture
def site(company):
    def filled(store):
        fill(store)
        stamp = "2026-01-01T00:00:00.000000Z"
        client = {"secret": APP_SECRET, "accountId": HUB, "scopes": SCOPES}
        store.put(SPACE, "_oauth_client", [(APP, stamp, client)])
        held = {"client": APP, "accountId": HUB, "scopes": SCOPES}
        store.put(SPACE, "_refresh_token", [(REFRESH, stamp, held)])
        store.put(SPACE, "_settings", [("settings", stamp, {"cloud_id": CLOUD})])

    return company({"jira": SPACE}, filled)


@pytest.fixture
def connect(site, tmp_path):
    """Connectors of the OAuth app, all over one token file."""
    place = tmp_path / "jira.token"
    place.write_text(REFRESH)
    address = site.addresses["jira"]
    environment = {"SECRET": APP_SECRET}

    def connector(**changes):
        connection = {
            "server": "https://acme.example", "gateway": address, "sign_in": address, "cloud_id": CLOUD,
            "client_id": APP, "client_secret": "env:SECRET", "refresh_token": "file:jira.token", **changes,
        }  # fmt: skip
        source = configured(address, connection=connection)
        secret = lambda ref: resolve(ref, directory=tmp_path, environment=environment)  # noqa: E731
        return JiraConnector(SPACE, source, secret, sleep=lambda _: None)

    connector.place = place
    connector.environment = environment
    return connector


def renewals(site):
    return [e for e in site.journal(tool="jira") if e["path"].endswith("/oauth/token")]


def later(site, seconds):
    requests.post(f"{site.addresses['control']}/clock", json={"advance": seconds}, timeout=5).raise_for_status()


def test_an_api_token_and_a_bearer_token_read_the_same(site):
    basic = configured(site.addresses["jira"])
    bearer = configured(site.addresses["jira"], connection={"server": site.addresses["jira"], "token": "env:SECRET"})
    told = [JiraConnector(SPACE, s, lambda _: Secret(SECRET), sleep=lambda _: None) for s in (basic, bearer)]
    ids = [{raw.native_id for page in pulled(c)[ISSUES] for raw in page.records} for c in told]
    assert ids[0] == ids[1] != set()


def test_an_oauth_app_reads_and_writes_through_the_gateway(site, connect):
    connector = connect()
    assert connector.check() == ()
    told = [o for p in connector.pull(ISSUES, None, now=NOW) for o in p.observations]
    assert {o.value for o in told if o.record == FIRST and o.field == "url"} == {"https://acme.example/browse/ACME-1"}
    reading = connector.writer.read_owner(FIRST)
    assert reading.owner == GRACE
    assert connector.writer.send_owner(FIRST, None, reading, marker="m").kind == "accepted"
    assert len(renewals(site)) == 1


def test_every_renewal_replaces_the_token_in_its_file_for_the_owner_only(connect):
    connect().pull(ISSUES, None, now=NOW).__next__()
    second = connect.place.read_text().strip()
    assert second != REFRESH
    assert stat.S_IMODE(connect.place.stat().st_mode) == 0o600
    connect().pull(ISSUES, None, now=NOW).__next__()
    assert connect.place.read_text().strip() not in {REFRESH, second}
    assert {p.name for p in connect.place.parent.iterdir() if "token" in p.name} == {"jira.token", "jira.token.lock"}


def test_many_threads_renew_a_dead_token_once(site, connect):
    connector = connect()
    connector.check()
    later(site, 4000)  # an access token lives an hour of the service's clock
    site.forget()
    start = threading.Barrier(6)

    def read(_):
        start.wait()
        return connector.census(ISSUES)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(read, range(6))) == [3] * 6
    assert len(renewals(site)) == 1


def test_connectors_of_several_processes_take_turns_with_the_file(site, connect):
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: connect().census(ISSUES), range(4))) == [3] * 4
    assert len(renewals(site)) == 4


def test_a_refusal_for_ever_is_asked_about_once_more_and_no_further(site, connect):
    connector = connect()
    connector.check()
    site.forget()
    site.order(tool="jira", fault="unauthorized_for_ever", path="approximate-count", times=None)
    with pytest.raises(SourceRefused):
        connector.census(ISSUES)
    assert [e["path"].rsplit("/", 1)[-1] for e in site.journal(tool="jira")] == [
        "approximate-count", "token", "approximate-count",
    ]  # fmt: skip


def test_a_spent_refresh_token_is_refused_with_a_hint_and_nothing_secret(connect):
    connect.place.write_text("canary-refresh")
    with pytest.raises(SourceRefused) as refused:
        connect().census(ISSUES)
    text = f"{refused.value!r} {refused.value.message} {refused.value.hint}"
    assert "authorise the app again" in text
    assert "canary" not in text
    assert connect.place.read_text() == "canary-refresh"


def test_a_wrong_client_secret_leaves_the_refresh_token_as_it_was(connect):
    connect.environment["SECRET"] = "wrong"
    (problem,) = connect().check()
    assert "refused" in problem.what
    assert connect.place.read_text() == REFRESH


def test_a_directory_that_cannot_be_written_costs_no_token(tmp_path, monkeypatch):
    place = tmp_path / "token"
    place.write_text("kept")

    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("connectors.kept_token.tempfile.mkstemp", full)
    used = []
    with pytest.raises(ConfigurationError, match="No space left"):
        replace_kept(place, lambda held: used.append(held) or "new")
    assert used == []
    assert place.read_text() == "kept"


@pytest.mark.parametrize(
    "stated",
    [
        {"email": EMAIL},
        {"token": "env:A", "client_id": "x"},
        {"client_id": "x", "client_secret": "env:A", "refresh_token": "file:a"},
        {"client_id": "x", "client_secret": "env:A", "refresh_token": "env:B", "cloud_id": "c"},
        {"token": "env:A", "cloud_id": "../elsewhere"},
        {},
    ],
)
def test_half_a_sign_in_is_refused_in_the_charter(stated):
    with pytest.raises(ValidationError):
        JiraConnection.model_validate({"server": "https://acme.example", **stated})
