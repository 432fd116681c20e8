"""Bringing files into a real record: all or nothing, never twice, and nothing that has begun is touched."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.errors import Refused
from app.domain.identity import id_tail_hmac
from app.importers.bank import read_bank
from app.importers.roster import read_roster
from app.services import importing
from app.services.changes import Outcome
from app.services.import_target import Target, exam_name
from app.services.importing import Source
from app.storage.postgres import audit, exams
from tests.importers import workbooks
from tests.importers.workbooks import people

KEY = b"k" * 40
SOURCE = Source("花名册.xlsx", "0" * 64)
TABLES = ("exam", "building", "room", "seat", "session", "candidate", "allocation", "item", "item_version", "media")


async def rows(engine: AsyncEngine, sql: str, **values: object) -> list[Any]:
    async with engine.connect() as conn:
        return list(await conn.execute(text(sql), values))


async def run(engine: AsyncEngine, sql: str, **values: object) -> None:
    async with engine.begin() as conn:
        await conn.execute(text(sql), values)


async def picture(engine: AsyncEngine) -> dict[str, list[Any]]:
    """Everything an import may write."""
    found = {}
    for table in (*TABLES, "audit_entry"):
        found[table] = await rows(engine, f"SELECT * FROM {table} ORDER BY 1")
    return found


async def bring(engine: AsyncEngine, tmp_path: Path, table: list[list[Any]] | None = None, **kwargs: Any) -> Outcome:
    files = {key: kwargs.pop(key) for key in ("rooms", "sessions", "headers") if key in kwargs}
    plan, report, _ = read_roster(workbooks.roster(tmp_path / "r.xlsx", table, **files))
    assert plan is not None, report.faults
    return await importing.import_roster(engine, plan, key=KEY, source=SOURCE, **kwargs)


async def bring_bank(
    engine: AsyncEngine, tmp_path: Path, table: list[list[Any]] | None = None, **kwargs: Any
) -> Outcome:
    bank, report, _ = read_bank(workbooks.bank(tmp_path / "b.xlsx", table))
    assert bank is not None, report.faults
    return await importing.import_bank(engine, bank, source=SOURCE, **kwargs)


async def draw_for(engine: AsyncEngine, ticket: str, *, signed_in_ms: int | None = None) -> None:
    """The candidate's attempts, as a draw makes them."""
    await run(
        engine,
        "INSERT INTO attempt (id, session_id, candidate_id, allotted_ms, signed_in_ms)"
        " SELECT gen_random_uuid(), al.session_id, al.candidate_id, 5400000, :signed FROM allocation al"
        " JOIN candidate c ON c.id = al.candidate_id WHERE c.ticket = :ticket",
        ticket=ticket,
        signed=signed_in_ms,
    )


# --- the first import


