"""Frames are compressed as browsers ask for it, and a socket at rest holds nothing for it."""

import json
import os
import zlib

import pytest
from autobahn.websocket.compress import PerMessageDeflate, PerMessageDeflateOffer

from tests.edge.fortress import Fortress, Talker
from tests.edge.wire import TEXT, frame, open_socket
from webchat.edge.compression import WINDOW_BITS, Deflate, accept


def negotiated(header: str) -> tuple[str, Deflate]:
    """What is answered to an offer, and what compresses then."""
    params = {}
    for part in header.split(";")[1:]:
        name, _equals, value = part.strip().partition("=")
        params[name] = [value or True]
    accepted = accept([PerMessageDeflateOffer.parse(params)])
    return accepted.get_extension_string(), Deflate.like(
        PerMessageDeflate.create_from_offer_accept(True, accepted)
    )


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        # Chromium and Safari, Firefox, and what may come
        (
            "permessage-deflate; client_max_window_bits",
            "; client_no_context_takeover; client_max_window_bits=9",
        ),
        ("permessage-deflate", "; client_no_context_takeover"),
        (
            "permessage-deflate; server_max_window_bits=10",
            "; server_max_window_bits=10; client_no_context_takeover",
        ),
        (
            "permessage-deflate; server_no_context_takeover",
            "; server_no_context_takeover; client_no_context_takeover",
        ),
    ],
)
def test_an_offer_is_taken(offer: str, answer: str) -> None:
    assert negotiated(offer)[0] == f"permessage-deflate{answer}"


@pytest.mark.parametrize("bits", [9, WINDOW_BITS, 15])
def test_a_reader_cannot_tell_that_it_rested(bits: int) -> None:
    _answer, deflate = negotiated(f"permessage-deflate; server_max_window_bits={bits}")
    reader = zlib.decompressobj(-bits)
    for number in range(50):
        if number % 7 == 0:
            deflate.rest()
        sent = b"<p id=block-%d>%b</p>" % (number, os.urandom(50).hex().encode() * 5)
        assert reader.decompress(deflate.compress(sent) + b"\x00\x00\xff\xff") == sent


def test_what_is_like_the_frame_before_is_nearly_nothing() -> None:
    _answer, deflate = negotiated("permessage-deflate")
    frames = [f'<div hx-swap-oob="beforeend:#answer-b3">word {number}</div>'.encode() for number in range(30)]
    sizes = [len(deflate.compress(sent)) for sent in frames]
    assert sizes[0] > 40 and max(sizes[5:]) < 20


def test_at_rest_it_holds_nothing() -> None:
    _answer, deflate = negotiated("permessage-deflate")
    for _frame in range(5):
        deflate.compress(b"x" * 1000)
    assert deflate._compressor
    deflate.rest()
    assert deflate._compressor is None
    # A page that is opened is sent one frame or two.
    deflate.compress(b"x" * 1000)
    assert deflate._compressor is None


async def test_a_page_is_sent_compressed_frames_and_sends_them(portal: Fortress) -> None:
    socket = await open_socket(portal, portal.people[0])
    assert "permessage-deflate; client_no_context_takeover" in socket.head
    reader = zlib.decompressobj(-15)
    kind, payload = await socket.read_frame()
    assert kind == TEXT and b"Idle" in reader.decompress(payload + b"\x00\x00\xff\xff")
    for number in range(3):
        packer = zlib.compressobj(wbits=-9)
        note = packer.compress(json.dumps({"received": number}).encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
        await socket.send(frame(note[:-4], is_compressed=True))
    # What is not understood is answered.
    await socket.send(frame(b"what?"))
    told = b""
    while b"did not understand" not in told:
        _kind, payload = await socket.read_frame()
        told += reader.decompress(payload + b"\x00\x00\xff\xff")
    socket.close()


async def test_a_frame_may_be_longer_than_what_is_taken(talker: Talker) -> None:
    """Without compression, 200 kB at a time."""
    socket = await open_socket(talker, ("", "/once/200000"), Sec_WebSocket_Extensions="")
    assert await socket.read_frame() == (TEXT, b"x" * 200_000)
    socket.close()
