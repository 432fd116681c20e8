"""The ledger of time and the release before it: its data keep their meaning, and its statements work on the new tables.

What that release wrote is frozen here as it wrote it, columns and all; nothing of today's code makes these rows.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field

import pytest
from alembic import command
from alembic.util.exc import CommandError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.commands.failures import failure
from app.domain import clock
from app.settings import Settings
from app.storage.postgres import adjustments
from app.storage.postgres.engine import alembic_config, create_engine, migrate

BEFORE = "5d0c4b8a9e17"
S, MIN = 1000, 60_000
START, LONG, NOW = 10 * MIN, 90 * MIN, 70 * MIN
OLD_COLUMNS = (
    "id, session_id, candidate_id, state, epoch, grants, signed_in_ms, allotted_ms, end_ms, clock_rev, ended_ms,"
    " end_reason, final_ms, receipt, acked, count, chain, chain_links, position, marked, register_epoch, register_seq,"
    " elapsed_ms, contact_ms, late_contact_ms, contact_term, gap_from_ms"
)

ATTEMPT = (
    "INSERT INTO attempt (id, session_id, candidate_id, allotted_ms, end_ms, signed_in_ms, contact_ms, contact_term,"
    " gap_from_ms, epoch) VALUES (:id, :session, :candidate, :allotted, :end, :signed_in, :contact, 2, :gap, 1)"
)
CREDIT = (
    "INSERT INTO adjustment (kind, session_id, attempt_id, from_ms, to_ms, reason, source, staff_id, made_ms)"
    " VALUES ('credit', :session, :attempt, :from, :to, :reason, :source, :staff, :made)"
    " ON CONFLICT (attempt_id, source) DO NOTHING"
)
EXTEND = (
    "INSERT INTO adjustment (kind, session_id, attempt_id, amount_ms, reason, source, made_ms)"
    " VALUES ('extend', :session, :attempt, :amount, :reason, :source, :made)"
)
MOVE_END = "UPDATE attempt SET end_ms = :end, clock_rev = clock_rev + 1 WHERE id = :attempt"
END = (
    "UPDATE attempt SET state = 'ended', ended_ms = :ended, end_reason = :reason, clock_rev = clock_rev + 1"
    " WHERE id = :attempt AND state = 'open'"
)
FINAL = (
    "UPDATE attempt SET state = 'final', final_ms = :now, receipt = CAST(:receipt AS jsonb)"
    " WHERE id = :attempt AND state = 'ended'"
)


@dataclass
class Told:
    """One attempt as the release before left it: ``counted`` are the summands of its end after the allowance, as that
    release told them, and ``end`` is what it stored."""

    name: str
    counted: list[tuple[str, int, str]]
    entries: list[dict] = field(default_factory=list)
    ended: tuple[int, str] | None = None
    final: bool = False
    anchored: bool = True
    gap_from: int | None = None
    extra_ms: int = 0
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def start(self) -> int | None:
        return START if self.anchored else None

    @property
    def end(self) -> int | None:
        if not self.anchored:
            return None
        return START + LONG + self.extra_ms + sum(ms for _, ms, _ in self.counted)

    def remaining(self, at_ms: int) -> int:
        """By definition, second by second: every second of the sitting that no credit covers is charged."""
        granted = LONG + self.extra_ms + sum(ms for kind, ms, _ in self.counted if kind == "extend")
        spans = [(one["from"], one["to"]) for one in self.entries if "from" in one]
        seconds = range(START, at_ms, S) if self.anchored else ()
        charged = sum(not any(begins <= second < ends for begins, ends in spans) for second in seconds)
        return max(0, granted - charged * S)


def credit(from_ms: int, to_ms: int, source: str) -> dict:
    return {
        "from": from_ms,
        "to": to_ms,
        "reason": source.partition(":")[0].replace("term", "reconnect"),
        "source": source,
    }


def attempts() -> list[Told]:
    """Every state an attempt could be in, and every entry that release could make."""
    moved = [credit(20 * MIN, 22 * MIN, "relog:2"), credit(22 * MIN, 22 * MIN + 8 * S, "ready:2")]
    twice = [credit(30 * MIN, 34 * MIN, "relog:2"), credit(33 * MIN, 35 * MIN, "term:2")]
    return [
        Told("waiting", []),
        Told("accommodated", [], extra_ms=30 * MIN),
        Told("moved, then painted", [("credit", 128 * S, "relog")], moved),
        Told("overlapping", [("credit", 5 * MIN, "relog")], twice),
        Told("before the start", [("credit", 20 * S, "relog")], [credit(START - MIN, START + 20 * S, "relog:2")]),
        Told("of no length", [], [credit(40 * MIN, 40 * MIN, "ready:2")]),
        Told("after the end", [], [credit(START + LONG, START + LONG + MIN, "term:2")]),
        Told(
            "extended and moved",
            [("extend", 5 * MIN, "other"), ("credit", 2 * MIN, "relog")],
            [{"amount": 5 * MIN, "reason": "other", "source": "hand:1"}, credit(20 * MIN, 22 * MIN, "relog:2")],
        ),
        Told("moving", [], gap_from=NOW - MIN),
        Told("handed in", [("credit", 128 * S, "relog")], list(moved), ended=(60 * MIN, "hand_in"), final=True),
        Told("timed out", [], ended=(START + LONG, "time_out")),
        Told("ended by staff", [], ended=(50 * MIN, "forced"), final=True),
        Told("not anchored", [], anchored=False),
    ]


async def written(conn: AsyncConnection) -> list[Told]:
    """Those attempts, by the statements of the release before."""

    async def one(sql: str, **values: object) -> int:
        return int((await conn.execute(text(sql), values)).scalar_one())

    exam = await one("INSERT INTO exam (code, name) VALUES ('OLD', '考试') RETURNING id")
    building = await one("INSERT INTO building (exam_id, name) VALUES (:e, '南楼') RETURNING id", e=exam)
    room = await one(
        "INSERT INTO room (exam_id, building_id, name, number, ordinal, seat_count, spare_count)"
        " VALUES (:e, :b, '第01考室', '101', 1, 40, 0) RETURNING id",
        e=exam, b=building,
    )  # fmt: skip
    session = (
        "INSERT INTO session (exam_id, number, name, planned_start, duration_ms, start_ms)"
        " VALUES (:e, :n, '场次', now(), :d, :s) RETURNING id"
    )
    sessions = [await one(session, e=exam, n=n, d=LONG, s=start) for n, start in ((1, START), (2, None))]
    # The second term came after nobody had counted for three minutes.
    await conn.execute(
        text(
            "INSERT INTO term (n, lineage_n, start_ms, gap_ms, leader)"
            " SELECT v.n, l.n, v.start_ms, v.gap_ms, 'old' FROM (SELECT max(n) AS n FROM lineage) l,"
            " (VALUES (1, 0, 0), (2, :at, :gap)) AS v(n, start_ms, gap_ms)"
        ),
        {"at": 34 * MIN, "gap": 3 * MIN},
    )
    told = attempts()
    for n, each in enumerate(told, 1):
        seat = await one(
            "INSERT INTO seat (room_id, label, ordinal, is_spare) VALUES (:r, :l, :n, false) RETURNING id",
            r=room, l=str(n), n=n,
        )  # fmt: skip
        person = await one(
            "INSERT INTO candidate (exam_id, ticket, name, id_number, id_tail_hmac)"
            " VALUES (:e, :t, :name, :i, '') RETURNING id",
            e=exam, t=f"OLD-{n}", name=f"考生{n}", i=f"99000119800101{n:04d}",
        )  # fmt: skip
        sits = sessions[0] if each.anchored else sessions[1]
        await conn.execute(
            text("INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id) VALUES (:s, :c, :t, :t)"),
            {"s": sits, "c": person, "t": seat},
        )
        planned = START + LONG + each.extra_ms if each.anchored else None
        await conn.execute(
            text(ATTEMPT),
            {
                "id": each.id, "session": sits, "candidate": person, "allotted": LONG + each.extra_ms, "end": planned,
                "signed_in": START if each.anchored else None, "contact": NOW if each.anchored else None,
                "gap": each.gap_from,
            },
        )  # fmt: skip
        for entry in each.entries:
            values = {**entry, "session": sits, "attempt": each.id, "made": NOW, "staff": None}
            sql = text(CREDIT if "from" in entry else EXTEND)
            await conn.execute(sql, {name: values[name] for name in sql.compile().params})
            await conn.execute(text(MOVE_END), {"attempt": each.id, "end": each.end})
        if each.ended is not None:
            ended, why = each.ended
            assert (await conn.execute(text(END), {"attempt": each.id, "ended": ended, "reason": why})).rowcount == 1
        if each.final:
            await conn.execute(text(FINAL), {"attempt": each.id, "now": NOW, "receipt": '{"count": 0}'})
    return told


async def state(engine: AsyncEngine) -> list[tuple]:
    async with engine.connect() as conn:
        rows = await conn.execute(text(f"SELECT {OLD_COLUMNS} FROM attempt ORDER BY id"))
        entries = await conn.execute(
            text("SELECT id, kind, session_id, attempt_id, from_ms, to_ms, amount_ms, reason, source, made_ms, made_at"
                 " FROM adjustment ORDER BY id")
        )  # fmt: skip
        return [tuple(map(str, row)) for row in [*rows, *entries]]


async def means_the_same(engine: AsyncEngine, told: list[Told]) -> None:
    """Today's clock makes of these rows what the release before made of them, and settling them moves nothing."""
    async with engine.begin() as conn:
        ledgers = await adjustments.load(conn, [each.id for each in told])
        moved = {one.attempt: one for one in await adjustments.settle(conn, [each.id for each in told], NOW)}
    async with engine.connect() as conn:
        stored = {
            row.id: row
            for row in await conn.execute(text("SELECT id, end_ms, left_ms, postponed_ms, state FROM attempt"))
        }
    for each in told:
        ledger = ledgers[each.id]
        assert (clock.start_ms(ledger), clock.end_ms(ledger, NOW)) == (each.start, each.end), each.name
        for at_ms in range(0, 120 * MIN, 7 * MIN + 13 * S):
            known = clock.remaining_ms(ledger, at_ms)
            # A credit counts when its time has passed, now as then.
            assert known == each.remaining(at_ms), (each.name, at_ms)
        parts = clock.because(ledger, NOW)
        assert (parts[0].kind, parts[0].ms) == ("planned", LONG + each.extra_ms), each.name
        now = [(part.kind, part.ms, part.reason) for part in parts[1:]]
        # That release told stretches that touch as one, under the first one's reason.
        credited = [(ms, reason) for kind, ms, reason in now if kind == "credit"]
        was = [(ms, reason) for kind, ms, reason in each.counted if kind == "credit"]
        assert (sum(ms for ms, _ in credited), [reason for _, reason in credited[:1]]) == (
            sum(ms for ms, _ in was), [reason for _, reason in was]
        ), each.name  # fmt: skip
        outage = [("outage", 3 * MIN, "outage")] if each.anchored else []
        extended = [one for one in each.counted if one[0] == "extend"]
        assert [one for one in now if one[0] != "credit"] == extended + outage, each.name
        row = stored[each.id]
        assert (row.end_ms, row.left_ms, row.postponed_ms) == (each.end, None, 0), each.name
        assert row.state == ("final" if each.final else "ended" if each.ended else "open"), each.name
        if each.id in moved:
            assert (moved[each.id].start_ms, moved[each.id].end_ms) == (each.start, each.end), each.name


