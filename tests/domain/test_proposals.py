"""How much of a measured gap the cap leaves, and the words of a proposal."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import adjustments, clock
from app.domain.clock import Entry, Ledger, Outage
from app.domain.proposals import surplus_from, words

MINUTE = 60_000
CAP = 60 * MINUTE
instants = st.integers(0, 150)


def entries(parts) -> tuple[Entry, ...]:
    made = []
    for n, (kind, one, other) in enumerate(parts, 1):
        first, last = min(one, other), max(one, other)
        if kind == "credit":
            made.append(Entry(n, "credit", from_ms=first, to_ms=last))
        else:
            made.append(Entry(n, kind, amount_ms=max(1, last - first)))
    return tuple(made)


ledgers = st.builds(
    Ledger,
    start_ms=st.integers(0, 30),
    allotted_ms=st.integers(1, 100),
    entries=st.lists(st.tuples(st.sampled_from(["credit", "extend", "postpone"]), instants, instants), max_size=4).map(
        entries
    ),
    outages=st.lists(st.builds(Outage, instants, st.integers(1, 40)), max_size=2).map(tuple),
)


@given(ledger=ledgers, ends=st.tuples(instants, instants), limit=st.integers(0, 200))
def test_a_gap_is_credited_up_to_the_cap_and_not_a_millisecond_beyond(ledger, ends, limit):
    first, last = min(ends), max(ends)
    within = surplus_from(ledger, first, last, now_ms=last, limit_ms=limit)

    def lost(end: int) -> int:
        gap = Entry(99, "credit", from_ms=first, to_ms=end)
        return clock.lost_ms(adjustments.planned(ledger, gap), last)

    allowed = max(limit, clock.lost_ms(ledger, last))
    # Counted one by one: the greatest end that is allowed.
    assert within == max((end for end in range(first, last + 1) if lost(end) <= allowed), default=last)


def test_what_was_credited_already_uses_none_of_what_is_left():
    ledger = Ledger(0, 90 * MINUTE, (Entry(1, "credit", from_ms=0, to_ms=59 * MINUTE),))
    assert surplus_from(ledger, 0, 62 * MINUTE, now_ms=62 * MINUTE, limit_ms=CAP) == CAP
    assert surplus_from(ledger, 0, 59 * MINUTE, now_ms=62 * MINUTE, limit_ms=CAP) == 59 * MINUTE


def at(clock_time: str) -> datetime:
    return datetime.fromisoformat(f"2024-07-20T{clock_time}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))


LOST = {"seats": 40, "silent": 38}
SPAN = {"from_at": at("09:12:40"), "to_at": at("09:15:10"), "ms": 150_000}


@pytest.mark.parametrize(
    ("kind", "evidence", "zh", "en"),
    [
        (
            "room-loss", LOST,
            "考室断联 09:12:40–09:15:10，40 台中 38 台无响应，建议补时 2:30",
            "Room lost 09:12:40–09:15:10, 38 of 40 seats silent, proposed credit 2:30",
        ),
        (
            "building-loss", LOST | {"going": True},
            "楼宇断联 09:12:40 起仍未恢复，40 台中 38 台无响应，至今 2:30",
            "Building lost since 09:12:40 and still out, 38 of 40 seats silent, 2:30 so far",
        ),
        (
            "relog-surplus", {},
            "换机用时 09:12:40–09:15:10 中有 2:30 超出本场上限，未自动补时，请决定",
            "Of the move 09:12:40–09:15:10 a further 2:30 would go over the cap and was not credited: please decide",
        ),
        (
            "shorten", {"typed_at": at("09:12:40"), "credited_ms": 200_000},
            "采用的答案是在补时时段内的 09:12:40 作答的，建议将补时 3:20 缩短为 2:30",
            "The adopted answer was typed at 09:12:40, inside the credited gap: shorten 3:20 to 2:30?",
        ),
        (
            "follows",
            {"after": {"number": 1}},
            "因第 1 场延后，建议本场推迟 2:30 开考",
            "Session 1 runs later: postpone the start of this one by 2:30",
        ),
        ("asked", {}, "王老师 申请补时 09:12:40–09:15:10，2:30", "王老师 asks for a credit 09:12:40–09:15:10, 2:30"),
    ],
)  # fmt: skip
def test_what_the_office_reads(kind, evidence, zh, en):
    assert words(kind, evidence, **SPAN, by="王老师") == (zh, en)


def test_a_length_without_an_interval():
    told = words("asked", {}, from_at=None, to_at=None, ms=150_000, by="王老师")
    assert told == ("王老师 申请延长 2:30", "王老师 asks for 2:30 more")
