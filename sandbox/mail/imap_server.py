"""The IMAP server process: pymap's in-memory mailbox on an ephemeral loopback port.

Run as ``python -m sandbox.mail.imap_server``. Reads one line of JSON (logins: password by address; port, 0: any)
from standard input, writes its port to standard output, or why it has none, and ends when standard input is closed:
it never outlives its parent.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login
from pymap.imap import IMAPServer
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import Cleartext


async def run(logins: Mapping[str, str], port: int, parent: asyncio.StreamReader) -> None:
    """Serve these people's mailboxes on 127.0.0.1 until the parent closes its end."""
    # pymap takes most settings from its own command line; these two it reads from the parsed arguments.
    arguments = Namespace(passlib_cfg=None, proxy_protocol=None)
    user, password = next(iter(logins.items()))
    config = Config(
        arguments,
        host=None,
        port=0,
        tls_enabled=False,
        demo_data=False,
        demo_user=user,
        demo_password=password,
        # Each delivery signs in; a slow hash would guard nothing, in a process that is handed the passwords.
        hash_context=Cleartext(),
    )
    config.apply_context()
    login = Login(config)
    for user, password in logins.items():
        hashed = await Passwords(config).hash_password(password)
        await Identity(user, login, None, frozenset()).set(UserMetadata(config, user, password=hashed))
    connected = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))

    async def without_delay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(ConnectionError):
            await connected(reader, writer)

    try:
        server = await asyncio.start_server(without_delay, host="127.0.0.1", port=port)
    except OSError as error:
        sys.stdout.write(f"{error.strerror}\n")
        return
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    while await parent.read(1024):
        pass


async def _main() -> None:
    loop = asyncio.get_running_loop()
    parent = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(parent), sys.stdin)
    wanted = json.loads(await parent.readline())
    await run(wanted["logins"], wanted["port"], parent)


if __name__ == "__main__":
    os.environ.setdefault("FQDN", "localhost")  # otherwise the greeting asks DNS for this machine's name
    asyncio.run(_main())
    os._exit(0)  # open connections would be waited for
