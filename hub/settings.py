"""Settings: where the database, the charter and the artifacts are (`hub.yaml`)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from hub.charter.load import load_model
from hub.errors import ConfigurationError

FILE = "hub.yaml"
VARIABLE = "HUB_CONFIG"


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    database: str = "sqlite:///hub.sqlite"
    charter: str = "charter.yaml"
    artifacts: str = "artifacts"
    report_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Resolved settings. `database` is an SQLAlchemy URL; paths are absolute.

    `report_url` is the http(s) address under which `artifacts` is served, when it is.
    """

    directory: Path
    database: str
    charter: Path
    artifacts: Path
    report_url: str | None = None

    @classmethod
    def load(cls, directory: Path | None = None) -> Settings:
        """Settings from `hub.yaml` in `directory`, else in $HUB_CONFIG, else in the current directory.

        `database: env:NAME` takes the URL from the environment. Raises ConfigurationError.
        """
        chosen = (directory or Path(os.environ.get(VARIABLE, "."))).resolve()
        path = chosen / FILE
        if not path.is_file():
            raise ConfigurationError(
                f"no {FILE} in {chosen}",
                hint=f"pass --config DIR or set {VARIABLE}; `hub sandbox up` writes a working example",
            )
        file = load_model(path, _File, what="settings")
        return cls(
            directory=chosen,
            database=_database(file.database, chosen),
            charter=(chosen / file.charter).resolve(),
            artifacts=(chosen / file.artifacts).resolve(),
            report_url=file.report_url,
        )


def _database(url: str, directory: Path) -> str:
    if url.startswith("env:"):
        name = url.removeprefix("env:")
        if name not in os.environ:
            raise ConfigurationError(f"database: {url} is not set", hint=f"export {name} with the database URL")
        url = os.environ[name]
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return prefix + str((directory / url.removeprefix(prefix)).resolve())
    return url
