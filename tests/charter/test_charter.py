"""A charter is read strictly: every problem at once, each with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.charter.load import load_charter
from hub.charter.secret import Secret, resolve
from hub.errors import ConfigurationError
from hub.settings import Settings

GOOD = """\
version: 1
partners:
  acme: {name: Acme}
sources:
  acme_jira:
    tool: jira
    partner: acme
    connection: {server: "https://acme.example", email: hub@acme.example, token: "env:JIRA_TOKEN"}
    projects: [ACME]
people:
  ada: {name: Ada Lovelace, email: ada@acme.example}
phases:
  - {name: Build, accountable: ada}
grace: 2h
decision_rights:
  owner_change: {approvers: [ada]}
"""


def _charter(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "charter.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _problems(tmp_path: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load_charter(_charter(tmp_path, text))
    return tuple(problem.removeprefix(str(tmp_path) + "/") for problem in caught.value.problems)


def test_a_good_charter_is_read(tmp_path: Path) -> None:
    charter = load_charter(_charter(tmp_path, GOOD))
    assert charter.grace.total_seconds() == 7200
    assert charter.sources["acme_jira"].tool == "jira"


def test_its_digest_changes_with_its_content(tmp_path: Path) -> None:
    before = load_charter(_charter(tmp_path, GOOD)).digest
    assert load_charter(_charter(tmp_path, GOOD + "\n# a comment\n")).digest == before
    assert load_charter(_charter(tmp_path, GOOD.replace("2h", "3h"))).digest != before


def test_unknown_keys_are_errors_with_line_and_suggestion(tmp_path: Path) -> None:
    problems = _problems(tmp_path, GOOD.replace("grace:", "graze:"))
    assert problems == ("charter.yaml:14: unknown key 'graze'; did you mean 'grace'?",)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("2h", "soon").replace("tool: jira", "tool: jyra").replace("accountable: ada", "owner: ada")
    problems = _problems(tmp_path, text)
    assert [problem.split(":")[1] for problem in problems] == ["5", "13", "14"]


def test_names_that_are_used_but_not_defined(tmp_path: Path) -> None:
    problems = _problems(tmp_path, GOOD.replace("approvers: [ada]", "approvers: [bob]"))
    assert problems == (
        "charter.yaml:16: decision_rights.owner_change.approvers: 'bob' is not one of the people (ada)",
    )


@pytest.mark.parametrize("written", ["s3cr3t-token", "token:abc", "env:", "file:"])
def test_a_secret_in_the_charter_is_refused_without_being_shown(tmp_path: Path, written: str) -> None:
    problems = _problems(tmp_path, GOOD.replace("env:JIRA_TOKEN", written))
    assert len(problems) == 1
    assert "must be a reference" in problems[0]
    assert "s3cr3t" not in problems[0]


def test_plain_http_is_for_this_machine_only(tmp_path: Path) -> None:
    assert load_charter(_charter(tmp_path, GOOD.replace("https://acme.example", "http://127.0.0.1:8080")))
    for address in ("http://acme.example", "http://127.0.0.1.evil.example", "http://localhost@evil.example"):
        assert "must be https" in _problems(tmp_path, GOOD.replace("https://acme.example", address))[0]


def test_broken_yaml_names_its_line(tmp_path: Path) -> None:
    assert _problems(tmp_path, GOOD + "people: {")[0].startswith("charter.yaml:17:")


def test_secrets_resolve_by_reference_and_never_show(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123\n", encoding="utf-8")
    secret = resolve("file:token", directory=tmp_path, environment={})
    assert secret.reveal() == "0123"
    assert "0123" not in f"{secret} {secret!r} {[secret]}"
    assert isinstance(resolve("env:A", directory=tmp_path, environment={"A": "x"}), Secret)
    for reference in ("env:MISSING", "file:missing"):
        with pytest.raises(ConfigurationError, match=r"MISSING|missing"):
            resolve(reference, directory=tmp_path, environment={})


def test_settings_resolve_paths_against_their_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hub.yaml").write_text("database: sqlite:///../hub.sqlite\n", encoding="utf-8")
    settings = Settings.load(tmp_path)
    assert settings.database == f"sqlite:///{tmp_path.parent / 'hub.sqlite'}"
    monkeypatch.setenv("HUB_CONFIG", str(tmp_path))
    assert Settings.load() == settings
    with pytest.raises(ConfigurationError, match=r"no hub\.yaml"):
        Settings.load(tmp_path / "nowhere")
