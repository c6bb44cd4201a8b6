"""The mail connector keeps the promises of every connector."""

from __future__ import annotations

from datetime import timedelta

import pytest
from contract import NOW, WRONG_SECRET, Bench, ConnectorContract, observations, pulled

from connectors.mail import connector as module
from hub.charter.secret import Secret
from hub.errors import SourceBroken, SourceUnavailable


class TestMail(ConnectorContract):
    @pytest.fixture
    def bench(self, folder, mail, post, monkeypatch):
        monkeypatch.setattr(module, "BATCH", 2)
        smtp = {"smtp_host": "127.0.0.1", "smtp_port": post.port}
        for n in range(5):
            text = f"news {n} about ACME-{n}\nOwner: Grace <grace@acme.example>\n"
            text += "Approval requested from bob@acme.example\n"
            folder.add(mail(text, id=f"{n}@acme.example", date=NOW - timedelta(hours=n)), NOW)
        folder.add(
            mail("Approved\n", id="a@acme.example", references="<0@acme.example>", sender="bob@acme.example"), NOW
        )

        def spoil():
            folder.add(b"From: nobody\r\nMessage-ID: <bad@acme.example>\r\n\r\nx")
            return f"messages:{folder.name}", "bad@acme.example"

        return Bench(
            connect=lambda: folder.connector(**smtp),
            with_wrong_secret=lambda: module.connect("ops_mail", folder.source(**smtp), lambda _: Secret(WRONG_SECRET)),
            spoil=spoil,
            writes=lambda: post.envelopes,
            idle_calls=3,
        )

    def test_accounts_come_first_and_something_is_said_about_items(self, bench):
        # a mailbox has no directory: accounts are met in the messages, in the only stream there is
        seen = observations(pulled(bench.connect()))
        assert {o.entity for o in seen} == {"account", "item"}
        assert {o.record for o in seen if o.entity == "account"} >= {"grace@acme.example", "bob@acme.example"}

    def test_a_sick_service_is_one_clear_error(self, folder, line):
        # IMAP has no HTML and no JSON to cut: the server's greeting is wrong, or nobody answers
        connector = folder.connector(port=line.port)
        assert list(connector.pull(connector.streams()[0], None, now=NOW)) == []
        line.html = True
        with pytest.raises((SourceBroken, SourceUnavailable), match="connecting") as raised:
            pulled(connector)
        assert "\n" not in raised.value.message
        line.cut()
        with pytest.raises(SourceUnavailable, match="connection lost"):
            pulled(connector)
