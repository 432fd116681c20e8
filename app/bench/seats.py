"""The hall of a measurement: candidates who are signed in, and what they send."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.bench import client
from app.bench.client import Build
from app.bench.hall import invent
from app.domain.blueprint import proportional
from app.domain.lease import next_epoch
from app.secrets import site_secret
from app.services.drawing import draw_session
from app.services.tokens import Claims, Tokens
from app.settings import Settings
from app.storage.postgres import blueprints
from app.storage.postgres.engine import create_engine
from app.storage.postgres.exams import ensure_history_partition

BANK = {("水文", "single"): 60, ("机电", "single"): 60}
ITEMS = 40


@dataclass(frozen=True, slots=True)
class Seat:
    token: str
    attempt: UUID
    epoch: int
    items: list[int]


async def prepare(settings: Settings, database_url: str, candidates: int) -> list[Seat]:
    """A running session of ``candidates`` who are signed in: their tokens and items."""
    engine = create_engine(database_url, settings)
    tokens = Tokens(site_secret(settings))
    epoch = next_epoch(1, 0)
    try:
        async with engine.begin() as conn:
            exam = await invent(conn, code="bench", rooms=[40] * -(-candidates // 40), bank=BANK)
            session_id = exam.session_ids[0]
            strata = [stratum for stratum, size in BANK.items() for _ in range(size)]
            await blueprints.set_blueprint(conn, session_id, proportional(strata, ITEMS).spec())
            await ensure_history_partition(conn, session_id)
        await draw_session(engine, session_id, seed="bench")
        async with engine.begin() as conn:
            await conn.execute(text("UPDATE session SET start_ms = 0 WHERE id = :s"), {"s": session_id})
            rows = await conn.execute(
                text(
                    "UPDATE attempt SET epoch = CAST(:e AS int8),"
                    " grants = jsonb_build_array(jsonb_build_array(CAST(:e AS int8), 0)),"
                    " end_ms = 86400000, signed_in_ms = 0 WHERE session_id = :s RETURNING id"
                ),
                {"e": epoch, "s": session_id},
            )
            ids: list[UUID] = [row.id for row in rows][:candidates]
            drawn = await conn.execute(
                text(
                    "SELECT attempt_id, array_agg(item_version_id ORDER BY position) AS items FROM paper_item"
                    " GROUP BY attempt_id"
                )
            )
            items = {row.attempt_id: row.items for row in drawn}
            await conn.execute(text("ANALYZE"))
    finally:
        await engine.dispose()
    return [Seat(tokens.sign(Claims(1, one, epoch, "bench", 0)), one, epoch, items[one]) for one in ids]


def writes(path: str, seats: list[Seat], revs: list[int]) -> Build:
    """Requests that each change one response; ``revs`` goes on counting over all rounds."""

    def build(connection: int, _n: int) -> bytes:
        seat = seats[connection]
        revs[connection] += 1
        n = revs[connection]
        body = {
            "seq": n,
            "responses": [
                {"item": seat.items[n % len(seat.items)], "rev": n, "value": "ABCD"[n % 4], "at_ms": 1000 + n}
            ],
            "position": n % len(seat.items) + 1,
            "elapsed_ms": n * 1000,
        }
        return client.request(path, seat.token, json.dumps(body, separators=(",", ":")).encode())

    return build
