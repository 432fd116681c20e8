"""Photos from a folder or archive: whom a file means, what of it is kept, and what is refused."""

from __future__ import annotations

import tracemalloc
import zipfile
import zlib
from io import BytesIO

import pytest
from PIL import Image

from app.domain.errors import Refused
from app.domain.photos import People, Person, shown
from app.importers import photos as archives
from app.importers.photos import Archive, Folder
from app.importers.portrait import BOX, NotAPortrait, portrait

ID = "990001197809055321"
PEOPLE = People(
    [
        Person(1, "2026-0001", "王芳", ID, None),
        Person(2, "20260002", "李四", "E12345678", None),
        Person(3, "20260003", "王芳", "99000119780905533X", None),
    ]
)


def drawn(kind: str = "JPEG", size: tuple[int, int] = (600, 900), mode: str = "RGB", **more) -> bytes:
    """A picture of nobody: two areas of colour, so that which way is up can be told."""
    picture = Image.new(mode, size, 0)
    picture.paste(Image.new(mode, (size[0], size[1] // 2), (250, 40, 40, 255)[: len(mode)]), (0, 0))
    out = BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("2026-0001.jpg", [1]),
        ("二楼/２０２６００02 李四.JPG", [2]),
        ("20260002_李四.png", [2]),
        ("王芳-99000119780905533x.jpg", [3]),
        ("e12345678.webp", [2]),
        ("2026-0001 20260002.jpg", [1, 2]),
        ("王芳.jpg", []),
        ("0001.jpg", []),
    ],
)
def test_a_file_means_whoever_has_its_ticket_or_number_and_never_a_name(name, who):
    assert [one.id for one in PEOPLE.named(name)] == who


def test_a_report_holds_no_whole_number_of_a_document():
    assert shown(f"照片/{ID}.jpg") == "照片/9900************21.jpg"
    assert "990001197809" not in shown(f"王芳{ID}.jpg")
    assert shown("20260099.jpg") == "20260099.jpg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_is_kept_is_a_small_jpeg_with_nothing_beside_its_pixels(kind):
    made = portrait(drawn(kind, (1200, 1800), icc_profile=b"x" * 5000))
    with Image.open(BytesIO(made)) as kept:
        assert (kept.format, kept.mode, kept.size) == ("JPEG", "RGB", (427, 640))
        assert "icc_profile" not in kept.info
        assert not kept.getexif()
    assert b"x" * 100 not in made


def test_a_picture_taken_on_its_side_stands_upright_and_says_nothing_of_where():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    made = portrait(drawn(size=(900, 600), exif=exif.tobytes()))
    assert b"taken at home" not in made
    with Image.open(BytesIO(made)) as kept:
        assert kept.size[1] > kept.size[0]
        right, left = kept.getpixel((kept.width - 20, 200)), kept.getpixel((20, 200))
    assert (right[0] > 200, left[0] < 60) == (True, True)


def test_a_transparent_picture_lies_on_white():
    with Image.open(BytesIO(portrait(drawn("PNG", (300, 300), "RGBA")))) as kept:
        assert min(kept.getpixel((10, 290))) > 240
        assert kept.size[0] <= BOX[0]


def test_what_is_no_sound_picture_is_refused_by_its_own_fault():
    whole = drawn()
    faults = {
        b"%PDF-1.7 and so on": "type",
        b"GIF89a" + bytes(50): "type",
        whole[: len(whole) // 2]: "damaged",
        b"\xff\xd8\xff\xe0" + bytes(500): "damaged",
        drawn(size=(40, 40)): "small",
        bytes(21 * 1024 * 1024): "large",
    }
    for body, fault in faults.items():
        with pytest.raises(NotAPortrait) as refused:
            portrait(body)
        assert refused.value.fault == fault, body[:20]


@pytest.mark.parametrize("side", [9_000, 60_000])
def test_a_small_file_that_promises_a_huge_picture_costs_nothing(side):
    # Two lines of a PNG whose head says otherwise: it is judged before a pixel of it is unpacked.
    body = bytearray(drawn("PNG", (100, 100)))
    body[16:24] = side.to_bytes(4, "big") * 2

    body[29:33] = zlib.crc32(bytes(body[12:29])).to_bytes(4, "big")
    with pytest.raises(NotAPortrait) as refused:
        portrait(bytes(body))
    assert refused.value.fault == "pixels"


def packed(members: dict[str, bytes]) -> BytesIO:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    out.seek(0)
    return out


def test_a_picture_that_would_be_held_whole_has_a_smaller_bound():
    with pytest.raises(NotAPortrait) as refused:
        portrait(drawn("PNG", (4_001, 4_000)))
    assert refused.value.fault == "pixels"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_says_less_than_it_holds_is_not_unpacked_beyond_a_photo(method, monkeypatch):
    monkeypatch.setattr(archives, "MOST_BYTES", 100_000)
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("20260002.jpg", bytes(8_000_000))
    whole = out.getvalue()
    at = whole.index(b"PK\x01\x02") + 24
    out = BytesIO(whole[:at] + (1000).to_bytes(4, "little") + whole[at + 4 :])
    tracemalloc.start()
    try:
        (found,) = Archive(out, "a.zip")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not found.body or len(found.body) <= 1000
    assert most < 2_000_000, "what it promises is not what is unpacked"


def test_an_archive_is_read_where_it_lies_and_its_litter_passed_over():
    members = {
        "a/b/c/20260002.jpg": b"1", "../../etc/2026-0001.jpg": b"2", "__MACOSX/a/._20260002.jpg": b"x",
        "Thumbs.db": b"x", "a/.DS_Store": b"x",
    }  # fmt: skip
    found = {one.path: one.body for one in Archive(packed(members), "a.zip")}
    assert found == {"a/b/c/20260002.jpg": b"1", "../../etc/2026-0001.jpg": b"2"}
    assert [one.id for one in PEOPLE.named("../../etc/2026-0001.jpg")] == [1]


def test_chinese_names_of_an_old_windows_are_read_as_they_were_written():
    name = "第一考室/20260002_李四.jpg"
    raw = packed({"0" * len(name.encode("gb18030")): b"1"}).getvalue()
    raw = raw.replace(b"0" * len(name.encode("gb18030")), name.encode("gb18030"))
    assert [one.path for one in Archive(BytesIO(raw), "a.zip")] == [name]


def test_an_archive_that_cannot_be_read_or_hides_what_it_holds_is_refused():
    with pytest.raises(Refused) as refused:
        Archive(BytesIO(b"PK\x03\x04 but nothing more"), "a.zip")
    assert refused.value.code == "photos-not-an-archive"
    # A member without any name is a file of nobody.
    nameless = packed({"Q": b"1"}).getvalue().replace(b"Q", b"\x00")
    assert [one.path for one in Archive(BytesIO(nameless), "a.zip")] == [""]
    locked = bytearray(packed({"20260002.jpg": b"1"}).getvalue())
    at = locked.index(b"PK\x01\x02")
    locked[at + 8] |= 1
    with pytest.raises(Refused) as refused:
        Archive(BytesIO(bytes(locked)), "a.zip")
    assert refused.value.code == "photos-encrypted"


def test_a_member_that_is_larger_than_a_photo_or_damaged_is_told_and_not_unpacked():
    big = packed({"20260002.jpg": bytes(21 * 1024 * 1024), "20260003.jpg": b"fine"})
    assert [(one.path, one.body) for one in Archive(big, "a.zip")] == [
        ("20260002.jpg", None),
        ("20260003.jpg", b"fine"),
    ]
    raw = bytearray(packed({"20260002.jpg": b"abcdefgh" * 9}).getvalue())
    raw[30 + len("20260002.jpg") + 4] ^= 0xFF
    assert [one.body for one in Archive(BytesIO(bytes(raw)), "a.zip")] == [b""]


def test_a_folder_is_read_with_all_below_it(tmp_path):
    (tmp_path / "南楼" / "101").mkdir(parents=True)
    (tmp_path / "南楼" / "101" / "20260002.jpg").write_bytes(b"1")
    (tmp_path / ".hidden").write_bytes(b"x")
    assert [(one.path, one.body) for one in Folder(tmp_path)] == [("南楼/101/20260002.jpg", b"1")]
