"""``holdfast bench export``: how long the lists of a session take, from the record to a whole file.

Beside each, in the same run, PostgreSQL's own COPY of the same rows as CSV: the least that anybody would have to do.
The ratio is how many times longer ours takes, for wall times, words, explanations, a workbook and the audit entry.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.bench.draw import BANK, ROOM, empty_database
from app.bench.hall import invent
from app.documents.rows import Form
from app.domain.blueprint import proportional
from app.services import exporting
from app.services.drawing import draw_session
from app.services.export_columns import Kind
from app.services.exporting import Made, Order
from app.settings import Settings
from app.storage.postgres import blueprints
from app.storage.postgres.engine import asyncpg_arguments, create_engine, migrate
from app.storage.postgres.staff import Login

MEASURED: tuple[tuple[Kind, Form], ...] = (
    ("attendance", "xlsx"), ("times", "xlsx"), ("answers", "csv"), ("answers", "json"), ("answers", "xlsx"),
)  # fmt: skip
_READER = Login(0, "bench", "", "office", datetime.max.replace(tzinfo=UTC), frozenset(), b"")
# Everybody is in the middle of the session and has answered everything twice.
_SAT = (
    "UPDATE session SET start_ms = 0",
    "UPDATE attempt SET signed_in_ms = 0, end_ms = allotted_ms",
    (
        "INSERT INTO response (attempt_id, item_id, epoch, rev, value_hash, value, at_ms, stamp_ms)"
        " SELECT attempt_id, item_version_id, 1, 2, '', '\"B\"', 60000 * position, 60000 * position + 400"
        " FROM paper_item"
    ),
    (
        "INSERT INTO response_history (session_id, attempt_id, item_id, epoch, rev, adopt_n, value_hash, value, at_ms,"
        " stamp_ms, seq, link) SELECT a.session_id, p.attempt_id, p.item_version_id, 1, n, 0, '', '\"B\"',"
        " 60000 * p.position, 60000 * p.position + 200 * n, 1, 1 FROM paper_item p"
        " JOIN attempt a ON a.id = p.attempt_id,"
        " generate_series(1, 2) AS n"
    ),
    "ANALYZE",
)
_PLAIN: dict[Kind, str] = {
    "attendance": "SELECT c.*, al.*, a.* FROM allocation al JOIN candidate c ON c.id = al.candidate_id"
    " JOIN attempt a ON a.session_id = al.session_id AND a.candidate_id = al.candidate_id",
    "times": "SELECT c.ticket, c.name, a.* FROM attempt a JOIN candidate c ON c.id = a.candidate_id",
    "answers": "SELECT c.ticket, c.name, p.position, i.number, v.type, r.value, r.at_ms, r.stamp_ms FROM paper_item p"
    " JOIN item_version v ON v.id = p.item_version_id JOIN item i ON i.id = v.item_id"
    " JOIN attempt a ON a.id = p.attempt_id JOIN candidate c ON c.id = a.candidate_id"
    " LEFT JOIN response r ON r.attempt_id = p.attempt_id AND r.item_id = p.item_version_id",
}


@dataclass(frozen=True, slots=True)
class Result:
    """``plain_s`` is the yardstick: COPY of the same rows."""

    kind: Kind
    form: Form
    rows: int
    size: int
    total_s: float
    plain_s: float

    @property
    def ratio(self) -> float:
        return self.total_s / self.plain_s


async def run(
    settings: Settings, engine: AsyncEngine, url: str, *, candidates: int, items: int, say: Callable[[str], None]
) -> list[Result]:
    """Invent a session that everybody has answered on the (migrated, empty) database, and export it in every form."""
    rooms = [min(ROOM, candidates - start) for start in range(0, candidates, ROOM)]
    say("invent")
    async with engine.begin() as conn:
        exam = await invent(conn, code="B", rooms=rooms, bank=BANK)
        strata = [stratum for stratum, size in BANK.items() for _ in range(size)]
        await blueprints.set_blueprint(conn, exam.session_ids[0], proportional(strata, items).spec())
    say("draw")
    await draw_session(engine, exam.session_ids[0], seed="bench")
    say("answer")
    async with engine.begin() as conn:
        for statement in _SAT:
            await conn.execute(text(statement))
    results = []
    for kind, form in MEASURED:
        say(f"{kind} {form}")
        plain_s = await _plain(url, _PLAIN[kind])
        start = time.perf_counter()
        made = await _export(settings, engine, Order(kind, form, "zh", session_id=exam.session_ids[0]))
        results.append(Result(kind, form, made.rows, made.size, time.perf_counter() - start, plain_s))
    return results


async def _export(settings: Settings, engine: AsyncEngine, order: Order) -> Made:
    with exporting.scratch() as out:
        async for part in exporting.export(settings, engine, _READER, order, out, now_ms=5_400_000):
            if isinstance(part, Made):
                return part
    raise RuntimeError("an export ends with what was made")


async def _plain(url: str, query: str) -> float:
    connection = await asyncpg.connect(**asyncpg_arguments(url))
    try:
        start = time.perf_counter()
        with exporting.scratch() as out:
            await connection.copy_from_query(query, output=out, format="csv")
        return time.perf_counter() - start
    finally:
        await connection.close()


def bench(settings: Settings, *, candidates: int, items: int, say: Callable[[str], None]) -> list[Result]:
    """``run`` on a database of its own, dropped afterwards."""

    async def work(url: str) -> list[Result]:
        engine = create_engine(url, settings, name="holdfast-bench", pool_size=1)
        try:
            return await run(settings, engine, url, candidates=candidates, items=items, say=say)
        finally:
            await engine.dispose()

    with empty_database(settings) as url:
        migrate(url)
        return asyncio.run(work(url))
