"""Certificates are checked, whoever asks for less. Against a TLS server with an authority of its own."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import TypeAdapter, ValidationError

from connectors.registry import connect
from connectors.transport import session
from hub.charter.secret import Secret
from hub.charter.sources import Source
from hub.errors import ConfigurationError, SourceRefused


class Fine(BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked += 1
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"id": "https://x/005", "access_token": "t", "instance_url": "https://acme.salesforce.com"}')

    do_POST = do_GET  # noqa: N815  (the name http.server looks for)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = tmp_path / "key.pem"
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem, secret)
    made = ThreadingHTTPServer(("127.0.0.1", 0), Fine)
    made.asked = 0
    made.socket = tls.wrap_socket(made.socket, server_side=True)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"127.0.0.1:{made.server_address[1]}", str(pem), made
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("options", [{}, {"verify": False}])
def test_an_unknown_authority_is_refused_at_once_even_when_told_not_to_look(server, options):
    host, _, service = server
    waits = []
    asking = session("acme", allowed_hosts=[host], sleep=waits.append)
    with pytest.raises(SourceRefused, match="not trusted"):
        asking.get(f"https://{host}/", **options)
    assert (asking.meter.calls, waits, service.asked) == (1, [], 0)


def test_a_private_authority_can_be_named(server, monkeypatch):
    host, pem, _ = server
    assert session("acme", allowed_hosts=[host], ca_file=pem).get(f"https://{host}/").status_code == 200
    # requests would let its environment variable win over a session's own setting
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    assert session("acme", allowed_hosts=[host], ca_file=pem).get(f"https://{host}/").status_code == 200


def test_a_file_without_certificates_is_a_fault_of_the_configuration(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for ca_file, reason in ((empty, "holds no certificate"), (tmp_path / "none.pem", "No such file")):
        with pytest.raises(ConfigurationError, match=reason) as raised:
            session("acme", allowed_hosts=["acme.example"], ca_file=ca_file)
        assert "absolute" in raised.value.hint


TABLE = {"table": "tbl1", "title": "fld1", "owner": "fld2"}
STATED = {
    "salesforce": (
        {"base_url": "{url}", "client_id": "hub", "client_secret": "env:S"},
        {"objects": {"Case": {"title": "Subject"}}},
    ),
    "jira": ({"server": "{url}", "email": "hub@acme.example", "token": "env:S"}, {"projects": ["OPS"]}),
    "airtable": ({"endpoint_url": "{url}", "token": "env:S"}, {"base": "app1", "items": TABLE}),
    "rest": (
        {"base_url": "{url}", "secret": "env:S"},
        {"streams": {"deals": {"path": "/deals", "title": "name", "modified": "at"}}},
    ),
}


def configured(tool, host, **more):
    connection, rest = STATED[tool]
    stated = {key: value.format(url=f"https://{host}") for key, value in connection.items()}
    writable = {} if tool == "rest" else {"writable": True}
    return TypeAdapter(Source).validate_python(
        {"tool": tool, "partner": "acme", "connection": {**stated, **more}, **rest, **writable}
    )


def writing(connector):
    """The session a connector writes through."""
    return next(each for each in vars(connector.writer).values() if isinstance(each, requests.Session))


@pytest.mark.parametrize("tool", STATED)
def test_the_charter_names_a_private_authority_for_reading_and_writing(server, tool):
    host, pem, service = server
    trusting = connect("acme", configured(tool, host, ca_file=pem), secret=lambda _: Secret("s3cret"))
    told = trusting.check()
    assert service.asked
    assert not any("not trusted" in problem.what for problem in told)
    if trusting.writer is not None:
        assert writing(trusting).get(f"https://{host}/").status_code == 200

    service.asked = 0
    wary = connect("acme", configured(tool, host), secret=lambda _: Secret("s3cret"))
    assert any("not trusted" in problem.what for problem in wary.check())
    if wary.writer is not None:
        with pytest.raises(requests.exceptions.SSLError):
            writing(wary).get(f"https://{host}/", verify=False)
    assert service.asked == 0


@pytest.mark.parametrize("tool", STATED)
@pytest.mark.parametrize("key", ["verify", "insecure", "tls"])
def test_no_setting_switches_verification_off(tool, key):
    with pytest.raises(ValidationError, match="Extra inputs"):
        configured(tool, "acme.example", **{key: False})


def test_the_file_is_named_in_full():
    with pytest.raises(ValidationError, match="absolute path"):
        configured("jira", "acme.example", ca_file="ca.pem")
