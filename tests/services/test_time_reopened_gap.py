"""An extension given long after an attempt ended opens it again: what lies between counts to the cap, and is said."""

from __future__ import annotations

import pytest

from app.domain import adjustments, clock
from app.domain.clock import Entry, Ledger
from tests.halls import opened
from tests.services.test_time_postpone import change, done, rows
from tests.staff import signed_in

MIN = 60_000
GAP = 42 * MIN + 10_000


@pytest.fixture
async def hall(fresh_url, redis_url, redis, fresh_db):
    async with opened(fresh_url, redis_url, fresh_db, rooms=[("南楼", 2)]) as (_, client, made):
        made.client = client
        yield made


@pytest.fixture
async def office(hall, fresh_db):
    return await signed_in(hall.client, fresh_db, "office")


async def over_for(hall, attempts, gap_ms: int, reason: str = "time_out") -> None:
    """Their time was up ``gap_ms`` ago. The service goes on meanwhile: what is told later is this or a little more."""
    ended = hall.now_ms - gap_ms
    await rows(
        hall,
        "UPDATE attempt SET state = 'ended', end_reason = :why, ended_ms = :e, end_ms = :e, allotted_ms = :e"
        " WHERE id = ANY(:a)",
        e=ended, a=list(attempts), why=reason,
    )  # fmt: skip


async def test_the_preview_says_how_much_of_it_is_the_time_since_the_end(hall, office):
    one = hall.rooms[0][0]
    await over_for(hall, [one], GAP)
    asked = change(hall, "extend", "candidate", attempt=str(one), ms=5 * MIN)
    effect = (await office.post("/time/preview", asked)).json()["effect"]
    assert effect["refused"] is None
    gap, told = effect["idle_ms"], clock.duration_text(effect["idle_ms"])
    assert GAP <= gap < GAP + 5 * MIN
    total = clock.duration_text(gap + 5 * MIN)
    assert f"；重开 1 人，计入上限合计 {total}，其中 {told} 为结束后至重开之间的空档" in effect["zh"]
    assert f"; 1 attempt reopened, {total} counts to the cap in all, of these {told} between the end" in effect["en"]
    await done(office, asked)
    explained = (await office.get(f"/attempts/{one}/time")).json()
    assert explained["lost_ms"] >= gap + 5 * MIN


async def test_the_refusal_says_it_too(hall, office):
    one, two = hall.rooms[0]
    await over_for(hall, [one], GAP)
    asked = change(hall, "extend", "candidate", attempt=str(one), ms=20 * MIN)
    shown = (await office.post("/time/preview", asked)).json()["effect"]
    refused = (await office.post("/time/actions", asked)).json()
    assert refused["code"] == shown["refused"]["code"] == "cap-exceeded"
    for said, member in ((shown["refused"], shown["over_cap"][0]), (refused, refused["over_cap"][0])):
        gap, total = (clock.duration_text(member[what]) for what in ("idle_ms", "lost_ms"))
        said_zh = said["zh"] if "zh" in said else said["detail"]
        assert f"；合计 {total}，其中 {gap} 为结束后至重开之间的空档。" in said_zh
    gap, total = (clock.duration_text(shown["over_cap"][0][what]) for what in ("idle_ms", "lost_ms"))
    assert f"; {total} in all, of these {gap} between the end and the reopening." in shown["refused"]["en"]
    # Of several it is told of the one whom it takes furthest.
    await over_for(hall, [two], GAP + 10 * MIN)
    asked = change(hall, "extend", "list", tickets=[person.ticket for person in hall.made.people], ms=20 * MIN)
    refused = (await office.post("/time/actions", asked)).json()
    most = max(refused["over_cap"], key=lambda told: told["lost_ms"])
    assert most["idle_ms"] >= GAP + 10 * MIN
    assert f"最多者合计 {clock.duration_text(most['lost_ms'])}，其中 {clock.duration_text(most['idle_ms'])}" in str(
        refused
    )


async def test_whoever_is_still_sitting_reads_nothing_of_it(hall, office):
    asked = change(hall, "extend", ms=61 * MIN)
    effect = (await office.post("/time/preview", asked)).json()["effect"]
    assert (effect["idle_ms"], "重开" in effect["zh"], "重开" in effect["refused"]["zh"]) == (0, False, False)
    assert [one["idle_ms"] for one in effect["over_cap"]] == [0, 0]


ENDED, NOW = 90 * MIN, 90 * MIN + GAP
PLANNED = Ledger(0, 90 * MIN)


def again(*entries: Entry, ledger: Ledger = PLANNED) -> Ledger:
    gap = Entry(9, "credit", from_ms=ENDED, to_ms=NOW, reason="reopened", made_ms=NOW)
    return adjustments.planned(ledger, *entries, gap)


def test_the_time_since_the_end_is_told_once():
    extend = Entry(8, "extend", amount_ms=5 * MIN, made_ms=NOW)
    assert adjustments.idle_ms(PLANNED, again(extend), now_ms=NOW) == GAP
    # Ten minutes of it were credited before: they count, and not because of the reopening.
    credited = adjustments.planned(
        PLANNED, Entry(7, "credit", from_ms=ENDED - MIN, to_ms=ENDED + 10 * MIN, made_ms=NOW)
    )
    assert adjustments.idle_ms(credited, again(extend, ledger=credited), now_ms=NOW) == GAP - 10 * MIN
    # What was reopened earlier is no news.
    assert adjustments.idle_ms(again(extend), again(extend), now_ms=NOW) == 0
