"""What does it cost to compress a socket's frames? Memory, so only while something is being sent."""

from collections.abc import Sequence
from typing import Any

from autobahn.websocket.compress import (
    PerMessageDeflate,
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
)

# What an answer's frames repeat lies within the last few of them: against zlib's defaults (256 KiB for
# each socket) this is a fourth of the memory for a fourth more bytes.
WINDOW_BITS = 13
MEMORY_LEVEL = 6
# A page says `{"received": 17}`; nothing that it said before makes that any smaller.
PAGE_WINDOW_BITS = 9
# A page that is opened is sent one or two; those of an answer are many.
FRAMES_WITHOUT_CONTEXT = 2


def accept(offers: Sequence[Any]) -> PerMessageDeflateOfferAccept | None:
    """As browsers offer it: `permessage-deflate; client_max_window_bits`."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(
                offer,
                request_no_context_takeover=True,
                request_max_window_bits=PAGE_WINDOW_BITS if offer.accept_max_window_bits else 0,
                window_bits=min(WINDOW_BITS, offer.request_max_window_bits or WINDOW_BITS),
                mem_level=MEMORY_LEVEL,
            )
    return None


class Deflate(PerMessageDeflate):
    """Holds nothing while it rests, though the context is taken over from frame to frame."""

    _compressor: Any
    _frames = 0

    @classmethod
    def like(cls, other: PerMessageDeflate) -> "Deflate":
        return cls(
            True,
            other.server_no_context_takeover,
            other.client_no_context_takeover,
            other.server_max_window_bits,
            other.client_max_window_bits,
            other.mem_level,
        )

    def compress(self, payload: bytes) -> bytes:
        self.start_compress_message()
        compressed = bytes(self._compressor.compress(payload) + self.end_compress_message())
        self._frames += 1
        if self._frames <= FRAMES_WITHOUT_CONTEXT:
            self._compressor = None
        return compressed

    def rest(self) -> None:
        """The next frame begins a new context; whoever reads it cannot tell."""
        self._compressor = None
        self._frames = 0

    def end_decompress_message(self) -> None:
        super().end_decompress_message()
        self._decompressor = None