@pytest.fixture
async def before(databases):
    """A database as the release before made it."""
    made, _ = databases
    name = await made.create()
    url = made.url(name)
    await asyncio.to_thread(migrate, url, BEFORE)
    engine = create_engine(url, Settings(), name="holdfast-test", pool_size=1)
    yield engine, url
    await engine.dispose()
    await made.drop(name)


async def test_what_the_release_before_wrote_means_the_same_after_the_upgrade(before):
    engine, url = before
    async with engine.begin() as conn:
        told = await written(conn)
    was = await state(engine)
    await asyncio.to_thread(migrate, url)
    assert await state(engine) == was
    async with engine.connect() as conn:
        about = await conn.execute(text("SELECT id, attempt_id FROM adjustment ORDER BY id"))
        members = await conn.execute(text("SELECT adjustment_id, attempt_id FROM adjustment_attempt ORDER BY 1"))
        assert members.all() == about.all()
    await means_the_same(engine, told)


async def test_the_upgrade_can_be_taken_back_while_nothing_new_was_decided(before):
    engine, url = before
    async with engine.begin() as conn:
        await written(conn)
    was = await state(engine)
    await asyncio.to_thread(migrate, url)
    await asyncio.to_thread(command.downgrade, alembic_config(url), BEFORE)
    assert await state(engine) == was
    await asyncio.to_thread(migrate, url)
    assert await state(engine) == was


