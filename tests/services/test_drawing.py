"""Drawing on a real PostgreSQL: what is stored, what is refused, and what two at once get."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.bench.hall import Invented, invent
from app.domain.errors import Refused
from app.services.drawing import NOTHING, Drawn, draw_session
from app.services.paper_check import check_session
from app.storage.postgres import audit, blueprints
from app.storage.postgres import papers as store
from app.storage.postgres.engine import asyncpg_arguments

BANK = {
    ("机电", "single"): 24,
    ("水文", "single"): 18,
    ("机电", "multiple"): 12,
    ("机电", "true_false"): 12,
    ("水文", "blank"): 12,
    ("水文", "text"): 12,
}


def part(kind: str, count: int, topic: str | None = None, points_milli: int | None = None) -> dict[str, Any]:
    return {"topic": topic, "type": kind, "count": count, "points_milli": points_milli}


SPEC = {
    "sections": [
        {
            "title": "选择题",
            "strata": [part("single", 4, "机电"), part("single", 3, "水文"), part("multiple", 3, None, 2000)],
        },
        {"title": "其他", "strata": [part("true_false", 3), part("blank", 2), part("text", 1, "水文", 10_500)]},
    ],
    "shuffle_options": True,
}
COUNT = 16


async def an_exam(engine: AsyncEngine, *, sessions: int = 1, **more: Any) -> Invented:
    async with engine.begin() as conn:
        exam = await invent(conn, **({"code": "E", "rooms": [9, 7], "bank": BANK, "sessions": sessions} | more))
        for session_id in exam.session_ids:
            await blueprints.set_blueprint(conn, session_id, SPEC)
    return exam


async def rows(engine: AsyncEngine, sql: str, **values: object) -> list[dict[str, Any]]:
    async with engine.connect() as conn:
        return [dict(row) for row in (await conn.execute(text(sql), values)).mappings()]


async def change(engine: AsyncEngine, sql: str, **values: object) -> None:
    async with engine.begin() as conn:
        await conn.execute(text(sql), values)


async def counts(engine: AsyncEngine) -> dict[str, int]:
    tables = ("draw", "attempt", "paper", "paper_item", "audit_entry")
    return {name: (await rows(engine, f"SELECT count(*) AS n FROM {name}"))[0]["n"] for name in tables}


async def bodies(engine: AsyncEngine, session_id: int) -> dict[str, bytes]:
    async with engine.connect() as conn:
        return {row["ticket"]: bytes(row["body"]) for row in await store.stored(conn, session_id)}


async def items_by_ticket(engine: AsyncEngine, session_id: int) -> dict[str, list[int]]:
    async with engine.connect() as conn:
        return {row["ticket"]: row["versions"] for row in await store.stored(conn, session_id)}


# --- what is stored


async def test_every_candidate_has_an_attempt_a_paper_and_its_items(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, extra_time_ms=600_000)
    (session_id,) = exam.session_ids
    told: list[tuple[str, int, int]] = []
    drawn = await draw_session(fresh_db, session_id, seed="s", progress=lambda *step: told.append(step))

    assert (drawn.papers, drawn.items, drawn.seed, drawn.replaced) == (16, COUNT, "s", 0)
    assert await counts(fresh_db) == {"draw": 1, "attempt": 16, "paper": 16, "paper_item": 16 * COUNT, "audit_entry": 1}
    attempts = await rows(fresh_db, "SELECT * FROM attempt ORDER BY allotted_ms")
    assert [row["allotted_ms"] for row in attempts] == [5_400_000] * 15 + [6_000_000]
    assert {(row["state"], row["epoch"], row["end_ms"], row["signed_in_ms"]) for row in attempts} == {
        ("open", 0, None, None)
    }
    (kept,) = await rows(fresh_db, "SELECT * FROM draw")
    assert (kept["seed"], kept["papers"], bytes(kept["digest"]).hex()) == ("s", 16, drawn.digest)
    assert kept["spec"]["blueprint"] == SPEC
    # Stages come in order and each ends with all of it.
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == ["read", "select", "place", "check", "build", "store"]
    assert {total for stage, done, total in told if done == total} >= {16, 16 * COUNT}


async def test_the_stored_bytes_are_the_paper_and_never_hold_a_key(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    sha256 = "ab" * 32
    await change(fresh_db, "ALTER TABLE item_version DISABLE TRIGGER USER")
    await change(
        fresh_db,
        "UPDATE item_version SET media = CAST(:media AS jsonb) WHERE type = 'text'",
        media=json.dumps([sha256]),
    )
    await change(
        fresh_db,
        "UPDATE item_version SET options = jsonb_set(options, '{0,media}', CAST(:media AS jsonb))"
        " WHERE type = 'multiple'",
        media=json.dumps(sha256),
    )
    await draw_session(fresh_db, exam.session_ids[0], seed="s")
    versions = {row["id"]: row for row in await rows(fresh_db, "SELECT * FROM item_version")}
    async with fresh_db.connect() as conn:
        stored = await store.stored(conn, exam.session_ids[0])
    assert len(stored) == 16
    for row in stored:
        body = json.loads(gzip.decompress(bytes(row["body"])))
        assert list(body) == ["paper", "sections"]
        assert body["paper"] == row["etag"]
        assert [section["title"] for section in body["sections"]] == ["选择题", "其他"]
        assert all(list(section) == ["title", "items"] for section in body["sections"])
        items = [item for section in body["sections"] for item in section["items"]]
        assert [item["position"] for item in items] == list(range(1, COUNT + 1))
        assert [item["item"] for item in items] == row["versions"]
        assert ["".join(option["id"] for option in item["options"]) for item in items] == row["orders"]
        assert [round(item["points"] * 1000) for item in items] == row["points"]
        for item in items:
            bank = versions[item["item"]]
            picture = f"/api/v1/attempt/media/{sha256}"
            assert set(item) - {"blanks"} == {"item", "position", "type", "points", "stem", "media", "options"}
            assert (item["type"], item["stem"]) == (bank["type"], bank["stem"])
            assert item.get("blanks") == (2 if bank["type"] == "blank" else None)
            assert item["media"] == ([picture] if bank["type"] == "text" else [])
            assert {option["id"]: option["text"] for option in item["options"]} == {
                option["id"]: option["text"] for option in bank["options"]
            }
            shown = {option["id"]: option["media"] for option in item["options"]}
            if bank["type"] == "multiple":
                assert shown == {"A": picture} | dict.fromkeys("BCDE")
            else:
                assert not any(shown.values())
    points = {kind: {row["points"] for row in await rows(
        fresh_db,
        "SELECT DISTINCT p.points_milli AS points FROM paper_item p JOIN item_version v ON v.id = p.item_version_id"
        " WHERE v.type = :kind", kind=kind)} for kind in ("single", "multiple", "text")}  # fmt: skip
    assert points == {"single": {1000}, "multiple": {2000}, "text": {10_500}}


async def test_a_session_already_anchored_gets_its_ends(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, extra_time_ms=600_000)
    await change(fresh_db, "UPDATE session SET start_ms = 1000000")
    await draw_session(fresh_db, exam.session_ids[0])
    ends = await rows(fresh_db, "SELECT end_ms FROM attempt ORDER BY end_ms")
    assert [row["end_ms"] for row in ends] == [6_400_000] * 15 + [7_000_000]


async def test_the_draw_is_on_the_audit_log_once_and_without_its_seed(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    drawn = await draw_session(fresh_db, exam.session_ids[0], seed="secret-seed", actor="考务")
    async with fresh_db.connect() as conn:
        (entry,) = await audit.entries(conn)
        assert await audit.verify(conn) is None
    assert (entry["actor"], entry["action"]) == ("考务", "papers.draw")
    assert entry["subject"]["digest"] == drawn.digest
    # With the seed and the bank anybody could make the papers before the session.
    assert "secret-seed" not in json.dumps(entry["subject"])


async def test_a_seed_of_its_own_when_none_is_given(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=2)
    first, second = [await draw_session(fresh_db, each) for each in exam.session_ids]
    assert len(first.seed) == 32
    assert first.seed != second.seed


# --- over several sessions


async def test_no_item_comes_back_in_another_session_and_a_new_version_is_the_same_item(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=3)
    seen: Counter[tuple[str, str]] = Counter()
    for number, session_id in enumerate(exam.session_ids, start=1):
        if number == 2:
            await change(
                fresh_db,
                "INSERT INTO item_version"
                " (item_id, version, type, topic, stem, options, key, points_milli, content_hash)"
                " SELECT item_id, 2, type, topic, stem || '!', options, key, points_milli, 'x' FROM item_version",
            )
        await draw_session(fresh_db, session_id, seed="same seed")
    drawn = await rows(
        fresh_db,
        "SELECT c.ticket, i.number, v.version, s.number AS session FROM paper_item p"
        " JOIN item_version v ON v.id = p.item_version_id JOIN item i ON i.id = v.item_id"
        " JOIN attempt a ON a.id = p.attempt_id JOIN candidate c ON c.id = a.candidate_id"
        " JOIN session s ON s.id = a.session_id",
    )
    seen.update((row["ticket"], row["number"]) for row in drawn)
    assert len(seen) == 3 * 16 * COUNT
    assert set(seen.values()) == {1}
    assert {(row["session"], row["version"]) for row in drawn} == {(1, 1), (2, 2), (3, 2)}


async def test_what_three_sessions_need_is_refused_with_the_numbers_before_the_first(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=3, bank=BANK | {("水文", "single"): 8})
    with pytest.raises(Refused) as refusal:
        await draw_session(fresh_db, exam.session_ids[0])
    assert refusal.value.code == "bank-too-small"
    (short,) = refusal.value.params["shortages"]
    assert short == {
        "topic": "水文", "type": "single", "this_session": 3, "already_drawn": 0, "later_sessions": 6,
        "needed": 9, "available": 8, "candidates": 16,
    }  # fmt: skip
    assert (await counts(fresh_db))["attempt"] == 0


async def test_rounds_share_a_bank_because_nobody_sits_twice(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=3, bank=dict.fromkeys(BANK, 6))
    await change(fresh_db, "DELETE FROM allocation WHERE candidate_id % 3 <> session_id % 3")
    drawn = [await draw_session(fresh_db, session_id) for session_id in exam.session_ids]
    assert sum(each.papers for each in drawn) == 16
    assert [(await check_session(fresh_db, session_id)).faults for session_id in exam.session_ids] == [[], [], []]


async def test_a_retired_item_is_drawn_no_more(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=2)
    await draw_session(fresh_db, exam.session_ids[0])
    await change(fresh_db, "UPDATE item SET retired = true WHERE number::int % 4 = 0")
    await draw_session(fresh_db, exam.session_ids[1])
    drawn = "SELECT DISTINCT i.retired FROM paper_item p JOIN item_version v ON v.id = p.item_version_id"
    drawn += " JOIN item i ON i.id = v.item_id JOIN attempt a ON a.id = p.attempt_id WHERE a.session_id = :s"
    assert [len(await rows(fresh_db, drawn, s=session_id)) for session_id in exam.session_ids] == [2, 1]
    assert [(await check_session(fresh_db, session_id)).reproduced for session_id in exam.session_ids] == ["yes", "yes"]


# --- drawing again


async def test_the_same_seed_draws_the_same_bytes_and_keeps_the_attempts(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    (session_id,) = exam.session_ids
    first = await draw_session(fresh_db, session_id, seed="s")
    before, ids = await bodies(fresh_db, session_id), await rows(fresh_db, "SELECT id FROM attempt ORDER BY id")

    other = await draw_session(fresh_db, session_id, seed="t", redraw=True)
    assert (other.replaced, other.digest != first.digest) == (16, True)
    assert await bodies(fresh_db, session_id) != before

    again = await draw_session(fresh_db, session_id, seed="s", redraw=True)
    assert again.digest == first.digest
    assert await bodies(fresh_db, session_id) == before
    assert await rows(fresh_db, "SELECT id FROM attempt ORDER BY id") == ids
    # Every draw there ever was is kept; every one is in the log.
    assert [row["seed"] for row in await rows(fresh_db, "SELECT seed FROM draw ORDER BY id")] == ["s", "t", "s"]
    actions = await rows(fresh_db, "SELECT action FROM audit_entry ORDER BY n")
    assert [row["action"] for row in actions] == ["papers.draw", "papers.redraw", "papers.redraw"]


async def test_drawing_again_reads_extra_time_and_late_allocations(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    (session_id,) = exam.session_ids
    await change(fresh_db, "UPDATE session SET start_ms = 1000000")
    gone = "DELETE FROM allocation WHERE candidate_id = (SELECT max(id) FROM candidate) RETURNING *"
    async with fresh_db.begin() as conn:
        (late,) = (await conn.execute(text(gone))).mappings().all()
    await draw_session(fresh_db, session_id)
    await change(fresh_db, "UPDATE candidate SET extra_time_ms = 60000 WHERE id = (SELECT min(id) FROM candidate)")
    await change(
        fresh_db,
        "INSERT INTO allocation (session_id, candidate_id, seat_id, planned_seat_id) VALUES (:s, :c, :t, :t)",
        s=session_id, c=late["candidate_id"], t=late["seat_id"],
    )  # fmt: skip
    assert (await draw_session(fresh_db, session_id, redraw=True)).papers == 16
    ends = await rows(fresh_db, "SELECT allotted_ms, end_ms, clock_rev FROM attempt ORDER BY end_ms")
    assert [tuple(row.values()) for row in ends] == [(5_400_000, 6_400_000, 0)] * 15 + [(5_460_000, 6_460_000, 1)]


# --- refusals: nothing is stored


async def refused(engine: AsyncEngine, session_id: int, **options: Any) -> Refused:
    before = await counts(engine)
    with pytest.raises(Refused) as refusal:
        await draw_session(engine, session_id, **options)
    assert await counts(engine) == before
    assert refusal.value.text("zh") != refusal.value.text("en")
    return refusal.value


async def test_what_is_drawn_stays_until_someone_says_redraw(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    (session_id,) = exam.session_ids
    no = await refused(fresh_db, session_id, seen="00")
    assert (no.code, no.params["papers"]) == ("draw-changed", 0)
    drawn = await draw_session(fresh_db, session_id, seen=NOTHING)
    no = await refused(fresh_db, session_id)
    assert (no.code, no.params["papers"]) == ("already-drawn", 16)
    # Said by somebody who looked at other papers, it is not meant for these.
    for seen in (NOTHING, "00"):
        assert (await refused(fresh_db, session_id, redraw=True, seen=seen)).code == "draw-changed"
    assert (await draw_session(fresh_db, session_id, redraw=True, seen=drawn.digest)).replaced == 16


async def test_papers_that_somebody_may_have_seen_are_never_replaced(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    (session_id,) = exam.session_ids
    await draw_session(fresh_db, session_id)
    await change(fresh_db, "UPDATE attempt SET signed_in_ms = 5, epoch = 1 WHERE id = (SELECT id FROM attempt LIMIT 1)")
    no = await refused(fresh_db, session_id, redraw=True)
    assert (no.code, no.params["count"]) == ("papers-in-use", 1)


async def test_a_session_that_has_started_gets_no_papers(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    await change(fresh_db, "UPDATE session SET start_ms = 1000")
    await change(fresh_db, "UPDATE service_clock SET counter_ms = 1000")
    assert (await refused(fresh_db, exam.session_ids[0])).code == "session-started"
    await change(fresh_db, "UPDATE service_clock SET counter_ms = 999")
    assert (await draw_session(fresh_db, exam.session_ids[0])).papers == 16


async def test_a_session_that_starts_while_it_is_drawn_gets_no_papers(fresh_db: AsyncEngine, fresh_url: str) -> None:
    exam = await an_exam(fresh_db)
    await change(fresh_db, "UPDATE session SET start_ms = 1000")

    async def tick() -> None:
        connection = await asyncpg.connect(**asyncpg_arguments(fresh_url))
        await connection.execute("UPDATE service_clock SET counter_ms = 1000")
        await connection.close()

    def progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("build", total):
            asyncio.run(tick())  # in the thread that draws

    assert (await refused(fresh_db, exam.session_ids[0], progress=progress)).code == "session-started"


async def test_what_is_missing_is_named(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    (session_id,) = exam.session_ids
    assert (await refused(fresh_db, session_id + 99)).code == "not-found"
    await change(fresh_db, "DELETE FROM blueprint")
    assert (await refused(fresh_db, session_id)).code == "blueprint-missing"
    async with fresh_db.begin() as conn:
        await blueprints.set_blueprint(conn, session_id, SPEC)
    await change(fresh_db, "DELETE FROM allocation")
    assert (await refused(fresh_db, session_id)).code == "nobody-allocated"


# --- two at once


async def test_two_sessions_drawn_at_once_share_no_item(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=2)
    await asyncio.gather(*(draw_session(fresh_db, session_id, seed="s") for session_id in exam.session_ids))
    first, second = [await items_by_ticket(fresh_db, session_id) for session_id in exam.session_ids]
    assert all(not set(first[ticket]) & set(second[ticket]) for ticket in first)
    assert [(await check_session(fresh_db, session_id)).faults for session_id in exam.session_ids] == [[], []]


async def test_one_session_drawn_twice_at_once_is_drawn_once(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    both = await asyncio.gather(
        *(draw_session(fresh_db, exam.session_ids[0]) for _ in range(2)), return_exceptions=True
    )
    assert {type(each) for each in both} == {Drawn, Refused}
    assert (await counts(fresh_db))["paper"] == 16


async def test_a_sign_in_during_a_redraw_waits_for_the_new_papers(fresh_db: AsyncEngine, fresh_url: str) -> None:
    exam = await an_exam(fresh_db)
    (session_id,) = exam.session_ids
    await draw_session(fresh_db, session_id)
    tried: list[str] = []

    async def sign_in() -> None:
        connection = await asyncpg.connect(**asyncpg_arguments(fresh_url))
        try:
            await connection.execute("SELECT 1 FROM attempt LIMIT 1 FOR NO KEY UPDATE NOWAIT")
        except asyncpg.LockNotAvailableError:
            tried.append("waits")
        finally:
            await connection.close()

    def progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("build", total):
            asyncio.run(sign_in())

    await draw_session(fresh_db, session_id, redraw=True, progress=progress)
    assert tried == ["waits"]


# --- who drew it


async def test_who_drew_an_item_is_answered_from_the_index(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, rooms=[40] * 5, bank={("机电", "single"): 400}, sessions=2)
    spec = {"sections": [{"title": "单选题", "strata": [part("single", 50)]}], "shuffle_options": True}
    async with fresh_db.begin() as conn:
        for session_id in exam.session_ids:
            await blueprints.set_blueprint(conn, session_id, spec)
    for session_id in exam.session_ids:
        await draw_session(fresh_db, session_id)
    await change(fresh_db, "ANALYZE paper_item, attempt, candidate, allocation, seat, room, session")

    async with fresh_db.connect() as conn:
        versions = await store.item_versions(conn, "E", "7")
        found = await store.who_drew(conn, versions)
        plan = "\n".join(
            row[0] for row in await conn.execute(text(f"EXPLAIN {store.WHO_DREW}"), {"versions": versions})
        )
        assert await store.item_versions(conn, "E", "no such") == []
        assert await store.who_drew(conn, []) == []
    assert "ix_paper_item_item_version_id" in plan
    assert "Seq Scan on paper_item" not in plan

    expected = Counter()
    for number, session_id in enumerate(exam.session_ids, start=1):
        for ticket, items in (await items_by_ticket(fresh_db, session_id)).items():
            if versions[0] in items:
                expected[number, ticket, items.index(versions[0]) + 1] += 1
    assert Counter((row["session"], row["ticket"], row["position"]) for row in found) == expected
    # 200 papers × 50 of 400 items: each is on 25 papers of a session.
    assert len(found) == 50
    assert {row["item_version_id"] for row in found} == set(versions)
    assert all(row["room"].startswith("第") and row["seat"].isdigit() for row in found)


# --- checking what is stored


async def test_a_draw_checks_out_and_its_seed_makes_it_again(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=2)
    drawn = [await draw_session(fresh_db, session_id, columns=3) for session_id in exam.session_ids]
    for each, session_id in zip(drawn, exam.session_ids, strict=True):
        report = await check_session(fresh_db, session_id)
        assert (report.faults, report.reproduced, report.ok) == ([], "yes", True)
        assert (report.papers, report.digest, report.seed) == (16, each.digest, each.seed)


async def test_what_happens_after_a_draw_does_not_spoil_its_check(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=2)
    for session_id in exam.session_ids:
        await draw_session(fresh_db, session_id)
    # Items are added and changed, the blueprint too, and somebody moves to a spare seat.
    await change(fresh_db, "INSERT INTO item (exam_id, number) VALUES (:e, 'new')", e=exam.exam_id)
    await change(
        fresh_db,
        "INSERT INTO item_version (item_id, version, type, topic, stem, options, key, points_milli, content_hash)"
        " SELECT i.id, 2, v.type, v.topic, v.stem, v.options, v.key, v.points_milli, 'x' FROM item i, item_version v"
        " WHERE v.type = 'single'"
        " AND (i.id = v.item_id OR (i.number = 'new' AND v.id = (SELECT min(id) FROM item_version)))",
    )
    await change(fresh_db, "UPDATE blueprint SET spec = jsonb_set(spec, '{shuffle_options}', 'false')")
    spare = "SELECT id FROM seat WHERE is_spare ORDER BY id LIMIT 1"
    await change(fresh_db, f"UPDATE allocation SET seat_id = ({spare}) WHERE id IN (SELECT min(id) FROM allocation)")
    for session_id in exam.session_ids:
        report = await check_session(fresh_db, session_id)
        assert (report.faults, report.reproduced) == ([], "yes")


async def test_a_later_redraw_elsewhere_is_told_apart_from_tampering(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db, sessions=2)
    for session_id in exam.session_ids:
        await draw_session(fresh_db, session_id)
    await draw_session(fresh_db, exam.session_ids[0], redraw=True)
    first, second = [await check_session(fresh_db, session_id) for session_id in exam.session_ids]
    assert (first.faults, first.reproduced) == ([], "yes")
    assert (second.faults, second.reproduced, second.ok) == ([], "inputs-changed", True)


ONE_PAPER_EMPTIED = "DELETE FROM paper_item WHERE attempt_id = (SELECT min(attempt_id::text)::uuid FROM paper)"


@pytest.mark.parametrize(
    ("sql", "rules"),
    [
        (
            "UPDATE paper_item SET option_order = reverse(option_order) WHERE length(option_order) = 5",
            {"body", "papers"},
        ),
        ("UPDATE paper_item SET points_milli = 999 WHERE position = 1", {"points", "body", "papers"}),
        ("UPDATE paper SET etag = 'x'", {"body"}),
        ("UPDATE paper SET body = 'x'", {"body"}),
        ("DELETE FROM paper_item WHERE position = 16", {"blueprint", "exposure", "body", "papers"}),
        (ONE_PAPER_EMPTIED, {"blueprint", "exposure", "body", "papers"}),
    ],
)
async def test_a_change_behind_the_draw_is_found(fresh_db: AsyncEngine, sql: str, rules: set[str]) -> None:
    exam = await an_exam(fresh_db, rooms=[16])
    await draw_session(fresh_db, exam.session_ids[0], seed="s")
    async with fresh_db.begin() as conn:
        assert (await conn.execute(text(sql))).rowcount > 0
    report = await check_session(fresh_db, exam.session_ids[0])
    assert not report.ok
    found = {fault.rule for fault in report.faults}
    assert found <= rules
    assert found >= rules - {"exposure"}


async def test_nothing_drawn_is_nothing_to_check(fresh_db: AsyncEngine) -> None:
    exam = await an_exam(fresh_db)
    with pytest.raises(Refused, match="has not been drawn"):
        await check_session(fresh_db, exam.session_ids[0])
    with pytest.raises(Refused) as refusal:
        await check_session(fresh_db, 10_000)
    assert refusal.value.code == "not-found"


# --- at full size


async def test_a_full_hall_is_drawn_and_stored(fresh_db: AsyncEngine) -> None:
    """1,880 papers of 100 items from the reference bank's shape. How long it takes is `holdfast bench draw`."""
    bank = {("施工", "single"): 139, ("机电", "single"): 172, ("水文", "single"): 106}
    exam = await an_exam(fresh_db, rooms=[40] * 47, bank=bank)
    strata = [part("single", 33, "施工"), part("single", 41, "机电"), part("single", 26, "水文")]
    async with fresh_db.begin() as conn:
        spec = {"sections": [{"title": "单选题", "strata": strata}], "shuffle_options": True}
        await blueprints.set_blueprint(conn, exam.session_ids[0], spec)
    await draw_session(fresh_db, exam.session_ids[0])
    assert (await counts(fresh_db))["paper_item"] == 188_000
