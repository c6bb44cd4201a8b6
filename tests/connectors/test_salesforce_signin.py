"""Signing in as real customers do, renewing a session once, and leaving others their share of the requests."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from contract import NOW
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from salesforce_world import CASE_1, HUB, SPACE, configured, connector_for, fill

from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.signin import host_of
from hub.charter.secret import Secret
from hub.charter.sources import SalesforceConnection
from hub.errors import ConfigurationError, SourceRefused, SourceUnavailable

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
SECRETS = {"env:SECRET": "right-secret", "env:PASSWORD": "p<w&d", "env:TOKEN": "tok", "env:KEY": PEM}
WAYS = {
    "client_credentials": {"client_id": "hub-client", "client_secret": "env:SECRET"},
    "jwt_bearer": {"client_id": "hub-client", "username": "hub@acme.example", "private_key": "env:KEY"},
    "password": {
        "client_id": "hub-client", "client_secret": "env:SECRET",
        "username": "hub@acme.example", "password": "env:PASSWORD", "security_token": "env:TOKEN",
    },
    "soap": {"username": "hub@acme.example", "password": "env:PASSWORD", "security_token": "env:TOKEN"},
}  # fmt: skip


def with_logins(store):
    fill(store)
    user = store.get(SPACE, "User", HUB)
    user |= {"Username": "hub@acme.example", "_password": "p<w&d", "_security_token": "tok"}
    store.put(SPACE, "User", [(HUB, "2026-10-01T09:00:00.000000Z", user)])
    client = {**store.get(SPACE, "_client", "hub-client"), "public_key": PUBLIC}
    store.put(SPACE, "_client", [("hub-client", "2026-01-01T00:00:00Z", client)])


@pytest.fixture
def org(company):
    return company({"salesforce": SPACE}, with_logins)


def signing_in_by(org, way, secrets=SECRETS, **more):
    stated = {"base_url": org.addresses["salesforce"], "sign_in": way, **WAYS[way], **more}
    source = configured("http://127.0.0.1:1", connection=stated)
    return SalesforceConnector(SPACE, source, lambda name: Secret(secrets[name]), sleep=lambda _: None)


def sign_ins(org):
    return [e for e in org.journal(tool="salesforce", method="POST") if "/oauth2/token" in e["path"]]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_signs_in_and_reads(org, way):
    connector = signing_in_by(org, way)
    assert connector.check() == ()
    assert CASE_1 in {raw.native_id for page in connector.pull("Case", None, now=NOW) for raw in page.records}


@pytest.mark.parametrize(("way", "spoilt"), [("password", "env:PASSWORD"), ("soap", "env:TOKEN"), ("jwt_bearer", "")])
def test_a_wrong_secret_is_refused_with_what_to_check(org, way, spoilt):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    connector = signing_in_by(org, way, {**SECRETS, spoilt or "env:KEY": other.decode() if not spoilt else "canary"})
    with pytest.raises(SourceRefused, match="sign-in refused") as refused:
        list(connector.pull("Case", None, now=NOW))
    assert "check" in refused.value.hint
    assert "canary" not in f"{refused.value!r}{refused.value.hint}"


def test_a_key_that_is_none_is_named_and_never_shown(org):
    connector = signing_in_by(org, "jwt_bearer", {**SECRETS, "env:KEY": "canary-no-key"})
    with pytest.raises(ConfigurationError, match="env:KEY holds no private RSA key") as refused:
        list(connector.pull("Case", None, now=NOW))
    assert refused.value.__cause__ is None
    assert "canary" not in str(refused.value)


def test_an_assertion_goes_by_the_clock_of_the_org(org):
    requests.post(f"{org.addresses['control']}/clock", json={"advance": 3600}, timeout=5).raise_for_status()
    assert signing_in_by(org, "jwt_bearer").check() == ()
    assert [e["status"] for e in sign_ins(org)] == [400, 200]


def test_what_a_way_needs_is_asked_for():
    for way, stated in WAYS.items():
        optional = {"security_token"}
        for missing in stated.keys() - optional:
            kept = {key: value for key, value in stated.items() if key != missing}
            with pytest.raises(ValidationError, match=missing):
                SalesforceConnection.model_validate({"domain": "acme", "sign_in": way, **kept})
    with pytest.raises(ValidationError, match="My Domain"):
        SalesforceConnection.model_validate({"domain": "login", **WAYS["client_credentials"]})


@pytest.mark.parametrize(
    ("domain", "host"),
    [
        ("acme", "acme.my.salesforce.com"),
        ("acme.my", "acme.my.salesforce.com"),
        ("acme--uat.sandbox", "acme--uat.sandbox.my.salesforce.com"),
        ("https://Acme--uat.sandbox.my.salesforce.com/", "acme--uat.sandbox.my.salesforce.com"),
        ("login", "login.salesforce.com"),
        ("test", "test.salesforce.com"),
    ],
)
def test_domains_of_production_and_sandboxes(domain, host):
    assert host_of(SalesforceConnection(domain=domain, sign_in="soap", username="u", password="env:P")) == host


def test_threads_whose_session_ended_renew_it_once(org):
    connector = connector_for(org)
    connector.check()
    org.forget()
    for token in tokens(org):
        org.store.delete(SPACE, "_token", token)
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: connector.census("Case"), range(16)))
    assert counts == [3] * 16
    assert len(sign_ins(org)) == 1


def tokens(org):
    with sqlite3.connect(org.store.path) as db:
        query = "SELECT d.id FROM doc d JOIN shelf s ON s.n = d.shelf WHERE s.kind = '_token'"
        return [row[0] for row in db.execute(query)]


def test_a_session_refused_for_ever_stops_after_two_renewals(org):
    connector = connector_for(org)
    org.order(tool="salesforce", fault="unauthorized_for_ever", times=None)
    with pytest.raises(SourceRefused, match="2 new sessions were refused as well") as refused:
        list(connector.pull("Case", None, now=NOW))
    assert "API Enabled" in refused.value.hint
    assert len(sign_ins(org)) == 3


def test_reading_stops_before_the_share_kept_for_others(org):
    org.store.put(SPACE, "_settings", [("limits", "2026-01-01T00:00:00Z", {"daily_requests": 20})])
    connector = signing_in_by(org, "client_credentials", keep_requests=0.5)
    assert [connector.census("Case") for _ in range(10)] == [3] * 10
    with pytest.raises(SourceUnavailable, match="10 of the org's 20 daily requests") as stopped:
        connector.census("Case")
    assert "keep_requests" in stopped.value.hint
    asked = [e for e in org.journal(tool="salesforce") if "/query" in e["path"]]
    assert len(asked) == 10
    assert connector.calls == 11