async def test_a_roster_is_all_there(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    outcome = await bring(fresh_db, tmp_path)
    assert (outcome.state, outcome.exam_code, outcome.exam_name) == ("imported", "default", "某年度业务考试")
    seats = await rows(
        fresh_db,
        "SELECT r.name, s.label, s.ordinal, s.is_spare FROM seat s JOIN room r ON r.id = s.room_id"
        " WHERE r.name = '第01考室' ORDER BY s.ordinal",
    )
    assert [(each.label, each.is_spare) for each in seats] == [
        *((str(n), False) for n in range(1, 7)),
        ("备1", True),
        ("备2", True),
    ]
    assert [each.ordinal for each in seats] == list(range(1, 9))
    sat = await rows(
        fresh_db,
        "SELECT c.ticket, s.number, st.label, al.seat_id = al.planned_seat_id AS planned, b.name AS building"
        " FROM allocation al JOIN candidate c ON c.id = al.candidate_id JOIN session s ON s.id = al.session_id"
        " JOIN seat st ON st.id = al.seat_id JOIN room r ON r.id = st.room_id JOIN building b ON b.id = r.building_id"
        " ORDER BY c.ticket, s.number",
    )
    assert len(sat) == 8
    assert tuple(sat[2]) == ("20240002", 1, "2", True, "东楼")
    tails = await rows(fresh_db, "SELECT id_number, id_tail_hmac FROM candidate")
    assert all(bytes(each.id_tail_hmac) == id_tail_hmac(KEY, each.id_number[-6:]) for each in tails)
    starts = await rows(fresh_db, "SELECT planned_start, imported_start, start_ms, held FROM session ORDER BY number")
    assert starts[0].planned_start.isoformat() == "2024-07-20T00:30:00+00:00"
    assert starts[0].imported_start == starts[0].planned_start
    assert {(each.start_ms, each.held) for each in starts} == {(None, None)}


async def test_every_session_gets_a_partition_of_its_own(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    for each in await rows(fresh_db, "SELECT id FROM session"):
        assert await rows(fresh_db, f"SELECT * FROM response_history_s{each.id}") == []
        async with fresh_db.begin() as conn:
            await exams.ensure_history_partition(conn, each.id)


async def test_an_import_is_one_entry_of_the_audit_log(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    await bring_bank(fresh_db, tmp_path)
    async with fresh_db.connect() as conn:
        bank, roster = await audit.entries(conn)
        assert await audit.verify(conn) is None
    assert (roster["action"], bank["action"]) == ("roster.imported", "bank.imported")
    assert roster["subject"]["counts"]["candidates"] == 4
    assert roster["subject"]["sha256"] == SOURCE.sha256
    told = str(roster) + str(bank)
    assert workbooks.resident_id(1) not in told
    assert "水往哪里流" not in told


async def test_importing_twice_changes_nothing(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    await bring_bank(fresh_db, tmp_path)
    before = await picture(fresh_db)
    for mode in ("import", "apply", "show"):
        assert (await bring(fresh_db, tmp_path, mode=mode)).state == "unchanged"
        assert (await bring_bank(fresh_db, tmp_path, mode=mode)).state == "unchanged"
    assert await picture(fresh_db) == before


async def test_showing_writes_nothing_at_all(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    before = await picture(fresh_db)
    assert (await bring(fresh_db, tmp_path, mode="show")).state == "would-import"
    assert (await bring_bank(fresh_db, tmp_path, mode="show")).state == "would-import"
    assert await picture(fresh_db) == before


async def test_a_fault_of_the_database_leaves_nothing_behind(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await run(fresh_db, "ALTER TABLE allocation ADD CONSTRAINT no_more CHECK (id < 5)")
    before = await picture(fresh_db)
    with pytest.raises(DBAPIError):
        await bring(fresh_db, tmp_path)
    assert await picture(fresh_db) == before


async def test_two_at_once_import_it_once(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    states = await asyncio.gather(*(bring(fresh_db, tmp_path / name) for name in "ab"))
    assert sorted(outcome.state for outcome in states) == ["imported", "unchanged"]
    assert len(await rows(fresh_db, "SELECT * FROM candidate")) == 4


# --- which exam


async def test_a_bank_that_comes_first_meets_its_roster(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    assert (await bring_bank(fresh_db, tmp_path)).exam_name == "default"
    assert (await bring(fresh_db, tmp_path)).exam_name == "某年度业务考试"
    assert [tuple(row) for row in await rows(fresh_db, "SELECT code, name FROM exam")] == [
        ("default", "某年度业务考试")
    ]


async def test_several_exams_share_a_database(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path, target=Target("A", "甲"))
    await bring(fresh_db, tmp_path, target=Target("B", "乙"))
    await bring_bank(fresh_db, tmp_path, target=Target("B"))
    assert len(await rows(fresh_db, "SELECT * FROM candidate")) == 8
    for unclear in (bring, bring_bank):
        with pytest.raises(Refused) as caught:
            await unclear(fresh_db, tmp_path)
        assert caught.value.code == "exam-unclear"
        assert "A（甲）" in str(caught.value)


async def test_the_demo_is_never_taken_for_the_exam(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await run(fresh_db, "INSERT INTO exam (code, name, is_demo) VALUES ('DEMO', '演示', true)")
    assert (await bring(fresh_db, tmp_path)).exam_code == "default"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("2024年度水利专业业务考试考场编排表", "2024年度水利专业业务考试"),
        ("某某考试考生名单", "某某考试"),
        ("某某考试", "某某考试"),
        ("", ""),
    ],
)
def test_the_exams_name_is_in_the_title(title: str, name: str) -> None:
    assert exam_name(title) == name


# --- a changed roster


def changed() -> list[list[Any]]:
    """Two swap seats, two swap documents, one goes, one comes, one has another employer."""
    table = people(5)
    table[0][8], table[1][8] = table[1][8], table[0][8]
    table[1][4], table[2][4] = table[2][4], table[1][4]
    table[2][6] = "另一局"
    del table[3]
    return table


async def test_a_changed_roster_is_shown_and_applied_only_when_asked(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    before = await picture(fresh_db)
    shown = await bring(fresh_db, tmp_path, changed())
    assert shown.state == "would-change"
    assert await picture(fresh_db) == before
    assert shown.summary() == {
        "change candidate": 3,
        "add candidate": 1,
        "remove candidate": 1,
        "change allocation": 4,
    }
    lines = [change.line()[0] for change in shown.changes]
    assert "修改 应考人员 20240003 工作单位：某局 → 另一局" in lines
    assert "修改 编排 20240001 第1场 座位：第01考室 1 → 第01考室 2" in lines
    assert not any(workbooks.resident_id(2) in line for line in lines)
    applied = await bring(fresh_db, tmp_path, changed(), mode="apply", expect=shown.digest)
    assert applied.state == "changed"
    assert (await bring(fresh_db, tmp_path, changed())).state == "unchanged"
    sat = await rows(
        fresh_db,
        "SELECT c.ticket, st.label, c.id_number, c.id_tail_hmac FROM allocation al"
        " JOIN candidate c ON c.id = al.candidate_id JOIN seat st ON st.id = al.seat_id"
        " JOIN session s ON s.id = al.session_id WHERE s.number = 1 ORDER BY 1",
    )
    assert [(each.ticket, each.label) for each in sat] == [
        ("20240001", "2"),
        ("20240002", "1"),
        ("20240003", "3"),
        ("20240005", "5"),
    ]
    assert sat[1].id_number == workbooks.resident_id(3)
    assert bytes(sat[1].id_tail_hmac) == id_tail_hmac(KEY, workbooks.resident_id(3)[-6:])
    async with fresh_db.connect() as conn:
        entry = (await audit.entries(conn, limit=1))[0]
    assert entry["action"] == "roster.changed"
    assert entry["subject"]["digest"] == shown.digest


async def test_what_is_applied_is_what_was_shown(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    shown = await bring(fresh_db, tmp_path, changed())
    await run(fresh_db, "UPDATE candidate SET employer = '又一局' WHERE ticket = '20240001'")
    before = await picture(fresh_db)
    with pytest.raises(Refused) as caught:
        await bring(fresh_db, tmp_path, changed(), mode="apply", expect=shown.digest)
    assert caught.value.code == "import-outdated"
    assert await picture(fresh_db) == before


async def test_rooms_grow_and_shrink_and_sessions_come_and_go(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    rooms = [["第01考室", "北楼", "北9", 8, 1], ["第03考室", "东楼", "东103", 4, 0]]
    sessions = [
        [1, "上午场", "2024-07-20 09:00", None, 100],
        [3, "第三场", "2024-07-20 14:00", None, 90],
    ]
    table = people(4, sessions="1,3")
    outcome = await bring(fresh_db, tmp_path, table, rooms=rooms, sessions=sessions, mode="apply")
    assert outcome.state == "changed"
    seats = await rows(
        fresh_db,
        "SELECT r.name, s.label, s.ordinal FROM seat s JOIN room r ON r.id = s.room_id ORDER BY r.ordinal, s.ordinal",
    )
    assert [each.label for each in seats] == [*"12345678", "备1", *"1234"]
    assert [each.ordinal for each in seats] == [*range(1, 10), *range(1, 5)]
    assert {each.name for each in await rows(fresh_db, "SELECT name FROM building")} == {"北楼", "东楼"}
    kept = await rows(fresh_db, "SELECT number, name, duration_ms FROM session ORDER BY number")
    assert [tuple(each) for each in kept] == [(1, "上午场", 6_000_000), (3, "第三场", 5_400_000)]
    partitions = await rows(
        fresh_db, "SELECT relname FROM pg_class WHERE relname LIKE 'response_history_s_' ESCAPE '!'"
    )
    assert len(partitions) == 2


async def test_a_reschedule_is_not_undone_by_the_same_file(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    await run(fresh_db, "UPDATE session SET planned_start = planned_start + interval '900 days'")
    assert (await bring(fresh_db, tmp_path)).state == "unchanged"
    later = [[1, "第一场", "2024-07-20 09:00", None, 90], workbooks.SESSIONS[1]]
    outcome = await bring(fresh_db, tmp_path, sessions=later)
    assert [(change.field, change.key) for change in outcome.changes] == [("start", "第1场")]


@pytest.mark.parametrize(("signed_in_ms", "code"), [(None, "drawn"), (1_000, "signed-in")])
async def test_who_has_a_paper_or_has_signed_in_is_not_touched(
    fresh_db: AsyncEngine, tmp_path: Path, signed_in_ms: int | None, code: str
) -> None:
    await bring(fresh_db, tmp_path)
    await draw_for(fresh_db, "20240001", signed_in_ms=signed_in_ms)
    before = await picture(fresh_db)
    for n, (column, value) in enumerate([(2, "新名"), (8, 6), (9, "1")]):
        table = people()
        table[0][column] = value
        outcome = await bring(fresh_db, tmp_path, table, mode="apply")
        assert outcome.state == "blocked", n
        assert [(blocked.code, blocked.key) for blocked in outcome.blocked] == [(code, "20240001 王一")]
        assert all(outcome.blocked[0].line())
    assert (await bring(fresh_db, tmp_path, people()[1:], mode="apply")).state == "blocked"
    assert await picture(fresh_db) == before


async def test_a_draw_that_commits_first_is_seen(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    """An import that looked before the draw committed must not go on as if nobody had a paper."""
    await bring(fresh_db, tmp_path)
    table = people()
    table[0][8] = 6
    async with fresh_db.connect() as draw:
        await draw.execute(
            text(
                "INSERT INTO attempt (id, session_id, candidate_id, allotted_ms)"
                " SELECT gen_random_uuid(), session_id, candidate_id, 1 FROM allocation ORDER BY id LIMIT 1"
            )
        )
        applying = asyncio.create_task(bring(fresh_db, tmp_path, table, mode="apply"))
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        async with asyncio.timeout(60):
            while not await rows(fresh_db, waiting):
                assert not applying.done()
                await asyncio.sleep(0.02)
        await draw.commit()
    assert (await applying).state == "blocked"


async def test_others_may_still_change(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    await draw_for(fresh_db, "20240001")
    table = people()
    table[1][6] = "另一局"
    assert (await bring(fresh_db, tmp_path, table, mode="apply")).state == "changed"


async def test_a_session_that_is_drawn_or_open_keeps_its_times(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    longer = [[1, "第一场", "2024-07-20 08:30", None, 100], workbooks.SESSIONS[1]]
    await draw_for(fresh_db, "20240001")
    outcome = await bring(fresh_db, tmp_path, sessions=longer, mode="apply")
    assert [(blocked.code, blocked.key) for blocked in outcome.blocked] == [("session-drawn", "第1场")]
    await run(fresh_db, "UPDATE session SET start_ms = 5 WHERE number = 1")
    outcome = await bring(fresh_db, tmp_path, sessions=longer, mode="apply")
    assert [blocked.code for blocked in outcome.blocked] == ["session-anchored"]


async def test_a_newcomer_to_a_drawn_session_is_told(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    await draw_for(fresh_db, "20240001")
    outcome = await bring(fresh_db, tmp_path, people(5), mode="apply")
    assert outcome.state == "changed"
    assert "重新抽题" in outcome.notes[0][0]


async def test_a_room_in_use_by_staff_is_not_removed(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring(fresh_db, tmp_path)
    await run(
        fresh_db, "INSERT INTO staff (username, name, role, password_hash) VALUES ('i', '监考', 'invigilator', '')"
    )
    await run(fresh_db, "INSERT INTO staff_room SELECT s.id, r.id FROM staff s, room r WHERE r.name = '第02考室'")
    before = await picture(fresh_db)
    with pytest.raises(Refused) as caught:
        await bring(fresh_db, tmp_path, rooms=workbooks.ROOMS[:1], mode="apply")
    assert caught.value.code == "import-still-used"
    assert "监考分工" in caught.value.text("zh")
    assert await picture(fresh_db) == before


# --- the bank


async def test_a_bank_is_all_there(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    body = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    (tmp_path / "q.svg").write_bytes(body)
    table = workbooks.items()
    table[0][10] = "q.svg"
    assert (await bring_bank(fresh_db, tmp_path, table)).state == "imported"
    found = await rows(
        fresh_db,
        "SELECT i.number, v.* FROM item i JOIN item_version v ON v.item_id = i.id ORDER BY i.id",
    )
    assert [(each.number, each.version, each.type) for each in found] == [
        ("1", 1, "single"),
        ("2", 1, "multiple"),
        ("3", 1, "true_false"),
        ("4", 1, "blank"),
        ("5", 1, "text"),
    ]
    assert found[1].key == ["A", "B", "D"]
    assert found[3].key == [["1000", "一千"], ["1"]]
    assert found[2].options == [{"id": "T", "text": "正确"}, {"id": "F", "text": "错误"}]
    assert found[0].media == [hashlib.sha256(body).hexdigest()]
    stored = await rows(fresh_db, "SELECT * FROM media")
    assert [(each.content_type, bytes(each.body)) for each in stored] == [("image/svg+xml", body)]


async def test_a_changed_item_is_a_new_version(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring_bank(fresh_db, tmp_path)
    table = workbooks.items()
    table[0][8] = "B"
    table[1][9] = 3
    shown = await bring_bank(fresh_db, tmp_path, table)
    assert shown.state == "would-change"
    assert [(change.key, change.field, change.before, change.after) for change in shown.changes] == [
        ("1", "key", "A", "B"),
        ("2", "points", "2", "3"),
    ]
    applied = await bring_bank(fresh_db, tmp_path, table, mode="apply", expect=shown.digest)
    assert applied.state == "changed"
    versions = await rows(
        fresh_db, "SELECT i.number, v.version, v.key FROM item i JOIN item_version v ON v.item_id = i.id ORDER BY 1, 2"
    )
    assert [tuple(each) for each in versions][:3] == [("1", 1, "A"), ("1", 2, "B"), ("2", 1, ["A", "B", "D"])]
    assert (await bring_bank(fresh_db, tmp_path, table)).state == "unchanged"
    async with fresh_db.connect() as conn:
        entry = (await audit.entries(conn, limit=1))[0]
    assert entry["subject"]["changes"] == [
        {"action": "change", "key": "1", "field": "key"},
        {"action": "change", "key": "2", "field": "points"},
    ]


async def test_an_item_that_leaves_is_retired_and_may_come_back(fresh_db: AsyncEngine, tmp_path: Path) -> None:
    await bring_bank(fresh_db, tmp_path)
    fewer = workbooks.items()[:3]
    assert (await bring_bank(fresh_db, tmp_path, fewer, keep_others=True)).state == "unchanged"
    outcome = await bring_bank(fresh_db, tmp_path, fewer, mode="apply")
    assert outcome.summary() == {"remove item": 2}
    retired = "SELECT number FROM item WHERE retired ORDER BY number"
    assert [each.number for each in await rows(fresh_db, retired)] == ["4", "5"]
    assert (await bring_bank(fresh_db, tmp_path, fewer)).state == "unchanged"
    assert (await bring_bank(fresh_db, tmp_path, mode="apply")).summary() == {"add item": 2}
    assert await rows(fresh_db, retired) == []
    assert len(await rows(fresh_db, "SELECT * FROM item_version")) == 5


# --- real input, where it stands beside the checkout


async def test_the_real_roster_and_bank_in_a_few_seconds(
    fresh_db: AsyncEngine, tmp_path: Path, shared_data: Path
) -> None:
    roster, _, _ = read_roster(shared_data / "roster.xlsx")
    bank, _, _ = read_bank(shared_data / "bank.xlsx")
    assert roster is not None
    assert bank is not None
    told: list[tuple[int, int]] = []
    began = time.monotonic()
    first = await importing.import_roster(
        fresh_db, roster, key=KEY, source=SOURCE, progress=lambda done, total: told.append((done, total))
    )
    took = time.monotonic() - began
    assert (first.state, first.exam_name) == ("imported", "2024年度水利专业高级工程师职务任职资格评价业务考试")
    assert told[-1] == (7520, 7520)
    assert took < 20, f"{took:.1f} s"
    assert (await importing.import_bank(fresh_db, bank, source=SOURCE)).state == "imported"
    before = await picture(fresh_db)
    assert (await importing.import_roster(fresh_db, roster, key=KEY, source=SOURCE)).state == "unchanged"
    assert (await importing.import_bank(fresh_db, bank, source=SOURCE)).state == "unchanged"
    assert await picture(fresh_db) == before
    assert [len(before[table]) for table in ("room", "seat", "session", "candidate", "allocation", "item")] == [
        47,
        1997,
        3,
        1880,
        5640,
        417,
    ]


async def test_the_real_rounds(fresh_db: AsyncEngine, shared_data: Path) -> None:
    rounds, _, _ = read_roster(shared_data / "roster-rounds.xlsx")
    assert rounds is not None
    assert (await importing.import_roster(fresh_db, rounds, key=KEY, source=SOURCE)).state == "imported"
    assert len(await rows(fresh_db, "SELECT * FROM allocation")) == 1880
