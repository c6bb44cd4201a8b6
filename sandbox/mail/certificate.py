"""A throw-away certificate, so that STARTTLS can be spoken on loopback. No client trusts it, as none should."""

from __future__ import annotations

import ssl
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from sandbox.mail.bounce import HOST


def context(at: datetime) -> ssl.SSLContext:
    """A server's TLS context whose self-signed certificate is for localhost, valid for ten years around ``at``."""
    from cryptography import x509  # a fifth of a second, for the few companies that offer STARTTLS
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1826))
        .not_valid_after(at + timedelta(days=1826))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="mail-") as directory:
        path = Path(directory) / "pair.pem"  # the library reads files only
        path.touch(mode=0o600)
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        made.load_cert_chain(path)
    return made
