"""A secret that is good once: used and replaced in its file, by one process at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hub.errors import ConfigurationError


def replace_kept(place: Path, use: Callable[[str], str]) -> None:
    """Hand the text of the file to `use` and put what it returns in the file's place, readable by the owner only.

    Whoever comes meanwhile, from this or another process, waits and is handed the new text. Room for the new
    text is made before `use` is called: a directory that cannot be written must not cost the only valid token.
    When `use` raises, the file stays as it was. Raises ConfigurationError when the file cannot be read or replaced.
    """
    path = place.resolve()  # a link stays a link
    with _alone(path):
        try:
            held = path.read_text(encoding="utf-8").rstrip("\r\n")
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 600
        except OSError as error:
            raise _unwritable(path, error) from None
        room = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                new = use(held)
                _store(file, new, room, path)
        finally:
            room.unlink(missing_ok=True)


def _store(file: IO[str], text: str, room: Path, path: Path) -> None:
    try:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
        room.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        # The file stays: deleting it would let a third process lock another file of the same name.
        os.close(lock)


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"the token file {path.name} cannot be replaced: {error.strerror}",
        hint="the hub must be able to read the file and to write its directory, since every use replaces the token",
    )
