"""Candidates' photos over HTTP and by command: all of them or none, and shown to whoever receives the person."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import threading
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import text

from app.api import photos
from app.domain.checkpoints import RecordAway
from app.importers.photos import Found
from app.services import staff_requests
from app.storage.postgres.exams import Exam
from tests.candidates import SECRET, Candidate
from tests.commands import process
from tests.doors import hall
from tests.importers.test_photos import drawn, packed
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR = 3_600_000


async def bring(office, made, archive: bytes, **asked) -> list[dict]:
    """The lines of the reply, or the refusal."""
    reply = await office.client.post(
        "/staff/photos",
        params={"exam": made.exam_id, **asked},
        content=archive,
        headers={**office.headers, "Idempotency-Key": secrets.token_hex(8)},
    )
    if reply.status_code != 200:
        return [{"refused": reply.json()}]
    return [json.loads(line) for line in reply.text.splitlines()]


async def number_of(hall, person) -> str:
    return await hall.sql("SELECT id_number FROM candidate WHERE id = :c", c=person.candidate_id)


async def _away(*_, **__):
    raise RecordAway("not on the standby")


async def stored(hall, made) -> int:
    return await hall.sql(
        "SELECT count(*) FROM candidate_photo p JOIN candidate c ON c.id = p.candidate_id WHERE c.exam_id = :e",
        e=made.exam_id,
    )


async def test_an_archive_is_brought_in_whole_told_and_audited_without_a_number(hall):
    made, _, _ = await hall.at(HOUR)
    office = await signed_in(hall.client, hall.engine, "office")
    one, two, three = made.people
    number = await number_of(hall, two)
    first, second = drawn(), drawn("PNG", (300, 400))
    files = {f"a/{one.ticket}.jpg": first, f"a/{number}.png": second, "a/没有这个人.jpg": first, "a/说明.txt": b"hi"}

    looked = await bring(office, made, packed(files).getvalue(), dry_run=True)
    assert looked[0] == {"done": 4, "total": 4} or looked[0]["total"] == 4
    assert (looked[-1]["report"]["state"], await stored(hall, made)) == ("would-import", 0)
    report = (await bring(office, made, packed(files).getvalue()))[-1]["report"]
    assert (report["state"], report["files"], report["matched"], report["added"]) == ("imported", 4, 2, 2)
    assert sorted(report["unmatched"]) == ["a/没有这个人.jpg", "a/说明.txt"]
    assert [one["ticket"] for one in report["missing"]] == [three.ticket]
    assert await stored(hall, made) == 2

    again = (await bring(office, made, packed({**files, f"{one.ticket}.jpg": drawn(size=(500, 500))}).getvalue()))[-1]
    assert again["report"]["state"] == "faulty"
    assert [fault["fault"] for fault in again["report"]["faults"]] == ["double"]
    same = (await bring(office, made, packed(files).getvalue()))[-1]["report"]
    assert (same["state"], same["same"]) == ("unchanged", 2)
    other = (await bring(office, made, packed({f"{one.ticket}.jpg": second}).getvalue()))[-1]["report"]
    assert (other["state"], other["replaced"]) == ("imported", [one.ticket])

    async with hall.engine.connect() as conn:
        rows = await conn.execute(text("SELECT subject FROM audit_entry WHERE action = 'photos.imported' ORDER BY n"))
        entries = [row.subject for row in rows]
    assert [(entry["added"], entry["replaced"], entry["missing"]) for entry in entries] == [(2, 0, 1), (0, 1, 1)]
    assert entries[1]["tickets"] == [one.ticket]
    whole = json.dumps([entries, looked, report, same], ensure_ascii=False)
    assert number not in whole
    assert number not in str(await hall.sql("SELECT array_agg(name) FROM candidate_photo"))
    told = (await office.get("/photos", exam=made.exam_id)).json()
    assert (told["people"], [one["ticket"] for one in told["missing"]]) == (3, [three.ticket])


async def test_one_faulty_file_keeps_all_out_unless_it_is_to_be_skipped(hall, monkeypatch):
    made, _, _ = await hall.at(HOUR)
    office = await signed_in(hall.client, hall.engine, "office")
    one, two, _ = made.people
    archive = packed({f"{one.ticket}.jpg": drawn(), f"{two.ticket}.jpg": drawn()[:900]}).getvalue()
    (told,) = [line["report"] for line in await bring(office, made, archive) if "report" in line]
    assert (told["state"], told["faults"][0]["ticket"], told["faults"][0]["fault"]) == ("faulty", two.ticket, "damaged")
    assert (await stored(hall, made), len(told["missing"]), told["people"]) == (0, 3, 3)
    skipped = (await bring(office, made, archive, skip_faulty=True))[-1]["report"]
    assert (skipped["state"], skipped["added"], await stored(hall, made)) == ("imported", 1, 1)
    refused = await bring(office, made, b"%PDF-1.7")
    assert (refused[0]["refused"]["status"], refused[0]["refused"]["code"]) == (422, "photos-not-an-archive")
    # The turn was given back by the one that was refused. A fault at the end, when the status has long been sent, is
    # the last line, and nothing was stored.
    with monkeypatch.context() as patched:
        patched.setattr(staff_requests, "once", _away)
        last = (await bring(office, made, packed({f"{two.ticket}.jpg": drawn()}).getvalue()))[-1]
    assert (last["refused"]["code"], await stored(hall, made)) == ("record-away", 1)
    assert (await bring(office, made, archive, skip_faulty=True))[-1]["report"]["state"] == "unchanged"


class Slow:
    """Three files, of which the second is there when the test says so."""

    name = "a.zip"

    def __init__(self) -> None:
        self.read, self.gate = 0, threading.Event()

    def __len__(self) -> int:
        return 3

    def __iter__(self):
        for n in range(3):
            if n:
                assert self.gate.wait(60)
            self.read += 1
            yield Found(f"{n}.txt", b"")


async def test_an_import_that_is_stopped_reads_no_further_and_gives_its_turn_back():
    source, out = Slow(), BytesIO()
    exam = Exam(1, "e", "e", "UTC", is_demo=False)
    work = photos._Work(None, None, "k", exam, [], source, out, dry_run=False, skip_faulty=False)
    await photos._turn.acquire()
    lines = work.lines()
    assert json.loads(await anext(lines))["total"] == 3
    stopping = asyncio.ensure_future(lines.aclose())
    while not work._given_up:
        await asyncio.sleep(0)
    source.gate.set()
    await stopping
    assert (source.read, out.closed, photos._turn.locked()) == (2, True, False)


async def test_a_photo_is_seen_by_the_room_the_office_and_the_person_and_by_nobody_else(hall):
    made, member, _ = await hall.at(HOUR // 60)
    office = await signed_in(hall.client, hall.engine, "office")
    elsewhere = await signed_in(hall.client, hall.engine, "chief")
    inspector = await signed_in(hall.client, hall.engine, "inspector")
    one, two, _ = made.people
    await bring(office, made, packed({f"{one.ticket}.jpg": drawn()}).getvalue())
    path = f"/candidates/{one.ticket}/photo"
    seen = await member.get(path, session=made.session_id)
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert seen.headers["cache-control"] == "private, no-cache"
    assert seen.headers["x-content-type-options"] == "nosniff"
    with Image.open(BytesIO(seen.content)) as picture:
        assert picture.size == (427, 640)
    headers = {**member.headers, "If-None-Match": seen.headers["etag"]}
    known = await hall.client.get(f"/staff{path}", params={"session": made.session_id}, headers=headers)
    assert (known.status_code, known.content) == (304, b"")
    assert (await office.get(path, session=made.session_id)).status_code == 200
    for other in (elsewhere, inspector):
        refused = await other.get(path, session=made.session_id)
        assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")
    without = await member.get(f"/candidates/{two.ticket}/photo", session=made.session_id)
    assert (without.status_code, without.content) == (204, b"")
    unknown = await member.get("/candidates/NOBODY/photo", session=made.session_id)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not-found")

    await hall.sql("UPDATE session SET sign_in_opens_ms = :h WHERE id = :s", h=HOUR, s=made.session_id)
    candidate, neighbour = Candidate(hall.client, one), Candidate(hall.client, two)
    assert (await candidate.sign_in()).status_code == 200
    assert (await neighbour.sign_in()).status_code == 200
    own = await hall.client.get("/attempt/photo", headers=candidate.headers)
    assert (own.status_code, own.content, own.headers["etag"]) == (200, seen.content, seen.headers["etag"])
    assert (await hall.client.get("/attempt/photo", headers=neighbour.headers)).status_code == 204
    assert (await hall.client.get("/attempt/photo", headers=member.headers)).json()["code"] == "bad-token"
    # Moved elsewhere, the old PC shows nobody's face.
    await hall.sql("UPDATE attempt SET epoch = epoch + 1 WHERE id = :a", a=one.attempt)
    assert (await hall.client.get("/attempt/photo", headers=candidate.headers)).json()["code"] == "superseded"


async def test_the_command_reads_a_folder_and_says_who_is_missing(hall, tmp_path):
    made, _, _ = await hall.at(HOUR)
    code = await hall.sql("SELECT code FROM exam WHERE id = :e", e=made.exam_id)
    folder = tmp_path / "照片"
    folder.mkdir()
    (folder / f"{made.people[0].ticket}.jpg").write_bytes(drawn())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    url = hall.engine.url.render_as_string(hide_password=False).replace("postgresql+asyncpg", "postgresql")
    environment |= {
        "HOLDFAST_DATABASE_URL": url, "HOLDFAST_SECRET_KEY": SECRET, "PYTHONPATH": str(Path.cwd()),
        "HOLDFAST_DATA_DIR": str(tmp_path / "data"),
    }  # fmt: skip

    async def run(*arguments: str):
        return await asyncio.to_thread(process.holdfast, "photos", *arguments, environment=environment, cwd=tmp_path)

    looked = await run("import", "照片", "--exam", code, "--dry-run")
    assert (looked.returncode, await stored(hall, made)) == (0, 0), looked.stderr
    (folder / f"{made.people[1].ticket}.bmp").write_bytes(b"BM not a photo")
    faulty = await run("import", "照片", "--exam", code)
    assert (faulty.returncode, "[photos-faulty]" in faulty.stderr, await stored(hall, made)) == (1, True, 0)
    assert f"{made.people[1].ticket}.bmp: 不是 JPEG" in faulty.stdout
    done = await run("import", "照片", "--exam", code, "--skip-faulty")
    assert (done.returncode, "已导入照片" in done.stdout, await stored(hall, made)) == (0, True, 1), done.stderr
    missing = await run("missing", "--exam", code, "--json")
    assert [one["ticket"] for one in json.loads(missing.stdout)] == [person.ticket for person in made.people[1:]]
