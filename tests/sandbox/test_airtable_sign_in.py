"""Apps renew their tokens: each refresh token is good once, each access token for an hour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from airtable_base import SPACE, rich_company
from http_world import U_GRACE, Running, put, running


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Running]:
    store = rich_company(tmp_path / "signed.sqlite")
    put(store, SPACE, "_oauth_client", {"secret": "s3"}, id_="app")
    put(store, SPACE, "_oauth_client", {}, id_="public")
    scopes = ["data.records:read"]
    for client in ("app", "public"):
        held = {"client": client, "user": U_GRACE, "scopes": scopes}
        put(store, SPACE, "_refresh_token", held, id_=f"{client}-first")
    with running(store) as served:
        yield served
    store.close()


def renew(base: Running, token: str, *, secret: str | None = "s3", grant: str = "refresh_token") -> requests.Response:
    form = {"grant_type": grant, "refresh_token": token}
    signed = ("app", secret) if secret is not None else None
    if signed is None:
        form["client_id"] = "public"
    return requests.post(f"{base.addresses['airtable']}/oauth2/v1/token", data=form, auth=signed, timeout=5)


def whoami(base: Running, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{base.addresses['airtable']}/v0/meta/whoami", headers=headers, timeout=5)


def test_a_refresh_token_is_good_once_and_gives_the_next(base: Running) -> None:
    first = renew(base, "app-first").json()
    assert whoami(base, first["access_token"]).json() == {"id": U_GRACE, "scopes": ["data.records:read"]}
    again = renew(base, "app-first")
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert renew(base, first["refresh_token"]).status_code == 200


def test_an_access_token_is_good_for_an_hour(base: Running) -> None:
    told = renew(base, "app-first").json()
    base.control("POST", "/clock", json={"advance": told["expires_in"] - 60})
    assert whoami(base, told["access_token"]).status_code == 200
    base.control("POST", "/clock", json={"advance": 60})
    assert whoami(base, told["access_token"]).status_code == 401


def test_an_app_signs_with_its_secret_and_one_without_by_its_id(base: Running) -> None:
    wrong = renew(base, "app-first", secret="guess")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert renew(base, "public-first", secret=None).status_code == 200
    assert renew(base, "app-first", secret=None).json()["error"] == "invalid_grant"  # another app's
    assert renew(base, "app-first", grant="password").json()["error"] == "unsupported_grant_type"
