"""The history as it is told: when, where, what, and what nobody was told."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.commands.attempt_words import TELL
from app.domain.attempt_history import events, shown, wall
from app.domain.attempt_proof import head_digits, prove
from app.domain.attempt_record import Adjustment, Aside, Lease, PaperItem, Relog, Snapshot, Standing, Term
from app.domain.chain import Head, Revision, heads
from app.domain.responses import Response, Version, value_hash

ATTEMPT = uuid.UUID("d6a162e4-d51f-42ae-b716-d99842eb1e94")
EPOCH = 1_000_001
TEN = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
PAPER = {7: PaperItem(1, "single", "CADB"), 8: PaperItem(2, "multiple", "BCA"), 9: PaperItem(3, "text", "")}


def answer(item: int, rev: int, value: object, epoch: int = EPOCH, adopt_n: int = 0, at_ms: int = 0) -> Response:
    return Response(item, Version(epoch, rev, adopt_n, value_hash(value)), value, at_ms)


def record(revisions: list[Revision], **more) -> Snapshot:
    """A consistent record of an attempt that is being sat, unless told otherwise."""
    found = heads(ATTEMPT, revisions)
    links = max(found)
    noted = [replace(one, before=found[one.link - 1]) for one in revisions]
    current = {}
    for one in noted:
        kept = current.get(one.response.item)
        if kept is None or kept[0].version < one.response.version:
            current[one.response.item] = (one.response, one.stamp_ms, one.late)
    standing = Standing("open", EPOCH, ((EPOCH, 1000),), Head(found[links], links, len(noted)))
    known = Snapshot(
        attempt=ATTEMPT, ticket="T1", name="林秋实", exam="W", timezone="Asia/Shanghai", session_number=1,
        session_name="第一场", start_ms=0, revisions=noted, responses=current, paper=PAPER,
        leases=[Lease(EPOCH, "pc-1", "第01考室 2", "192.0.2.7", 1000)],
        standing=replace(standing, **more.pop("standing", {})),
    )  # fmt: skip
    return replace(known, **more)


def told(snapshot: Snapshot, quiet_ms: int = 300_000) -> list[tuple[int, str]]:
    return [(one.at_ms, one.kind) for one in events(snapshot, quiet_ms=quiet_ms, outage_ms=2000)]


def test_instants_are_told_on_the_wall_through_the_terms():
    terms = [Term(1, 0, 0, TEN), Term(2, 60_000, 90_000, TEN + timedelta(seconds=150))]
    assert wall(terms, 59_999) == TEN + timedelta(milliseconds=59_999)
    # The counter stood for a minute and a half.
    assert wall(terms, 60_000) == TEN + timedelta(seconds=150)
    assert wall(terms, 61_000) == TEN + timedelta(seconds=151)
    assert wall(terms, -1) is None
    assert wall([], 5) is None


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        (7, "C", "A"), (7, "B", "D"), (7, None, ""), (8, ["A", "B"], "A、C"), (8, [], ""), (9, "水跃", "水跃"),
        # What the paper does not know is told as it is stored.
        (7, "E", "E"), (6, ["42", "7"], "42、7"), (8, "", ""),
    ],
)  # fmt: skip
def test_an_answer_is_told_as_it_stood_on_the_candidates_screen(item, value, expected):
    assert shown(value, PAPER.get(item)) == expected


def test_everything_is_told_in_the_order_in_which_it_happened():
    aside = Aside(answer(7, 2, "D"), 9000, "old_epoch", "kept")
    snapshot = record(
        [
            Revision(1, answer(7, 1, "C", at_ms=1400), 1500, 1),
            Revision(1, answer(9, 1, "水"), 1500, 1),
            Revision(2, answer(7, 1, "A", EPOCH + 1), 8000, 1, late=True),
        ],
        leases=[
            Lease(EPOCH, "pc-1", "第01考室 2", "192.0.2.7", 1000, 7000),
            Lease(EPOCH + 1, "pc-2", "第01考室 备1", "192.0.2.8", 7000),
        ],
        relogs=[
            Relog(4000, 4500, "withdrawn", "power", "高明", "第01考室 2", "第01考室 备2"),
            Relog(6000, 7000, "used", "pc_failed", "高明", "第01考室 2", "第01考室 备1"),
        ],
        stranded=[aside],
        adjustments=[
            Adjustment("credit", 5000, 7000, None, "relog", "", "高明", 7000),
            Adjustment("extend", None, None, 60_000, "噪声", "", None, 7500),
        ],
        terms=[Term(1, 0, 0, TEN), Term(2, 3000, 30_000, TEN), Term(3, 3500, 900, TEN), Term(4, 99_000, 9000, TEN)],
        standing={"state": "final", "ended_ms": 9500, "end_reason": "hand_in", "final_ms": 9600, "receipt": {}},
    )
    assert told(snapshot) == [
        (0, "start"), (1000, "sign_in"), (1500, "revision"), (1500, "revision"), (3000, "outage"), (4000, "relog"),
        (4500, "relog_withdrawn"), (6000, "relog"), (7000, "sign_in"), (7000, "adjustment"), (7500, "adjustment"),
        (8000, "revision"), (9000, "stranded"), (9500, "end"), (9600, "final"),
    ]  # fmt: skip
    facts = {one.at_ms: one.facts for one in events(snapshot, quiet_ms=300_000, outage_ms=2000)}
    assert facts[8000] == {
        "item": 7, "position": 1, "value": "A", "shown": "B", "rev": 1, "epoch": EPOCH + 1, "seat": "第01考室 备1",
        "typed_ms": 0, "adopted": 0, "stamp_ms": 8000, "link": 2, "seq": 1, "late": True, "status": "durable",
        "counts": True,
    }  # fmt: skip
    assert facts[9000]["seat"] == "第01考室 2"
    assert facts[7000]["ms"] == 2000


def test_every_kind_of_entry_in_the_ledger_is_told_in_words():
    made = [
        Adjustment("pause", 2000, None, None, "fire", "", "苏望舒", 2000, "building"),
        Adjustment("resume", None, 3000, None, "fire", "", "苏望舒", 3000, "building", "pause"),
        Adjustment("postpone", None, None, 300_000, "power", "楼下断电", "苏望舒", 100, "room"),
        Adjustment("reopen", None, None, None, "staff-error", "误交卷", "苏望舒", 5000, "candidate"),
        Adjustment("undo", None, None, None, "staff-error", "", "苏望舒", 6000, "room", "postpone"),
    ]
    adjusted = [
        one for one in events(record([], adjustments=made), quiet_ms=1, outage_ms=1) if one.kind == "adjustment"
    ]
    assert [TELL[one.kind](one.facts) for one in adjusted] == [
        "推迟开考 start postponed +5:00，考室 room 断电 power cut，苏望舒，楼下断电",
        "暂停 paused，楼宇 building 火警/危险品 fire or dangerous goods，苏望舒",
        "恢复 resumed（暂停 paused），楼宇 building 火警/危险品 fire or dangerous goods，苏望舒",
        "恢复作答 reopened，工作人员操作 staff action，苏望舒，误交卷",
        "撤回 taken back（推迟开考 start postponed），考室 room 工作人员操作 staff action，苏望舒",
    ]


def test_a_stretch_without_answers_is_told_and_the_silence_at_the_end_apart():
    revisions = [Revision(1, answer(7, 1, "C"), 2000, 1), Revision(2, answer(9, 1, "水"), 402_000, 2)]
    over = {"state": "ended", "ended_ms": 1_500_000, "end_reason": "time_out", "contact_ms": 900_000}
    snapshot = record(revisions, standing=over)
    assert [one for one in told(snapshot) if one[1] in ("quiet", "silent")] == [
        (2000, "quiet"), (402_000, "quiet"), (900_000, "silent"),
    ]  # fmt: skip
    assert "quiet" not in {kind for _, kind in told(snapshot, quiet_ms=600_001)}
    # Nobody answers before the start, and nobody who never came is silent.
    assert told(record([], start_ms=900_000, standing={"contact_ms": 900_500})) == [
        (1000, "sign_in"),
        (900_000, "start"),
    ]
    assert told(record([], leases=[], standing={**over, "contact_ms": None, "grants": ()})) == [
        (0, "start"), (1_500_000, "end"),
    ]  # fmt: skip


def test_an_adopted_answer_counts_from_the_decision_and_needs_one():
    revisions = [Revision(1, answer(7, 1, "C"), 2000, 1), Revision(2, answer(7, 1, "D", adopt_n=1), 5000, 0)]
    aside = Aside(answer(7, 9, "D", EPOCH - 1), 5000, "old_epoch", "adopted", "沈知夏", 60_000, "已核实")
    snapshot = record(revisions, stranded=[aside])
    assert told(snapshot)[-3:] == [(5000, "stranded"), (60_000, "decision"), (60_000, "revision")]
    assert prove(snapshot).whole
    for missing in ([], [replace(aside, state="kept")], [replace(aside, response=answer(7, 9, "B", EPOCH - 1))]):
        found = prove(record(revisions, stranded=missing)).findings
        assert [(one.code, one.facts["link"]) for one in found] == [("adoption-unfounded", 2)]


def test_the_acknowledged_numbers_and_their_holes():
    standing = record([]).standing
    assert (standing.acked_seq, standing.holes) == (0, [])
    some = replace(standing, acked=((1, 4), (6, 9), (12, 13)))
    assert (some.acked_seq, some.holes) == (3, [(4, 6), (9, 12)])
    assert replace(standing, acked=((2, 3),)).holes == [(1, 2)]


def test_a_head_is_read_as_people_type_it():
    assert head_digits(" AB12 cd34\nef56 7890 ") == "ab12cd34ef567890"
    for odd in ("", "ab12", "g" * 16, "a" * 65):
        with pytest.raises(ValueError):
            head_digits(odd)
