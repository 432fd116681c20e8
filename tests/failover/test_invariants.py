"""The checker finds every violation it is there for: hand-made histories against hand-made records."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from uuid import UUID

import pytest

from app.domain import chain
from app.domain.responses import value_hash
from failover.invariants import check, response_of
from failover.record import Attempt, Grant, Revision

ID = "9fe2762d-4678-4a03-a488-0a34df461476"
OLD, NEW = 1_000_001, 1_000_002
GRANTED = 5_000  # service time of the new epoch
MOVED = 100.0  # monotonic and wall time at which the new device knew of it


def digest(value) -> str:
    return value_hash(value).hex()


def revision(item=1, rev=1, value="A", *, epoch=OLD, link=1, stamp_ms=1_000, committed=50.0) -> Revision:
    return Revision(item, epoch, rev, 0, digest(value), value, stamp_ms, stamp_ms, rev, link, committed=committed)


def record(*history: Revision, moved=False) -> dict[str, Attempt]:
    """What a server without a fault holds after these revisions."""
    attempt = Attempt(ID, "open", NEW if moved else OLD, 0, "", 0, [Grant(OLD, 0)])
    if moved:
        attempt.grants.append(Grant(NEW, GRANTED, committed=MOVED - 1))
    attempt.history = list(history)
    return {ID: settled(attempt)}


def settled(attempt: Attempt) -> Attempt:
    """Count, chain and final states made to fit the history."""
    attempt.count = len(attempt.history)
    links = [chain.Revision(one.link, response_of(one), one.stamp_ms, one.seq) for one in attempt.history]

    heads = chain.heads(UUID(ID), links)
    attempt.chain, attempt.chain_links = heads[max(heads)].hex(), max(heads)
    final: dict[int, Revision] = {}
    for one in attempt.history:
        known = final.get(one.item)
        if known is None or (one.epoch, one.rev, one.hash) > (known.epoch, known.rev, known.hash):
            final[one.item] = one
    attempt.responses = list(final.values())
    return attempt


class Story:
    """A history, event by event; monotonic and wall time are the same number."""

    def __init__(self):
        self.events = []
        self._number = count(1)

    def _add(self, t, kind, **fields):
        self.events.append({"t": t, "wall": t, "kind": kind, **fields})

    def signed_in(self, t, epoch, device="pc1"):
        self._add(t, "sign-in", candidate=ID, device=device, epoch=epoch, lineage="L")
        return self

    def sent(self, t, *answers, epoch=OLD, status=200, code=None, counted=None, again=False, remaining_ms=None,
             path="/attempt/checkpoints"):  # fmt: skip
        """One request and its reply; ``answers`` are (item, rev, value, status[, code])."""
        n = next(self._number)
        items = [[item, rev, digest(value)] for item, rev, value, *_ in answers]
        self._add(t, "send", n=n, candidate=ID, device=f"pc{epoch}", epoch=epoch, seq=1, path=path, again=again,
                  items=items)  # fmt: skip
        told = [[item, rev, answer, rest[0] if rest else None] for item, rev, _, answer, *rest in answers]
        weakest = "buffered" if any(one[2] == "buffered" for one in told) else "durable"
        self._add(t + 0.1, "reply", n=n, status=status, code=code, durability=weakest, items=told, count=counted,
                  lineage="L", acked_seq=1, service_ms=1, remaining_ms=remaining_ms, state="running")  # fmt: skip
        return self

    def typed(self, t, item, rev, value, epoch=OLD):
        self._add(t, "typed", candidate=ID, device=f"pc{epoch}", epoch=epoch, item=[item, rev, digest(value)])
        return self

    def shown(self, t, *keys):
        self._add(t, "shown", candidate=ID, device="pc1", epoch=OLD, count=0,
                  items=[[item, epoch, rev, digest(value)] for item, epoch, rev, value in keys])  # fmt: skip
        return self

    def receipt(self, t, counted, head):
        self._add(t, "receipt", candidate=ID, device="pc1", count=counted, chain=head)
        return self


def story() -> Story:
    return Story().signed_in(1.0, OLD)


def kinds(verdict) -> dict[str, int]:
    return {kind: n for kind, n in verdict.counts.items() if n}


def test_a_whole_history_has_no_violation():
    told = story().sent(60.0, (1, 1, "A", "durable"), counted=1).sent(61.0, (1, 2, "B", "durable"), counted=2)
    held = record(revision(), revision(rev=2, value="B", link=2, committed=51.0))
    verdict = check(told.shown(62.0, (1, OLD, 2, "B")).events, held)
    assert verdict.violations == []
    assert verdict.line == "lost=0 doubled=0 stale_applied=0"
    assert verdict.acks == {"durable": 2}


def test_a_durable_answer_that_is_not_there_is_lost():
    told = story().sent(60.0, (1, 1, "A", "durable")).sent(61.0, (2, 1, "B", "durable"))
    assert kinds(check(told.events, record(revision()))) == {"lost": 1}


def test_a_durable_answer_under_another_value_is_lost():
    told = story().sent(60.0, (1, 1, "B", "durable"))
    assert kinds(check(told.events, record(revision()))) == {"lost": 1}


def test_an_attempt_that_is_not_there_is_lost():
    assert kinds(check(story().sent(60.0, (1, 1, "A", "durable")).events, {})) == {"lost": 1}


def test_an_older_revision_that_won_is_lost():
    told = story().sent(60.0, (1, 1, "A", "durable")).sent(61.0, (1, 2, "B", "durable"))
    held = record(revision(), revision(rev=2, value="B", link=2))
    held[ID].responses = [held[ID].history[0]]
    assert kinds(check(told.events, held)) == {"lost": 1}


def test_the_last_answer_typed_at_the_live_device_is_lost_when_it_never_arrived():
    told = story().typed(55.0, 1, 1, "A").typed(56.0, 1, 2, "B").sent(60.0, (1, 2, "B", "durable"))
    held = record(revision(rev=2, value="B"))
    assert check(told.events, held).ok, "what was typed over before it was sent is nobody's loss"
    assert kinds(check(told.typed(61.0, 1, 3, "C").events, held)) == {"lost": 1}


def test_what_was_typed_at_a_device_that_was_left_and_never_sent_is_not_promised():
    told = story().signed_in(MOVED, NEW, "pc2").typed(MOVED + 1, 1, 1, "A")
    assert check(told.events, record(moved=True)).ok


def test_a_buffered_promise_may_be_kept_or_stranded_but_not_vanish():
    told = story().sent(60.0, (1, 1, "A", "buffered")).sent(61.0, (2, 1, "B", "buffered"))
    verdict = check(told.events, record(revision()))
    assert kinds(verdict) == {"lost": 1}
    assert verdict.awaited == 1
    held = record(revision())
    held[ID].stranded[2, OLD, 1, digest("B")] = "old_epoch"
    assert check(told.events, held).ok


def test_a_count_that_goes_back_is_a_loss():
    told = story().sent(60.0, (1, 1, "A", "durable"), counted=5).sent(61.0, counted=4)
    assert "lost" in kinds(check(told.events, record(revision())))


def test_more_rows_than_the_count_says_are_doubled():
    held = record(revision(), revision(rev=2, value="B", link=2))
    held[ID].count = 1
    assert kinds(check(story().sent(60.0, (1, 1, "A", "durable")).events, held)) == {"doubled": 1}


def test_one_revision_under_two_links_is_doubled():
    held = record(revision(), replace(revision(), link=2))
    assert kinds(check(story().sent(60.0, (1, 1, "A", "durable")).events, held)) == {"doubled": 1}


def test_what_was_first_sent_after_the_move_and_is_in_the_record_is_stale():
    told = story().signed_in(MOVED, NEW, "pc2").sent(MOVED + 1, (1, 1, "A", "durable"))
    held = record(revision(committed=MOVED + 1.05), moved=True)
    assert kinds(check(told.events, held)) == {"stale_applied": 1}


def test_a_live_write_that_went_in_behind_the_grant_is_stale():
    """Its stamp lies before the grant, for it waited: what an epoch check without the lock lets through."""
    told = story().sent(MOVED - 2, (1, 1, "A", "durable")).signed_in(MOVED, NEW, "pc2")
    held = record(revision(stamp_ms=GRANTED - 1, committed=MOVED - 0.5), moved=True)
    # The reply came late too, or it would have been early.
    told.events[-2]["wall"] = MOVED
    assert kinds(check(told.events, held)) == {"stale_applied": 1}


def test_a_buffered_write_is_judged_by_its_stamp():
    told = story().sent(MOVED - 2, (1, 1, "A", "buffered")).signed_in(MOVED, NEW, "pc2")
    before = revision(stamp_ms=GRANTED - 1, committed=MOVED + 5)
    assert check(told.events, record(before, moved=True)).ok
    after = replace(before, stamp_ms=GRANTED)
    assert kinds(check(told.events, record(after, moved=True))) == {"stale_applied": 1}


def test_what_was_committed_before_the_grant_is_not_stale():
    told = story().sent(MOVED - 5, (1, 1, "A", "durable")).signed_in(MOVED, NEW, "pc2")
    # A repeat of it after the move is answered durable, and rightly so.
    told.sent(MOVED + 1, (1, 1, "A", "durable"))
    held = record(revision(stamp_ms=GRANTED + 1, committed=MOVED - 6), moved=True)
    assert check(told.events, held).ok


def test_a_promise_before_the_commit_is_early():
    told = story().sent(40.0, (1, 1, "A", "durable"))
    assert kinds(check(told.events, record(revision(committed=50.0)))) == {"early": 1}


def test_an_answer_shown_before_the_record_had_it_is_early():
    told = story().shown(40.0, (1, OLD, 1, "A"))
    told.sent(60.0, (1, 1, "A", "durable"))
    assert kinds(check(told.events, record(revision(committed=50.0)))) == {"early": 1}


def test_an_answer_shown_that_the_record_never_held_is_early():
    told = story().sent(55.0, (2, 1, "B", "stranded", "old_epoch")).shown(60.0, (2, OLD, 1, "B"))
    assert kinds(check(told.events, record(revision()))) == {"early": 1}


@pytest.mark.parametrize(
    "change",
    [
        lambda attempt: setattr(attempt, "chain", "00" * 32),
        lambda attempt: setattr(attempt, "chain_links", 3),
        lambda attempt: attempt.history.__setitem__(0, replace(attempt.history[0], at_ms=7)),
        lambda attempt: attempt.history.__setitem__(1, replace(attempt.history[1], link=3)),
        lambda attempt: attempt.history.__setitem__(1, replace(attempt.history[1], stamp_ms=9)),
    ],
    ids=["head", "links", "typed", "renumbered", "stamped"],
)
def test_a_broken_chain_is_found(change):
    held = record(revision(), revision(item=2, link=2))
    told = story().sent(60.0, (1, 1, "A", "durable"))
    assert check(told.events, held).ok
    change(held[ID])
    held[ID].responses = list(held[ID].history)
    assert kinds(check(told.events, held)) == {"broken": 1}


def test_a_receipt_that_speaks_of_another_chain_is_broken():
    held = record(revision())
    told = story().sent(60.0, (1, 1, "A", "durable"))
    assert check([*told.events, *Story().receipt(70.0, 1, held[ID].chain).events], held).ok
    assert kinds(check([*told.events, *Story().receipt(70.0, 2, held[ID].chain).events], held)) == {"broken": 1}


@pytest.mark.parametrize(("status", "code"), [(500, "internal"), (502, None), (401, "bad-token"), (422, "bad-body")])
def test_a_refusal_that_nobody_should_meet_is_found(status, code):
    told = story().sent(60.0, status=status, code=code)
    assert kinds(check(told.events, record())) == {"refused": 1}


def test_a_server_that_is_away_and_a_fenced_device_are_no_violations():
    told = story().sent(60.0, status=503, code="unavailable").signed_in(MOVED, NEW, "pc2")
    told.sent(MOVED + 1, (1, 1, "A", "stranded", "old_epoch"), status=409, code="superseded")
    held = record(moved=True)
    held[ID].stranded[1, OLD, 1, digest("A")] = "old_epoch"
    verdict = check(told.events, held)
    assert verdict.violations == []
    assert verdict.acks == {"503": 1, "superseded": 1, "stranded": 1}


def test_an_answer_that_is_stranded_without_a_move_or_an_end_is_found():
    told = story().sent(60.0, (1, 1, "A", "stranded", "late"))
    assert kinds(check(told.events, record())) == {"refused": 1}


def test_time_that_goes_faster_than_time_is_found():
    told = story().sent(60.0, remaining_ms=600_000).sent(62.0, remaining_ms=598_000)
    assert check(told.events, record()).ok
    assert kinds(check(told.sent(64.0, remaining_ms=500_000).events, record())) == {"time": 1}
