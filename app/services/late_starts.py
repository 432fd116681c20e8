"""Whose own start fell into an outage is told that they are waited for, and it is put on record
(``storage.postgres.late_starts`` has held them already, before the clock moved)."""

from __future__ import annotations

from sqlalchemy import text

from app.services import timing
from app.services.site import Site
from app.storage.postgres import adjustments, audit, exams, notices, schedule
from app.storage.postgres import time_scope as rows

ACTOR = "holds"
WAITS = (
    "原定开考时考试服务中断。何时开考由考务办公室决定，请等候，您的时间不会减少。",
    "The service was away when your exam was to start. The exam office decides when it begins; you lose no time.",
)
# An entry is told once: its notice says so.
UNTOLD = """
SELECT x.id, x.session_id, s.exam_id FROM adjustment x JOIN session s ON s.id = x.session_id
WHERE x.kind = 'pause' AND x.reason = 'outage' AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.adjustment_id = x.id)
ORDER BY x.id
"""


async def tell(site: Site) -> int:
    """How many attempts were told; nobody twice, whoever looks at the same time."""
    async with site.engine.connect() as conn:
        found = (await conn.execute(text(UNTOLD))).all()
    told = 0
    for entry, session_id, exam_id in found:
        told += await _tell(site, entry, session_id, exam_id)
    return told


async def _tell(site: Site, entry: int, session_id: int, exam_id: int) -> int:
    zh, en = WAITS
    async with site.engine.begin() as conn:
        await exams.lock(conn, exam_id)
        await schedule.lock_session(conn, session_id)
        # Asked again under the locks.
        if entry not in {row.id for row in await conn.execute(text(UNTOLD))}:
            return 0
        members = await adjustments.members(conn, entry)
        await rows.lock_attempts(conn, members)
        now_ms = site.service_time.now_ms()
        # Somebody may have let them go on already.
        moved = [one for one in await adjustments.settle(conn, members, now_ms) if one.left_ms is not None]
        held = [one.attempt for one in moved]
        notice = await notices.create(conn, session_id, "pause", entry, zh, en, held, now_ms)
        subject = {"session_id": session_id, "entry": entry, "candidates": len(members)}
        await audit.append(conn, actor=ACTOR, action="time.late-start", subject=subject, service_ms=now_ms)
    await timing.announce(site, session_id, moved, {"id": notice, "kind": "pause", "zh": zh, "en": en})
    return len(held)
