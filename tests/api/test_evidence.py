"""Evidence over HTTP: what is kept, what is refused, and who may open it before it is attached to anything."""

from __future__ import annotations

import asyncio
import hashlib
import secrets

import pytest
from sqlalchemy import text

from tests.candidates import SECRET, running
from tests.factories import world
from tests.staff import Staff, signed_in

JPEG = b"\xff\xd8\xff\xe0" + secrets.token_bytes(3000)


async def send(staff: Staff, session: int, body: bytes, name: str = "走廊.jpg", key: str | None = None):
    headers = {**staff.headers, "Idempotency-Key": key or secrets.token_hex(8), "Content-Type": "text/html"}
    return await staff.client.post(
        "/staff/evidence", params={"session": session, "name": name}, content=body, headers=headers
    )


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    made = await world(fresh_db, SECRET.encode(), candidates=1, items=1)
    limits = {"max_evidence_bytes": 300_000, "max_evidence_total_bytes": 310_000}
    async with running(fresh_url, redis_url, **limits) as (_, client):
        yield made, client


async def test_a_photo_is_kept_as_it_came_and_opened_by_its_sender_only(hall, fresh_db):
    made, client = hall
    staff = await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])
    office = await signed_in(client, fresh_db, "office")
    # Larger than any other request may be: a photo is.
    body = JPEG + bytes(280_000)
    first = await send(staff, made.session_id, body, key="k1")
    assert first.status_code == 200, first.text
    told = first.json()["evidence"]
    assert told == {
        "id": told["id"], "name": "走廊.jpg", "content_type": "image/jpeg", "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    # The reply was lost: sent again it is the same file, and another file under the same key is a mistake.
    assert (await send(staff, made.session_id, body, key="k1")).json() == first.json()
    assert (await send(staff, made.session_id, JPEG, key="k1")).json()["code"] == "idempotency-mismatch"
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM evidence_file")) == 1
        subject = await conn.scalar(text("SELECT subject FROM audit_entry WHERE action = 'evidence.keep'"))
    assert (subject["sha256"], subject["evidence"]) == (told["sha256"], told["id"])

    opened = await staff.get(f"/evidence/{told['id']}")
    assert (opened.content, opened.headers["content-type"]) == (body, "image/jpeg")
    assert opened.headers["x-content-type-options"] == "nosniff"
    assert opened.headers["content-disposition"] == "inline; filename*=UTF-8''%E8%B5%B0%E5%BB%8A.jpg"
    assert (await office.get(f"/evidence/{told['id']}")).json()["code"] == "not-permitted"
    assert (await office.get("/evidence/999")).status_code == 404

    page = await send(staff, made.session_id, b"<script>alert(1)</script>", "x.html")
    opened = await staff.get(f"/evidence/{page.json()['evidence']['id']}")
    assert opened.headers["content-type"] == "text/plain; charset=utf-8"
    assert opened.headers["content-disposition"] == "attachment; filename*=UTF-8''x.html.txt"


async def test_what_is_no_evidence_is_refused(hall, fresh_db):
    made, client = hall
    staff = await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])
    inspector = await signed_in(client, fresh_db, "inspector")
    for body, code in (
        (b"MZ\x90\x00\x03\x00", "evidence-type"),
        (b"", "evidence-empty"),
        (JPEG + bytes(300_000), "body-too-large"),
    ):
        reply = await send(staff, made.session_id, body)
        assert reply.json()["code"] == code, reply.text
    assert (await send(staff, 2**60, JPEG)).json()["code"] == "not-found"
    elsewhere = await signed_in(client, fresh_db, "invigilator")
    for stranger in (inspector, elsewhere):
        assert (await send(stranger, made.session_id, JPEG)).json()["code"] == "not-permitted"

    async def unsized():
        for _ in range(40):
            yield JPEG * 3

    # A body that does not say its length is counted as it is read.
    assert (await send(staff, made.session_id, unsized())).json()["code"] == "body-too-large"
    async with fresh_db.connect() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM evidence_file")) == 0


async def test_an_exam_keeps_so_much_and_not_more(hall, fresh_db):
    made, client = hall
    staff = await signed_in(client, fresh_db, "invigilator", room_ids=[made.room_id])
    largest = JPEG + bytes(200_000)
    replies = await asyncio.gather(*(send(staff, made.session_id, largest) for _ in range(2)))
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    assert [reply.json().get("code") for reply in replies if reply.status_code == 409] == ["evidence-full"]
    assert (await send(staff, made.session_id, JPEG)).status_code == 200
