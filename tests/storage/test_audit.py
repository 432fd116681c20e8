"""The audit chain on a real database: it holds, and names the entry at which it was broken."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.storage.postgres import audit


async def _five(engine) -> None:
    for n in range(1, 6):
        async with engine.begin() as conn:
            await audit.append(
                conn, actor="张三", action="test", subject={"n": n, "文": "备1", "ok": True, "none": None}
            )


async def _verify(engine) -> int | None:
    async with engine.connect() as conn:
        return await audit.verify(conn)


async def _behind_the_back(engine, statement: str) -> None:
    async with engine.begin() as conn:
        await conn.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        await conn.execute(text(statement))
        await conn.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))


async def test_an_empty_log_verifies(fresh_db):
    assert await _verify(fresh_db) is None


async def test_entries_are_numbered_and_verify(fresh_db):
    await _five(fresh_db)
    assert await _verify(fresh_db) is None
    async with fresh_db.connect() as conn:
        assert [entry["n"] for entry in await audit.entries(conn, limit=3)] == [5, 4, 3]
        assert [entry["n"] for entry in await audit.entries(conn, before=3)] == [2, 1]


async def test_subjects_of_every_kind_survive_the_database(fresh_db):
    subject = {
        "id": uuid.uuid4(),
        "at": datetime.now(UTC),
        "big": 2**62,
        "negative": -1,
        "nested": {"b": [1, "二", None, {"z": 1, "a": 2}], "": ""},
        "quotes": "\"'\\ \n\t 𠮷 é",
    }
    async with fresh_db.begin() as conn:
        await audit.append(conn, actor="a", action="b", subject=subject, service_ms=12)
    assert await _verify(fresh_db) is None


async def test_a_float_is_refused_because_it_would_not_verify(fresh_db):
    with pytest.raises(TypeError):
        async with fresh_db.begin() as conn:
            await audit.append(conn, actor="a", action="b", subject={"x": 1.5})
    assert await _verify(fresh_db) is None


async def test_a_rolled_back_entry_leaves_no_gap(fresh_db):
    await _five(fresh_db)
    async with fresh_db.connect() as conn:
        await audit.append(conn, actor="a", action="b", subject={})
        await conn.rollback()
    await _five(fresh_db)
    assert await _verify(fresh_db) is None


async def test_many_at_once_make_one_chain(fresh_db):
    async def one(n: int) -> int:
        async with fresh_db.begin() as conn:
            return await audit.append(conn, actor="a", action="b", subject={"n": n})

    numbers = await asyncio.gather(*(one(n) for n in range(15)))
    assert sorted(numbers) == list(range(1, 16))
    assert await _verify(fresh_db) is None


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ('UPDATE audit_entry SET subject = \'{"n": 3, "ok": false}\' WHERE n = 3', 3),
        ("UPDATE audit_entry SET actor = '李四' WHERE n = 1", 1),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE n = 5", 5),
        ("UPDATE audit_entry SET service_ms = 1 WHERE n = 2", 2),
        ("UPDATE audit_entry SET hash = sha256('x') WHERE n = 4", 4),
        ("DELETE FROM audit_entry WHERE n = 2", 2),
        ("DELETE FROM audit_entry WHERE n = 1", 1),
        ("DELETE FROM audit_entry WHERE n = 5", 5),
        ("DELETE FROM audit_entry", 1),
        ("INSERT INTO audit_entry (n, at, actor, action, hash) VALUES (6, now(), 'a', 'b', sha256('x'))", 6),
        ("UPDATE audit_head SET n = 4, hash = (SELECT hash FROM audit_entry WHERE n = 4)", 5),
        ("UPDATE audit_head SET hash = sha256('x')", 5),
    ],
)
async def test_a_change_behind_the_applications_back_is_named(fresh_db, statement, bad):
    await _five(fresh_db)
    await _behind_the_back(fresh_db, statement)
    assert await _verify(fresh_db) == bad


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entry SET actor = 'x' WHERE n = 1", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
)
async def test_the_database_itself_refuses_to_change_the_log(fresh_db, statement):
    await _five(fresh_db)
    with pytest.raises(DBAPIError):
        async with fresh_db.begin() as conn:
            await conn.execute(text(statement))
    assert await _verify(fresh_db) is None
