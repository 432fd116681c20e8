"""``holdfast bench draw``: how long a session's papers take, from the bank in the record to papers in the record.

Beside it, in the same run, the least that anybody would have to do: the same papers put together as plain dicts,
``json.dumps`` and ``gzip.compress``, written nowhere. The ratio says how much of the time is not that.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.bench.hall import invent
from app.domain.blueprint import parse, proportional
from app.embedded.postgres import EmbeddedPostgres
from app.services.drawing import Drawn, Progress, draw_session
from app.services.paper_bodies import MEDIA
from app.settings import Settings
from app.storage.postgres import blueprints, draw_inputs
from app.storage.postgres import papers as store
from app.storage.postgres.engine import asyncpg_arguments, create_engine, migrate

# The reference day: three topics of single-choice items, 47 rooms of 40.
BANK = {("施工与项目管理", "single"): 139, ("机电", "single"): 172, ("水文与水资源", "single"): 106}
ROOM = 40


@dataclass(frozen=True, slots=True)
class Result:
    """``plain_s`` is the yardstick: dicts, json and gzip of the same papers."""

    drawn: Drawn
    total_s: float
    plain_s: float

    @property
    def ratio(self) -> float:
        return self.total_s / self.plain_s


async def run(engine: AsyncEngine, *, candidates: int, items: int, sessions: int, progress: Progress) -> list[Result]:
    """Invent an exam on the (migrated, empty) database and draw its sessions one after the other."""
    rooms = [min(ROOM, candidates - start) for start in range(0, candidates, ROOM)]
    async with engine.begin() as conn:
        exam = await invent(conn, code="B", rooms=rooms, bank=BANK, sessions=sessions)
        strata = [stratum for stratum, size in BANK.items() for _ in range(size)]
        for session_id in exam.session_ids:
            await blueprints.set_blueprint(conn, session_id, proportional(strata, items, sessions=sessions).spec())
    results: list[Result] = []
    for session_id in exam.session_ids:
        start = time.perf_counter()
        drawn = await draw_session(engine, session_id, seed="bench", progress=progress)
        total_s = time.perf_counter() - start
        results.append(Result(drawn, total_s, await _plain(engine, exam.exam_id, session_id)))
    return results


async def _plain(engine: AsyncEngine, exam_id: int, session_id: int) -> float:
    async with engine.connect() as conn:
        bank = {row["version_id"]: row for row in await draw_inputs.bank(conn, exam_id)}
        spec = (await draw_inputs.session(conn, session_id) or {})["blueprint"]
        stored = await store.stored(conn, session_id)
    sections = parse(spec).sections
    start = time.perf_counter()
    for row in stored:
        rows = zip(row["positions"], row["versions"], row["orders"], row["points"], strict=True)
        items = [_item(bank[version], position, order, points) for position, version, order, points in rows]
        titled, first = [], 0
        for section in sections:
            titled.append({"title": section.title, "items": items[first : first + section.count]})
            first += section.count
        gzip.compress(json.dumps({"paper": row["etag"], "sections": titled}, ensure_ascii=False).encode(), 6, mtime=0)
    return time.perf_counter() - start


def _item(row: Mapping[str, Any], position: int, order: str, points: int) -> dict[str, Any]:
    options = {option["id"]: option for option in row["options"]}
    return {
        "item": row["version_id"],
        "position": position,
        "type": row["type"],
        "points": points / 1000,
        "stem": row["stem"],
        "media": [MEDIA + sha256 for sha256 in row["media"]],
        "options": [{"id": each, "text": options[each]["text"], "media": None} for each in order],
    }


def bench(settings: Settings, *, candidates: int, items: int, sessions: int, progress: Progress) -> list[Result]:
    """``run`` on a database of its own, dropped afterwards."""

    async def work(url: str) -> list[Result]:
        engine = create_engine(url, settings, name="holdfast-bench", pool_size=1)
        try:
            return await run(engine, candidates=candidates, items=items, sessions=sessions, progress=progress)
        finally:
            await engine.dispose()

    with empty_database(settings) as url:
        migrate(url)
        return asyncio.run(work(url))


@contextmanager
def empty_database(settings: Settings) -> Iterator[str]:
    """The URL of an empty database: on the server of ``database_url``, or on one started for it."""
    if settings.database_url is None:
        with tempfile.TemporaryDirectory(prefix="hf-bench-") as place, EmbeddedPostgres(Path(place)) as postgres:
            yield postgres.url
        return
    base = settings.database_url.get_secret_value()
    name = f"holdfast_bench_{secrets.token_hex(4)}"
    asyncio.run(_execute(base, f'CREATE DATABASE "{name}" TEMPLATE template0'))
    try:
        yield make_url(base).set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(_execute(base, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(**asyncpg_arguments(url))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
