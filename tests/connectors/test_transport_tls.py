"""Certificates are checked, whoever asks for less. Against a TLS server with an authority of its own."""

import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.transport import session
from hub.errors import SourceRefused


class Fine(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

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
    made.socket = tls.wrap_socket(made.socket, server_side=True)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"127.0.0.1:{made.server_address[1]}", str(pem)
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize("options", [{}, {"verify": False}])
def test_an_unknown_authority_is_refused_at_once_even_when_told_not_to_look(server, options):
    host, _ = server
    waits = []
    asking = session("acme", allowed_hosts=[host], sleep=waits.append)
    with pytest.raises(SourceRefused, match="not trusted"):
        asking.get(f"https://{host}/", **options)
    assert (asking.meter.calls, waits) == (1, [])


def test_a_private_authority_can_be_named(server, monkeypatch):
    host, pem = server
    assert session("acme", allowed_hosts=[host], ca_file=pem).get(f"https://{host}/").status_code == 200
    # requests would let its environment variable win over a session's own setting
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    assert session("acme", allowed_hosts=[host], ca_file=pem).get(f"https://{host}/").status_code == 200
