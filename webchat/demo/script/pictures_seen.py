"""What can be seen of a picture that came with a question? Its size, no more."""

import base64
import binascii
import io
import struct


def is_readable(url: str) -> bool:
    return _bytes(url) is not None


def size(url: str) -> tuple[int, int] | None:
    """Width and height in pixels, or None where that cannot be told."""
    data = _bytes(url) or b""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        return _png_size(data)
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError, ValueError):
        return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _bytes(url: str) -> bytes | None:
    head, comma, content = url.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None