async def test_the_release_before_writes_on_the_new_tables(fresh_db):
    async with fresh_db.begin() as conn:
        told = await written(conn)
        # An automatic entry that is made twice, as by two processes of that release, counts once.
        moved = next(each for each in told if each.name == "moved, then painted")
        entry = {**moved.entries[0], "attempt": moved.id, "made": NOW, "staff": None}
        session = await conn.scalar(text("SELECT session_id FROM attempt WHERE id = :a"), {"a": moved.id})
        assert (await conn.execute(text(CREDIT), {**entry, "session": session})).rowcount == 0
    await means_the_same(fresh_db, told)


async def test_a_release_that_knows_no_pauses_cannot_start_a_paused_clock(fresh_db):
    """Beside a newer process it may still try to move the end of somebody whom that one has paused: it is refused, and
    the pause stands."""
    async with fresh_db.begin() as conn:
        told = await written(conn)
        paused = told[0].id
        await conn.execute(
            text("UPDATE attempt SET left_ms = 1000, end_ms = :never WHERE id = :a"),
            {"a": paused, "never": clock.NEVER_MS},
        )
    with pytest.raises(IntegrityError, match="ck_attempt_paused"):
        async with fresh_db.begin() as conn:
            await conn.execute(text(MOVE_END), {"attempt": paused, "end": NOW})


async def test_tables_of_a_later_release_are_left_alone_and_named(fresh_db, fresh_url):
    async with fresh_db.begin() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = 'of_later'"))
    with pytest.raises(CommandError) as caught:
        await asyncio.to_thread(migrate, fresh_url)
    said = failure(caught.value)
    assert (said.code, "of_later" in said.zh, "of_later" in said.en, said.exit_code) == ("tables-newer", True, True, 2)
