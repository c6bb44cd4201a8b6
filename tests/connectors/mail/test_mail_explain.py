"""`hub mail explain`: statements with their place, and a sender who is never believed by default."""

from __future__ import annotations

from connectors.mail.explain import explain

RESULT = "Authentication-Results: mx.hub.example; dmarc={} header.from=acme.example"


def test_statements_come_with_words_and_offsets(mail):
    told = explain(mail("The brief is final, see ACME-12.\nOwner: Grace <grace@acme.example>\n"))
    (stated,) = told.statements
    assert (stated.field, stated.value) == ("owner", "grace@acme.example")
    assert told.fresh[stated.start : stated.end] == stated.span == "Owner: Grace <grace@acme.example>"
    assert told.references == ("ACME-12",)
    assert (told.sender, told.verdict) == ("ada@acme.example", "unverified")


def test_only_the_trusted_servers_result_for_the_senders_domain_is_believed(mail):
    def verdict(headers: str, trusted: str | None = "mx.hub.example") -> str:
        return explain(mail("x", headers=headers), trusted=trusted).verdict

    assert verdict(RESULT.format("pass")) == "aligned"
    assert verdict(RESULT.format("pass"), trusted=None) == "unverified"
    assert verdict(RESULT.format("pass"), trusted="mx.other.example") == "unverified"
    assert verdict(RESULT.format("fail")) == "unverified"
    assert verdict(RESULT.format("fail") + "; dkim=pass header.d=acme.example") == "unverified"
    assert verdict(RESULT.format("pass").replace("acme.example", "evil.example")) == "unverified"
    assert verdict("Authentication-Results: mx.hub.example; dkim=pass header.d=acme.example") == "aligned"
    # the first header of the server decides: a forged one below it is older
    assert verdict(RESULT.format("fail") + "\r\n" + RESULT.format("pass")) == "unverified"


def test_a_mail_that_cannot_be_read_and_an_automatic_one_say_so(mail):
    assert explain(b"no headers").note == "quarantined: not exactly one From header"
    automatic = explain(mail("Approved", headers="Auto-Submitted: auto-replied"))
    assert automatic.statements == ()
    assert "auto-reply" in automatic.note
