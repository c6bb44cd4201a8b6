"""Secrets by reference: the charter holds `env:NAME` or `file:path`, never the secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from hub.errors import ConfigurationError


def _is_reference(value: str) -> str:
    kind, _, rest = value.partition(":")
    if kind not in {"env", "file"} or not rest:
        msg = "must be a reference, env:NAME or file:path; a secret itself does not belong here"
        raise ValueError(msg)
    return value


SecretReference = Annotated[str, AfterValidator(_is_reference)]


class Secret:
    """A resolved secret that never shows itself; `reveal()` is called where it is sent.

    `place` is the file it was read from (None: it came from elsewhere), for secrets that are replaced when used.
    """

    __slots__ = ("_value", "place")

    def __init__(self, value: str, *, place: Path | None = None) -> None:
        self._value = value
        self.place = place

    def reveal(self) -> str:
        """The secret text."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def resolve(reference: str, *, directory: Path, environment: Mapping[str, str]) -> Secret:
    """The secret a reference points to; files are relative to the charter's directory.

    Raises ConfigurationError that names the reference, never the value.
    """
    kind, _, rest = reference.partition(":")
    if kind == "env":
        if rest not in environment:
            raise ConfigurationError(f"{reference} is not set", hint=f"export {rest} before starting the hub")
        return Secret(environment[rest])
    path = directory / rest
    try:
        return Secret(path.read_text(encoding="utf-8").rstrip("\r\n"), place=path)
    except OSError as error:
        raise ConfigurationError(
            f"{reference} cannot be read: {error.strerror}", hint="create the file, readable by the hub only"
        ) from None
