"""What trickles is read a few pieces at a time, over https too, and nothing waits for the next look."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.upstream.scripted import SECRET
from webchat.upstream import pools
from webchat.upstream.client import UpstreamClient
from webchat.upstream.pools import close_pools
from webchat.upstream.wire import ChatRequest, Delta, Message

PIECES = 100
SECONDS_BETWEEN = 0.01


@pytest.fixture(params=["http", "https"])
async def address(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """Of a server that writes every piece by itself; with TLS, that is a record for each."""
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
        pools._tls.cache_clear()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield f"{request.param}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await close_pools()
    server.close()
    pools._tls.cache_clear()


def certificate(folder: Path) -> Path:
    file = folder / "own.pem"
    if not file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upstream")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    for number in range(PIECES):
        choice = {"index": 0, "delta": {"content": f"{number} "}}
        writer.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
        await writer.drain()
        await asyncio.sleep(SECONDS_BETWEEN)
    writer.write(b"data: [DONE]\n\n")
    await writer.drain()
    writer.close()


async def test_pieces_fold_without_falling_behind(address: str) -> None:
    request = ChatRequest(model="m", messages=[Message("user", "Count")], stream=True)
    async with aclosing(UpstreamClient(address, SECRET).chat(request)) as arriving:
        texts = [event.text async for event in arriving if isinstance(event, Delta)]
    assert "".join(texts) == "".join(f"{number} " for number in range(PIECES))
    # Looked at every 40 ms or seldomer, and each time at all that has come.
    assert len(texts) < PIECES * 0.7
