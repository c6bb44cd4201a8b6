"""Signing in to the simulated org: every flow of the stock client, and how sessions end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from http_world import GRACE, HUB, LEFT, Running, put
from org_http import SPACE, asked, code, loopback, moved, rows, settings, signed_in
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
COUNT = "SELECT COUNT() FROM Case"
ORG = "00D000000000001EAA"
SOON = str(int(datetime.now(UTC).timestamp()) + 86_400)


def _certificate() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    made = made.serial_number(1).not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    signed = made.not_valid_after(datetime(2036, 1, 1, tzinfo=UTC)).sign(KEY, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def _with_certificate(small: Running) -> None:
    client = {"secret": "client-secret", "user": HUB, "certificate": _certificate()}
    put(small.store, SPACE, "_client", client, id_="hub-client")


@pytest.mark.parametrize(
    "given",
    [
        {"username": "hub@acme.example", "password": "pass", "security_token": "word"},
        {"username": "hub@acme.example", "password": "pass", "organizationId": ORG},
        {
            "username": "hub@acme.example",
            "password": "password",
            "consumer_key": "hub-client",
            "consumer_secret": "client-secret",
        },
        {"username": "hub@acme.example", "consumer_key": "hub-client", "privatekey": PRIVATE},
        {"consumer_key": "hub-client", "consumer_secret": "client-secret", "domain": "acme"},
        {"session_id": "sf-token", "instance": "acme.my.salesforce.com"},
    ],
    ids=["soap", "soap_organization", "oauth_password", "jwt_bearer", "client_credentials", "direct"],
)
def test_every_flow_of_the_stock_client_signs_in(small: Running, given: dict[str, str]) -> None:
    _with_certificate(small)
    org = Salesforce(**given, session=loopback(small))
    assert org.query(COUNT)["totalSize"] == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "pass", "security_token": "other"},
        {"password": "other", "security_token": "word"},
        {"password": "pass", "security_token": ""},
        {"password": "pass", "organizationId": "00D000000000009EAA"},
        {"username": "left@acme.example", "password": "old", "security_token": ""},
    ],
)
def test_a_wrong_soap_login_is_a_fault(small: Running, wrong: dict[str, str]) -> None:
    put(
        small.store, SPACE, "User", {"Id": LEFT, "Username": "left@acme.example", "_password": "old", "IsActive": False}
    )
    with pytest.raises(SalesforceAuthenticationFailed, match=r"INVALID_LOGIN\): Invalid username, password"):
        Salesforce(**{"username": "hub@acme.example", **wrong}, session=loopback(small))


def test_an_enterprise_login_and_an_unknown_operation(small: Running) -> None:
    def ask(body: str, api: str) -> requests.Response:
        address = f"{small.addresses['salesforce']}/services/Soap/{api}/59.0"
        envelope = (
            f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{body}</e:Body></e:Envelope>'
        )
        return requests.post(address, data=envelope, timeout=10)

    login = "<login><username>hub@acme.example</username><password>password</password></login>"
    told = ask(login, "c")
    assert (told.status_code, "urn:enterprise.soap.sforce.com" in told.text) == (200, True)
    assert "<sessionId>00D" in told.text
    assert f"<organizationId>{ORG}</organizationId>" in told.text
    for body, said in (
        ("<fly/>", "INVALID_OPERATION"),
        ("<logout/>", "INVALID_SESSION_ID"),
        ("<", "INVALID_OPERATION"),
    ):
        refused = ask(body, "u")
        assert (refused.status_code, f"<faultcode>{said}" in refused.text) == (500, True)


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({}, ""),
        ({"exp": "in three minutes"}, "invalid_grant"),
        ({"exp": 1_700_000_000}, "invalid_grant"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant"),
        ({"sub": "nobody@acme.example"}, "invalid_grant"),
        ({"iss": "stranger"}, "invalid_client_id"),
        ({"aud": ""}, "invalid_grant"),
    ],
)
def test_assertions_are_checked(small: Running, claims: dict[str, object], error: str) -> None:
    _with_certificate(small)
    good = {"iss": "hub-client", "sub": "hub@acme.example", "aud": "https://login.salesforce.com"}
    sent = jwt.encode({**good, "exp": SOON, **claims}, PRIVATE, algorithm="RS256")
    assert _token(small, assertion=sent).get("error", "") == error
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode({**good, "exp": SOON}, stranger, algorithm="RS256")
    assert _token(small, assertion=forged)["error"] == "invalid_grant"
    unsigned = jwt.encode({**good, "exp": SOON}, "", algorithm="none")
    assert _token(small, assertion=unsigned)["error"] == "invalid_grant"


def _token(small: Running, **form: str) -> dict[str, str]:
    if "assertion" in form:
        form["grant_type"] = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    address = f"{small.addresses['salesforce']}/services/oauth2/token"
    told: dict[str, str] = requests.post(address, data=form, timeout=10).json()
    return told


def test_a_refresh_token_signs_in_again_until_it_is_revoked(small: Running) -> None:
    put(small.store, SPACE, "_refresh_token", {"user": GRACE, "client": "hub-client"}, id_="again")
    form = {"grant_type": "refresh_token", "client_id": "hub-client", "client_secret": "client-secret"}
    first = _token(small, **form, refresh_token="again")
    assert rows(small, "SELECT Id FROM Case", token=first["access_token"])
    assert "refresh_token" not in first
    assert asked(small, "POST", "/services/oauth2/revoke", data={"token": "again"}).status_code == 200
    assert _token(small, **form, refresh_token="again")["error"] == "invalid_grant"


def test_a_rotating_refresh_token_works_once(small: Running) -> None:
    put(small.store, SPACE, "_client", {"secret": "client-secret", "user": HUB, "rotates": True}, id_="hub-client")
    put(small.store, SPACE, "_refresh_token", {"user": GRACE, "client": "hub-client"}, id_="again")
    form = {"grant_type": "refresh_token", "client_id": "hub-client", "client_secret": "client-secret"}
    new = _token(small, **form, refresh_token="again")["refresh_token"]
    assert _token(small, **form, refresh_token="again")["error"] == "invalid_grant"
    assert "access_token" in _token(small, **form, refresh_token=new)


def test_an_inactive_user_cannot_sign_in_and_is_signed_out(small: Running) -> None:
    token = _token(small, grant_type="client_credentials", client_id="hub-client", client_secret="client-secret")[
        "access_token"
    ]
    assert asked(small, "GET", "limits", token=token).status_code == 200
    put(small.store, SPACE, "User", {"Id": HUB, "Username": "hub@acme.example", "IsActive": False})
    assert code(asked(small, "GET", "limits", token=token)) == "INVALID_SESSION_ID"
    again = _token(small, grant_type="client_credentials", client_id="hub-client", client_secret="client-secret")
    assert again["error"] == "inactive_user"


def test_a_session_ends_when_it_was_idle_for_too_long(small: Running) -> None:
    settings(small, session_seconds=600)
    token = signed_in(small).session_id
    for _ in range(3):  # each use in the second half prolongs it
        moved(small, 400)
        assert asked(small, "GET", "limits", token=token).status_code == 200
    moved(small, 601)
    assert code(asked(small, "GET", "limits", token=token)) == "INVALID_SESSION_ID"
    assert asked(small, "GET", "limits").status_code == 200  # a session planted by the world has no end


def test_a_revoked_session_is_over(small: Running) -> None:
    org = signed_in(small)
    assert asked(small, "POST", "/services/oauth2/revoke", data={"token": org.session_id}).status_code == 200
    assert code(asked(small, "GET", "limits", token=org.session_id)) == "INVALID_SESSION_ID"
    assert asked(small, "POST", "/services/oauth2/revoke", data={"token": "never"}).json()["error"]


def test_who_am_i(small: Running) -> None:
    told = asked(small, "GET", "/services/oauth2/userinfo").json()
    assert (told["user_id"], told["preferred_username"], told["organization_id"]) == (HUB, "hub@acme.example", ORG)
    identity = requests.get(told["sub"], params={"oauth_token": "sf-token"}, timeout=10).json()
    assert (identity["user_id"], identity["username"]) == (HUB, "hub@acme.example")
    nobody = asked(small, "GET", "/services/oauth2/userinfo", token="none")
    assert (nobody.status_code, nobody.text) == (403, "Bad_OAuth_Token")


def test_the_key_of_a_connected_app_may_be_given_bare(small: Running, tmp_path: Path) -> None:
    public = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    put(small.store, SPACE, "_client", {"secret": "s", "user": HUB, "public_key": public.decode()}, id_="hub-client")
    file = tmp_path / "key.pem"
    file.write_text(PRIVATE)
    given = {"username": "hub@acme.example", "consumer_key": "hub-client", "privatekey_file": str(file)}
    assert Salesforce(**given, session=loopback(small)).query(COUNT)["totalSize"] == 2
