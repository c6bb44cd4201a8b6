"""Signing in to a base: a personal token, or an app's token that is renewed once for everybody who needs it."""

import threading
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from airtable_world import HUB, SPACE, configured, connector_for, fill
from contract import NOW, pulled

from connectors.airtable.sign_in import RenewedToken
from hub.charter.secret import Secret
from hub.errors import ConfigurationError, HubError, SourceRefused, SourceUnavailable

FIRST, APP, CLIENT_SECRET = "oar-first-canary", "app-1", "client-secret-canary"
STAMP = "2026-01-01T00:00:00.000000Z"


@pytest.fixture
def base(company):
    def world(store):
        fill(store)
        store.put(SPACE, "_oauth_client", [(APP, STAMP, {"secret": CLIENT_SECRET})])
        store.put(SPACE, "_refresh_token", [(FIRST, STAMP, {"client": APP, "user": HUB})])

    return company({"airtable": SPACE}, world)


@pytest.fixture
def file(tmp_path):
    kept = tmp_path / "airtable.token"
    kept.write_text(FIRST + "\n")
    return kept


def app(base, file, **changes):
    address = base.addresses["airtable"]
    stated = {"client_id": APP, "client_secret": "env:APP_SECRET", "token_file": f"file:{file}"}
    return {
        "endpoint_url": address,
        "oauth": {**stated, "renewal_url": f"{address}/oauth2/v1/token", **changes},
    }


def signed_in(base, file, **changes):
    return connector_for(base, CLIENT_SECRET, connection=app(base, file, **changes))


def keys(base, file, *, now=lambda: datetime.now(UTC), secret=CLIENT_SECRET):
    oauth = configured(base.addresses["airtable"], connection=app(base, file)).connection.oauth
    return RenewedToken(SPACE, oauth, Secret(secret), now=now)


def renewals(base):
    return [e for e in base.journal(tool="airtable") if e["path"] == "/oauth2/v1/token"]


def test_an_app_pulls_and_leaves_the_next_refresh_token_in_its_file(base, file):
    assert pulled(signed_in(base, file))["items"][0].records
    told = orjson.loads(file.read_bytes())
    assert told["refresh_token"] not in {"", FIRST}
    assert file.stat().st_mode & 0o077 == 0
    pulled(signed_in(base, file))  # another process: the access token is still good
    assert len(renewals(base)) == 1


def test_a_token_that_ends_on_the_way_is_renewed_and_the_pull_goes_on(base, file):
    connector = signed_in(base, file)
    pulled(connector)
    kept = orjson.loads(file.read_bytes())["access_token"]
    base.store.delete(SPACE, "_token", kept)
    assert next(connector.pull("items", None, now=NOW)).records
    assert len(renewals(base)) == 2


def test_it_is_renewed_before_it_ends(base, file):
    clock = [datetime.now(UTC)]
    held = keys(base, file, now=lambda: clock[0])
    first = held.current()
    clock[0] += timedelta(minutes=58)
    assert held.current() == first
    clock[0] += timedelta(minutes=1, seconds=30)
    assert held.current() != first


def test_threads_and_processes_that_find_it_refused_renew_it_once(base, file):
    shared = [keys(base, file) for _ in range(3)]
    refused = shared[0].current()
    found = []

    def again(held):
        found.append(held.renew(refused))

    threads = [threading.Thread(target=again, args=(held,)) for held in shared * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [True] * 9
    assert len(renewals(base)) == 2
    assert len({held.current() for held in shared}) == 1


def test_a_token_refused_for_ever_is_renewed_once_for_the_request_and_then_refused(base, file):
    base.order(tool="airtable", fault="unauthorized_for_ever", path="/v0/", times=None)
    with pytest.raises(SourceRefused):
        list(signed_in(base, file).pull("items", None, now=NOW))
    assert len(renewals(base)) == 2  # to begin with, and after the refusal


def test_a_used_refresh_token_says_what_to_do_and_shows_nothing(base, file):
    keys(base, file).current()
    file.write_text(FIRST)
    (problem,) = signed_in(base, file).check()
    assert "invalid_grant" in problem.what
    assert "sign the app in again" in problem.hint
    with pytest.raises(SourceRefused) as refused:
        keys(base, file, secret="wrong-canary").current()
    for secret in (FIRST, CLIENT_SECRET, "wrong-canary"):
        assert secret not in f"{problem} {refused.value!r} {refused.value.hint}"


def test_a_renewal_is_sent_once_and_a_lost_answer_leaves_the_file_as_it_was(base, file):
    base.order(tool="airtable", fault="reply_lost", path="/oauth2/")
    with pytest.raises(SourceUnavailable):
        keys(base, file).current()
    assert len(renewals(base)) == 1
    assert file.read_text().strip() == FIRST


def test_a_directory_that_cannot_keep_the_next_token_does_not_cost_this_one(base, file):
    file.with_name(f"{file.name}.new").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be used"):
        keys(base, file).current()
    assert renewals(base) == []


def test_a_missing_or_spoilt_file_is_a_matter_of_configuration(base, file):
    file.write_text("{}")
    with pytest.raises(ConfigurationError, match="cannot be read as tokens"):
        keys(base, file).current()
    file.unlink()
    (problem,) = signed_in(base, file).check()
    assert str(file) in problem.what


def test_the_way_to_sign_in_is_one_and_its_file_is_named_in_full(base, file):
    both = app(base, file) | {"token": "env:SECRET"}
    for connection in (both, {"endpoint_url": base.addresses["airtable"]}):
        with pytest.raises(ValueError, match="either token or oauth"):
            configured(base.addresses["airtable"], connection=connection)
    with pytest.raises(ValueError, match="absolute path"):
        configured(base.addresses["airtable"], connection=app(base, file, token_file="file:here"))


def test_owner_writes_are_signed_with_the_token_that_is_good_now(base, file):
    connector = signed_in(base, file)
    pulled(connector)
    reading = connector.writer.read_owner("recFirst000000001")
    assert connector.writer.send_owner("recFirst000000001", HUB, reading, marker="m").kind == "accepted"


def test_a_service_that_answers_nonsense_is_an_error_of_the_hub(base, file):
    base.order(tool="airtable", fault="status", path="/oauth2/", status=200, body="{}")
    with pytest.raises(HubError, match=r"unknown form|instead of JSON"):
        keys(base, file).current()
