"""A picture of unknown origin, decoded once and written again as a small upright JPEG.

What is stored and sent to browsers is never what came: no EXIF (where and with what it was taken), no second picture
behind the first, no bytes that only pretend to be a picture. The size in pixels is read from the head before anything
is unpacked, so that a small file that promises a huge picture costs nothing.
"""

from __future__ import annotations

import struct
from io import BytesIO

from PIL import Image, ImageOps

from app.domain.photos import Fault

# The largest picture of a person that a door needs: 480 × 640 is sharp in a panel and ≈ 40 KB.
BOX = (480, 640)
QUALITY = 85
MOST_BYTES = 20 * 1024 * 1024
# A telephone's 50 megapixels still; what is beyond is a mistake or an attack. Only a JPEG is unpacked at a fraction of
# its size: anything else is held whole, four times over.
MOST_PIXELS, MOST_HELD = 60_000_000, 16_000_000
LEAST_SIDE = 64
CONTENT_TYPE = "image/jpeg"
_FORMATS = ("JPEG", "PNG", "WEBP")
_WHITE = (255, 255, 255)


class NotAPortrait(Exception):  # noqa: N818 -- a finding about a file, kept in the report
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


def is_picture(head: bytes) -> bool:
    """Whether the first bytes are those of a JPEG, PNG or WebP, whatever the file is called."""
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def portrait(body: bytes) -> bytes:
    """The JPEG that is stored. Raises NotAPortrait."""
    if len(body) > MOST_BYTES:
        raise NotAPortrait("large")
    if not is_picture(body):
        raise NotAPortrait("type")
    try:
        return _small(body)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAPortrait("pixels") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, OverflowError):
        # Decoders raise whatever the damage makes them stumble over.
        raise NotAPortrait("damaged") from None


def _small(body: bytes) -> bytes:
    with Image.open(BytesIO(body), formats=_FORMATS) as opened:
        width, height = opened.size
        if width * height > (MOST_PIXELS if opened.format == "JPEG" else MOST_HELD):
            raise NotAPortrait("pixels")
        if min(width, height) < LEAST_SIDE:
            raise NotAPortrait("small")
        # A JPEG is unpacked at a fraction of its size where that is enough: twice the box, to be sharp either way up.
        opened.draft("RGB", (2 * BOX[1], 2 * BOX[1]))
        upright = ImageOps.exif_transpose(opened)
        plain = _opaque(upright)
    plain.thumbnail(BOX, Image.Resampling.LANCZOS)
    out = BytesIO()
    plain.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _opaque(picture: Image.Image) -> Image.Image:
    """RGB pixels and nothing else: on white where the picture is transparent."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        ground = Image.new("RGB", seen.size, _WHITE)
        ground.paste(seen, mask=seen.getchannel("A"))
        return ground
    rgb = picture.convert("RGB")
    bare = Image.new("RGB", rgb.size)
    bare.paste(rgb)
    return bare
