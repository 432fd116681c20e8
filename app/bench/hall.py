"""An invented exam in the record, of any size, as an import would leave it: rooms, candidates, sessions and a bank.

Only shapes and lengths are true to life; nobody can sign in to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

TEXT = (
    "水库大坝闸门泵站水轮电机变压断路导流围堰灌浆防渗钢筋模板渠道流量水位含沙径流降雨蒸发入渗断面测站汛期枯水设计校核施工监理"
    "合同索赔工期质量安全验收下列应当不得正确错误主要原因措施一般采用大于小于等于因素影响方法条件系数额定电压电流负荷保护接地"
)
WORDS = [TEXT[at : at + 2] for at in range(0, len(TEXT), 2)]
KEYS: dict[str, Any] = {
    "single": "A",
    "multiple": ["A", "C"],
    "true_false": "T",
    "blank": [["42", "四十二"], ["7"]],
    "text": None,
}


@dataclass(frozen=True, slots=True)
class Invented:
    exam_id: int
    exam_code: str
    session_ids: list[int]
    candidates: int


async def invent(
    conn: AsyncConnection,
    *,
    code: str,
    rooms: Sequence[int],
    bank: Mapping[tuple[str, str], int],
    sessions: int = 1,
    extra_time_ms: int = 0,
) -> Invented:
    """Write the exam ``code``: a room per entry of ``rooms`` with that many candidates (and three spare seats), who all
    sit all sessions, and ``bank`` items of each (topic, type). The first candidate has ``extra_time_ms``."""
    exam_id = await _scalar(conn, "INSERT INTO exam (code, name) VALUES (:c, :c) RETURNING id", c=code)
    building = await _scalar(conn, "INSERT INTO building (exam_id, name) VALUES (:e, '甲') RETURNING id", e=exam_id)
    people: list[dict[str, Any]] = []
    for ordinal, size in enumerate(rooms, start=1):
        room = await _scalar(
            conn,
            "INSERT INTO room (exam_id, building_id, name, ordinal, seat_count, spare_count)"
            " VALUES (:e, :b, :n, :o, :s, 3) RETURNING id",
            e=exam_id,
            b=building,
            n=f"第{ordinal:02}考室",
            o=ordinal,
            s=max(size, 1),
        )
        seats = [
            {"room": room, "label": str(n) if n <= size else f"备{n - size}", "n": n, "spare": n > size}
            for n in range(1, size + 4)
        ]
        await _many(
            conn, "INSERT INTO seat (room_id, label, ordinal, is_spare) VALUES (:room, :label, :n, :spare)", seats
        )
        people += [
            {"room": room, "seat": n, "ticket": f"{code}{ordinal:03}{n:03}", "e": exam_id} for n in range(1, size + 1)
        ]
    for number, person in enumerate(people):
        person |= {"id": f"{code}{number:08}", "extra": 0 if number else extra_time_ms}
    await _many(
        conn,
        "INSERT INTO candidate (exam_id, ticket, name, id_number, id_tail_hmac, extra_time_ms)"
        " VALUES (:e, :ticket, '应考人员', :id, '', :extra)",
        people,
    )
    session_ids = [
        await _scalar(
            conn,
            "INSERT INTO session (exam_id, number, name, planned_start, duration_ms)"
            " VALUES (:e, :n, :name, :at, 5400000) RETURNING id",
            e=exam_id,
            n=n,
            name=f"第{n}场",
            at=datetime.now(UTC) + timedelta(hours=3 * n),
        )
        for n in range(1, sessions + 1)
    ]
    await conn.execute(
        text(
            "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id)"
            " SELECT s.id, c.id, seat.id, seat.id FROM session s JOIN candidate c ON c.exam_id = s.exam_id"
            " JOIN room r ON r.exam_id = s.exam_id JOIN seat ON seat.room_id = r.id"
            " WHERE s.exam_id = :e"
            " AND c.ticket = :code || lpad(r.ordinal::text, 3, '0') || lpad(seat.ordinal::text, 3, '0')"
        ),
        {"e": exam_id, "code": code},
    )
    await _write_bank(conn, exam_id, bank)
    return Invented(exam_id, code, session_ids, len(people))


async def _write_bank(conn: AsyncConnection, exam_id: int, bank: Mapping[tuple[str, str], int]) -> None:
    chance = Random(20240720)
    rows: list[dict[str, Any]] = []
    for (topic, kind), size in bank.items():
        for _ in range(size):
            number = len(rows) + 1
            stem = f"{number}. {_sentence(chance, 18)}（ ）。" + ("____" if kind == "blank" else "")
            content = {"e": exam_id, "n": str(number), "type": kind, "topic": topic, "stem": stem}
            content["options"] = json.dumps(_options(kind, chance), ensure_ascii=False)
            content["key"] = json.dumps(KEYS[kind], ensure_ascii=False)
            rows.append({**content, "hash": hashlib.sha256(stem.encode()).digest()})
    await _many(conn, "INSERT INTO item (exam_id, number) VALUES (:e, :n)", rows)
    await _many(
        conn,
        "INSERT INTO item_version (item_id, version, type, topic, stem, options, key, points_milli, content_hash)"
        " SELECT id, 1, :type, :topic, :stem, CAST(:options AS jsonb), CAST(:key AS jsonb), 1000, :hash"
        " FROM item WHERE exam_id = :e AND number = :n",
        rows,
    )


def _options(kind: str, chance: Random) -> list[dict[str, str]]:
    if kind == "true_false":
        return [{"id": "T", "text": "正确"}, {"id": "F", "text": "错误"}]
    letters = {"single": "ABCD", "multiple": "ABCDE"}.get(kind, "")
    return [{"id": letter, "text": _sentence(chance, 5)} for letter in letters]


def _sentence(chance: Random, words: int) -> str:
    return "".join(chance.choice(WORDS) for _ in range(words))


async def _scalar(conn: AsyncConnection, sql: str, **values: object) -> int:
    return int((await conn.execute(text(sql), values)).scalar_one())


async def _many(conn: AsyncConnection, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await conn.execute(text(sql), rows)
