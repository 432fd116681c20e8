"""The rules of a change of time: what makes no sense, whom it fits, and the two halves of the cap."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import adjustments, clock
from app.domain.adjustments import AUTOMATIC, ENTERED, KINDS, REASONS, Change, Scope, Standing
from app.domain.errors import MESSAGES, Refused

MIN = 60_000
LONGEST = 360 * MIN
SITE = Scope(1, "site")
OPEN = Standing("open", None, 0, 90 * MIN)
NOW = 30 * MIN


def entry(n: int, kind: str, **more) -> clock.Entry:
    return clock.Entry(id=n, kind=kind, made_ms=more.pop("made_ms", 0), **more)


def refusal(change: Change) -> str | None:
    try:
        adjustments.check(change, now_ms=NOW, longest_ms=LONGEST)
    except Refused as refused:
        refused.text("zh")
        refused.text("en")
        return refused.code
    return None


def test_every_reason_has_words_in_both_languages():
    assert all(zh and en for zh, en in REASONS.values())
    assert set(ENTERED) | AUTOMATIC == set(REASONS)
    assert adjustments.reason_words("of another day") == ("of another day",) * 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change("extend", SITE, "power", ms=1000), None),
        (Change("extend", SITE, "power", ms=999), "duration-too-short"),
        (Change("postpone", SITE, "power", ms=1), "duration-too-short"),
        (Change("credit", SITE, "power", from_ms=5, to_ms=6), "duration-too-short"),
        # What evidence amounts to, and what is left of a credit, is as long as it is.
        (Change("credit", SITE, "power", from_ms=5, to_ms=6, supersedes=3), None),
        (Change("credit", replace(SITE, among=(uuid.uuid4(),)), "power", from_ms=5, to_ms=6), None),
        (Change("extend", SITE, "power", ms=LONGEST), None),
        (Change("extend", SITE, "power", ms=LONGEST + 1), "duration-absurd"),
        (Change("extend", SITE, "power", ms=0), "duration-not-positive"),
        (Change("postpone", SITE, "power"), "duration-missing"),
        (Change("credit", SITE, "power", from_ms=0, to_ms=NOW), None),
        (Change("credit", SITE, "power", from_ms=0, to_ms=NOW + 1), "interval-in-future"),
        (Change("credit", SITE, "power", from_ms=5, to_ms=5), "interval-backwards"),
        (Change("credit", SITE, "power", from_ms=5), "interval-missing"),
        (Change("pause", SITE, "power"), None),
        (Change("pause", SITE, "power", from_ms=NOW), None),
        (Change("pause", SITE, "power", from_ms=NOW + 1), "interval-in-future"),
        (Change("pause", SITE, "power", from_ms=NOW - LONGEST), "duration-absurd"),
        (Change("resume", SITE), None),
        (Change("undo", SITE, entry=5), None),
        (Change("undo", SITE), "entry-missing"),
        (Change("pause", SITE), "reason-unknown"),
        (Change("pause", SITE, "hold"), "reason-unknown"),
        (Change("pause", SITE, "other"), "note-missing"),
        (Change("end", SITE, "fire"), "note-missing"),
        (Change("reopen", SITE, "fire"), "note-missing"),
        (Change("reopen", SITE, "fire", "n"), "reopen-by-name"),
        (Change("reopen", Scope(1, "building", buildings=(3,)), "fire", "n"), "reopen-by-name"),
        (Change("reopen", Scope(1, "room", rooms=(3,)), "fire", "n"), "reopen-by-name"),
        (Change("reopen", Scope(1, "list", tickets=("a",)), "fire", "n"), None),
        (Change("pause", Scope(1, "site", rooms=(3,)), "power"), "scope-malformed"),
        (Change("pause", Scope(1, "site", tickets=("a",)), "power"), "scope-malformed"),
        (Change("pause", Scope(1, "room", buildings=(2,), rooms=(3,)), "power"), "scope-malformed"),
        (Change("pause", Scope(1, "list", tickets=("a",), attempt=uuid.uuid4()), "power"), "scope-malformed"),
        (Change("pause", Scope(1, "candidate", tickets=("a",), attempt=uuid.uuid4()), "power"), "scope-malformed"),
        (Change("pause", Scope(1, "room"), "power"), "scope-malformed"),
        (Change("pause", Scope(1, "list"), "power"), "scope-malformed"),
        (Change("pause", Scope(1, "candidate", tickets=("a", "b")), "power"), "scope-malformed"),
        (Change("pause", Scope(1, "candidate", tickets=("a",)), "power"), None),
        (Change("pause", Scope(1, "candidate", attempt=uuid.uuid4()), "power"), None),
    ],
)
def test_what_makes_no_sense_by_itself(change, code):
    assert refusal(change) == code


def test_only_a_clock_that_is_stopped_or_let_go_on_from_now_needs_no_look():
    assert {kind for kind in KINDS if not Change(kind, SITE).weighty} == {"pause", "resume"}
    assert Change("pause", SITE, from_ms=NOW - 1).weighty


def fits(kind: str, standing: Standing = OPEN, now: int = NOW, **more) -> str | None:
    return adjustments.fits(Change(kind, SITE, "power", **more), standing, now)


def test_a_running_attempt_may_be_paused_extended_credited_and_ended():
    for kind in ("pause", "extend", "end", "undo"):
        assert fits(kind) is None
    assert fits("credit", from_ms=0, to_ms=5) is None


def test_nothing_fits_a_deferred_attempt():
    gone = replace(OPEN, stored="final", end_reason="deferred")
    assert {fits(kind, gone) for kind in KINDS} == {"attempt-deferred"}


@pytest.mark.parametrize(("now", "code"), [(-1, None), (0, "start-passed"), (1, "start-passed")])
def test_a_start_is_postponed_only_while_it_lies_ahead(now, code):
    assert fits("postpone", now=now, ms=5) == code
    assert fits("end", now=now) == ("not-begun" if code is None else None)


def test_without_a_start_only_an_extension_fits_and_its_undoing():
    unanchored = replace(OPEN, start_ms=None, end_ms=None)
    assert {kind: fits(kind, unanchored) for kind in KINDS} == {
        kind: None if kind in ("extend", "undo") else "day-not-opened" for kind in KINDS
    }


@pytest.mark.parametrize(
    ("reason", "code"), [("time_out", None), ("hand_in", "handed-in"), ("forced", "ended-by-staff")]
)
def test_an_extension_opens_again_only_what_timed_out(reason, code):
    over = replace(OPEN, stored="final", end_reason=reason)
    assert fits("extend", over) == code
    assert fits("reopen", over) is None
    assert fits("pause", over) == "attempt-ended"
    assert fits("extend", replace(over, runs_elsewhere=True)) == (code or "runs-elsewhere")
    assert fits("reopen", replace(over, runs_elsewhere=True)) == "runs-elsewhere"


def test_an_attempt_whose_time_is_up_is_over_before_the_sweeper_comes():
    assert fits("pause", now=90 * MIN) == "attempt-ended"
    assert fits("pause", now=90 * MIN - 1) is None
    assert fits("reopen", now=90 * MIN) == "attempt-open"
    assert fits("extend", now=90 * MIN, ms=5) is None
    # Of a paused one nobody knows the end yet.
    assert fits("end", replace(OPEN, end_ms=None), now=90 * MIN) is None


def test_a_credit_that_ends_before_the_start_credits_nothing():
    later = replace(OPEN, start_ms=10 * MIN)
    assert fits("credit", later, from_ms=0, to_ms=10 * MIN) == "credit-before-start"
    assert fits("credit", later, from_ms=0, to_ms=10 * MIN + 1) is None


def test_a_pause_over_a_pause_of_the_same_scope_is_none():
    assert fits("pause", replace(OPEN, paused_by=frozenset({"site"}))) == "already-paused"
    assert fits("pause", replace(OPEN, paused_by=frozenset({"room"}))) is None


def test_every_code_of_fits_has_words():
    codes = {
        "attempt-deferred", "day-not-opened", "attempt-open", "runs-elsewhere", "attempt-ended", "handed-in",
        "ended-by-staff", "start-passed", "not-begun", "credit-before-start", "already-paused", "not-paused",
    }  # fmt: skip
    for code in codes:
        assert code in MESSAGES
        assert "{" not in Refused(code, count=3).text("zh") + Refused(code, count=3).text("en")


# --- the cap ---


def with_entries(*entries: clock.Entry, outages: tuple[clock.Outage, ...] = ()) -> clock.Ledger:
    return clock.Ledger(start_ms=0, allotted_ms=90 * MIN, entries=entries, outages=outages)


@pytest.mark.parametrize(("more", "refused"), [(15 * MIN, False), (15 * MIN + 1, True)])
def test_sixty_minutes_are_allowed_and_no_millisecond_more(more, refused):
    before = with_entries(entry(1, "extend", amount_ms=45 * MIN))
    after = adjustments.planned(before, entry(2, "extend", amount_ms=more))
    lost = adjustments.over(before, after, now_ms=NOW, limit_ms=60 * MIN)
    assert lost == (45 * MIN + more if refused else None)
    assert adjustments.over(before, after, now_ms=NOW, limit_ms=90 * MIN) is None


def test_a_credit_of_what_a_pause_covers_already_costs_nothing_of_the_cap():
    pause, resume = entry(1, "pause", from_ms=0), entry(2, "resume", to_ms=NOW, refers_id=1)
    before = with_entries(pause, resume, entry(3, "extend", amount_ms=30 * MIN))
    after = adjustments.planned(before, entry(4, "credit", from_ms=0, to_ms=NOW))
    assert adjustments.over(before, after, now_ms=NOW, limit_ms=60 * MIN) is None


def test_what_takes_time_away_is_never_refused_by_the_cap():
    before = with_entries(entry(1, "extend", amount_ms=50 * MIN), entry(2, "extend", amount_ms=40 * MIN))
    after = adjustments.planned(before, entry(3, "undo", refers_id=1))
    assert adjustments.over(before, after, now_ms=NOW, limit_ms=30 * MIN) is None


def holds(ledger: clock.Ledger, now: int) -> bool:
    return adjustments.must_hold(ledger, now_ms=now, limit_ms=60 * MIN)


def test_an_open_pause_holds_at_sixty_minutes_and_not_before():
    ledger = with_entries(entry(1, "pause", from_ms=5 * MIN, made_ms=5 * MIN))
    assert adjustments.reaches_at(ledger, now_ms=NOW, limit_ms=60 * MIN) == 65 * MIN
    assert not holds(ledger, 65 * MIN - 1)
    assert holds(ledger, 65 * MIN)


def test_a_pause_before_the_start_begins_to_count_there():
    ledger = replace(with_entries(entry(1, "pause", from_ms=0)), start_ms=40 * MIN)
    assert adjustments.reaches_at(ledger, now_ms=NOW, limit_ms=60 * MIN) == 100 * MIN
    assert not holds(ledger, 99 * MIN)
    assert holds(ledger, 100 * MIN)


def test_decisions_alone_hold_nobody():
    ledger = with_entries(entry(1, "extend", amount_ms=60 * MIN))
    assert not holds(ledger, NOW)
    assert adjustments.reaches_at(ledger, now_ms=NOW, limit_ms=60 * MIN) is None


@pytest.mark.parametrize(
    ("extended_at", "held"),
    [
        # The outage came on top of an extension: the fact reached the limit.
        (5 * MIN, True),
        # The extension was decided after it, and the cap allowed exactly that.
        (25 * MIN, False),
    ],
)
def test_an_outage_holds_when_it_was_what_reached_the_limit(extended_at, held):
    ledger = with_entries(
        entry(1, "extend", amount_ms=20 * MIN, made_ms=extended_at), outages=(clock.Outage(20 * MIN, 40 * MIN),)
    )
    assert clock.lost_ms(ledger, NOW) == 60 * MIN
    assert holds(ledger, NOW) is held


def test_an_outage_holds_who_was_at_the_limit_before_it_and_not_who_begins_after_it():
    outage = clock.Outage(20 * MIN, MIN)
    extended = entry(1, "extend", amount_ms=60 * MIN)
    assert holds(with_entries(extended, outages=(outage,)), NOW)
    assert not holds(replace(with_entries(extended, outages=(outage,)), start_ms=21 * MIN), NOW)


@given(st.integers(0, 80 * MIN), st.integers(0, 59 * MIN), st.integers(1, 40 * MIN))
def test_a_paused_attempt_is_held_from_the_instant_that_was_foretold(begins, extended, step):
    entries = [entry(1, "pause", from_ms=begins, made_ms=begins)]
    if extended:
        entries.append(entry(2, "extend", amount_ms=extended))
    ledger = with_entries(*entries)
    due = adjustments.reaches_at(ledger, now_ms=begins, limit_ms=60 * MIN)
    assert due == begins + 60 * MIN - extended
    assert not holds(ledger, max(begins, due - step)) if due - step >= begins else True
    assert holds(ledger, due)
    assert holds(ledger, due + step)
