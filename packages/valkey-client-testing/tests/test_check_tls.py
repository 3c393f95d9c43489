"""The check of a server's TLS, on real handshakes."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from valkey_client import Endpoint
from valkey_client_testing.check import Violation
from valkey_client_testing.check.harness import Account
from valkey_client_testing.check.provider import tls


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path = folder / f"{name}.pem"
    path.write_bytes(private + signed.public_bytes(pem))
    return path


@contextlib.contextmanager
def server(chain: Path | None) -> Generator[Endpoint]:
    """A server for one connection, without TLS if there is no certificate."""

    def answer() -> None:
        connection, _ = listener.accept()
        with contextlib.suppress(OSError), connection:
            if chain is None:
                connection.recv(100)
                connection.sendall(b"-ERR Protocol error\r\n")
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain)
            with context.wrap_socket(connection, server_side=True):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield Endpoint("127.0.0.1", listener.getsockname()[1])
        thread.join(10)


def account(ca: str) -> Account:
    return Account("app:*", "u", "p", (), (), (), "primary", tls=True, tls_ca=ca)


@pytest.mark.parametrize(
    ("serves", "trusts", "message"),
    [
        ("one", "one", ""),
        ("one", "another", "tls-ca does not verify it: self-signed certificate"),
        (None, "one", "it does not use TLS, though tls is true"),
    ],
)
def test_only_tls_ca_verifies_a_server(
    serves: str | None, trusts: str, message: str, tmp_path: Path
) -> None:
    files = {name: certificate(tmp_path, name) for name in ("one", "another")}
    context = tls._context(account(files[trusts].read_text()))
    with server(files[serves] if serves else None) as endpoint:
        error = tls._handshake_error(context, endpoint)
    assert error.startswith(message)
    assert bool(error) == bool(message)


def test_tls_ca_that_is_not_a_certificate_is_a_violation() -> None:
    with pytest.raises(Violation, match="tls-ca is not a certificate"):
        tls._context(account("-----BEGIN NOTHING-----"))
