from __future__ import annotations

import pytest

from app.domain.evidence import GB18030, LONGEST_NAME, UTF8, kind_of, pixels, plain_name

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (PNG, "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7\n\x00\x01", "application/pdf"),
        ("09:12 断电，窗外打雷𠮷".encode(), UTF8),
        ("09:12 断电".encode("gb18030"), GB18030),
        (b"", UTF8),
        (b"MZ\x90\x00\x03", None),
        (b"\x7fELF\x02\x01", None),
        (b"PK\x03\x04", None),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"text with a NUL\x00", None),
        (b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff", None),
        (b"\xff\xfe\xfd\xfc" * 40, None),
    ],
)
def test_a_file_is_what_its_bytes_say(body, kind):
    assert kind_of(body) == kind


@pytest.mark.parametrize(
    ("name", "kind", "plain"),
    [
        ("IMG_1.JPG", "image/jpeg", "IMG_1.JPG"),
        ("photo.exe", "image/jpeg", "photo.exe.jpg"),
        ("../../etc/passwd", UTF8, "passwd.txt"),
        ("C:\\照片\\走廊.png", "image/png", "走廊.png"),
        ("a\r\nb\u202e.pdf", "application/pdf", "ab.pdf"),
        ("", UTF8, "evidence.txt"),
    ],
)
def test_a_name_is_plain_and_ends_as_its_kind_does(name, kind, plain):
    assert plain_name(name, kind) == plain


def test_a_name_is_never_longer_than_it_may_be():
    for name in ("x" * 300, "x" * 300 + ".png", "x." + "png" * 100):
        assert len(plain_name(name, "image/png")) <= LONGEST_NAME


def test_a_picture_tells_its_size_and_a_damaged_one_does_not():
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4) + (480).to_bytes(4)
    frame = b"\xff\xc2\x00\x11\x08" + (3000).to_bytes(2) + (4000).to_bytes(2) + bytes(10)
    jpeg = b"\xff\xd8\xff\xe1\x00\x08Exif\x00\x00" + b"\xff\xc4\x00\x04\x00\x00" + frame
    assert pixels(png, "image/png") == (640, 480)
    assert pixels(jpeg, "image/jpeg") == (4000, 3000)
    for body, kind in (
        (png[:20], "image/png"), (jpeg[:24], "image/jpeg"), (b"\xff\xd8\xff\xe0\x00\x00" * 3, "image/jpeg"),
        (b"%PDF-1.7", "application/pdf"),
    ):  # fmt: skip
        assert pixels(body, kind) is None
