"""The checker: what was promised against what the record holds. Pure; knows nothing of how either came about.

Promises are read from the history (failover/history.py), facts from the record (failover/record.py).

``lost``           a revision that was acknowledged `durable` is not in the history of the record, or the item's final
                   state is not the greatest of all revisions held, or a `buffered` one is neither there nor stranded,
                   or the last answer typed at the device that holds the lease never arrived
``doubled``        more or fewer revisions than ``count`` says, one revision under two links, two rows of one item
``stale_applied``  a revision of an old epoch that went in after the next epoch was granted, though nothing had been
                   promised for it before
``broken``         the hash chain recomputed is another, a link is missing, a value is not what its hash says, a receipt
                   that speaks of another chain
``early``          a promise that was given before PostgreSQL committed it, or an answer shown before it was there
``refused``        a refusal or fault that no candidate should have met (every 5xx but 503 among them)
``time``           remaining time that went faster than time
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

from app.domain import chain
from app.domain.responses import Response, Version, merge
from failover.history import Event
from failover.record import Attempt, Revision

Key = tuple[int, int, int, str]  # item, epoch, rev, hash
KINDS = ("lost", "doubled", "stale_applied", "broken", "early", "refused", "time")
# What a candidate may meet besides a checkpoint's 200: the server is away, or another device has the lease.
EXPECTED = {503: {"unavailable", "overloaded", "record-away"}, 409: {"superseded"}}
# A page counts at most a second past the last confirmed tick, and a reply may be as old as its request.
TIME_TOLERANCE_S = 6.0
# Both are read from one machine's clock, PostgreSQL's to the microsecond.
CLOCK_STEP_S = 0.001


@dataclass(slots=True)
class Verdict:
    """Counts by kind, the acknowledgements by status, and each violation in words."""

    counts: Counter[str] = field(default_factory=Counter)
    acks: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    # `buffered` promises that are neither in the record nor stranded yet; the drain may still be on its way.
    awaited: int = 0

    def found(self, kind: str, words: str) -> None:
        self.counts[kind] += 1
        self.violations.append(f"{kind}: {words}")

    @property
    def ok(self) -> bool:
        return not self.violations

    @property
    def line(self) -> str:
        """The three numbers that must be 0, and whatever else is not."""
        always = " ".join(f"{kind}={self.counts[kind]}" for kind in KINDS[:3])
        others = " ".join(f"{kind}={self.counts[kind]}" for kind in KINDS[3:] if self.counts[kind])
        return f"{always} {others}".strip()


@dataclass(slots=True)
class _Promise:
    """Everything that was said about one revision of one attempt."""

    first_sent: float
    sends: int = 0
    statuses: list[str] = field(default_factory=list)
    # Wall time of the first `durable`.
    durable_wall: float | None = None


@dataclass(frozen=True, slots=True)
class _Clock:
    """What one reply said of the time."""

    sent: float
    replied: float
    remaining_ms: int
    durability: str | None


@dataclass(slots=True)
class _Said:
    """What the history says of one attempt."""

    promises: dict[Key, _Promise] = field(default_factory=dict)
    # epoch → when its device knew of it
    signed_in: dict[int, float] = field(default_factory=dict)
    counts: list[tuple[float, float, int]] = field(default_factory=list)
    shown: list[tuple[float, str, list[Key]]] = field(default_factory=list)
    receipts: list[Event] = field(default_factory=list)
    # epoch → item → the last key typed under it
    typed: dict[int, dict[int, Key]] = field(default_factory=dict)
    clocks: dict[str, list[_Clock]] = field(default_factory=dict)


def check(events: Iterable[Event], record: Mapping[str, Attempt]) -> Verdict:
    """Judge one schedule. ``record`` holds every attempt that the history speaks of."""
    verdict = Verdict()
    said = _read(events, verdict)
    for attempt_id, words in said.items():
        attempt = record.get(attempt_id)
        if attempt is None:
            verdict.found("lost", f"attempt {attempt_id} is not in the record")
            continue
        held = {(one.item, one.epoch, one.rev, one.hash): one for one in attempt.history}
        _promised(verdict, attempt, words, held)
        _merged(verdict, attempt)
        _once(verdict, attempt)
        _fenced(verdict, attempt, words, held)
        _chained(verdict, attempt, words)
        _shown(verdict, words, held)
        _timed(verdict, attempt, words)
    return verdict


def _read(events: Iterable[Event], verdict: Verdict) -> dict[str, _Said]:
    said: dict[str, _Said] = {}
    sends: dict[int, Event] = {}
    lineage: str | None = None
    for event in events:
        kind = event["kind"]
        if kind == "send":
            sends[event["n"]] = event
            words = said.setdefault(event["candidate"], _Said())
            for item, rev, digest in event["items"]:
                promise = words.promises.setdefault((item, event["epoch"], rev, digest), _Promise(event["t"]))
                promise.sends += 1
        elif kind == "typed":
            item, rev, digest = event["item"]
            words = said.setdefault(event["candidate"], _Said())
            words.typed.setdefault(event["epoch"], {})[item] = (item, event["epoch"], rev, digest)
        elif kind == "silence":
            verdict.acks["silence"] += 1
        elif kind == "sign-in":
            said.setdefault(event["candidate"], _Said()).signed_in.setdefault(event["epoch"], event["t"])
        elif kind == "shown":
            keys = [(item, epoch, rev, digest) for item, epoch, rev, digest in event["items"]]
            said.setdefault(event["candidate"], _Said()).shown.append((event["wall"], event["device"], keys))
        elif kind == "receipt":
            said.setdefault(event["candidate"], _Said()).receipts.append(event)
        elif kind == "reply":
            send = sends[event["n"]]
            _reply(verdict, said[send["candidate"]], send, event)
            if event["lineage"] and lineage not in (None, event["lineage"]):
                verdict.found("lost", f"the lineage changed from {lineage} to {event['lineage']}")
            lineage = event["lineage"] or lineage
    return said


def _reply(verdict: Verdict, words: _Said, send: Event, reply: Event) -> None:
    status, code = reply["status"], reply["code"]
    if status == 503:
        verdict.acks["503"] += 1
    elif status != 200 and code == "superseded":
        verdict.acks["superseded"] += 1
    if status != 200 and not _expected(send, status, code, words):
        verdict.found("refused", f"{send['path']} of {send['device']} was answered {status} {code}")
    hashes = {(item, rev): digest for item, rev, digest in send["items"]}
    for item, rev, answer, why in reply["items"]:
        verdict.acks[answer] += 1
        digest = hashes.get((item, rev))
        if digest is None:
            verdict.found("refused", f"an answer about ({item}, {rev}), which request {send['n']} did not hold")
            continue
        promise = words.promises[item, send["epoch"], rev, digest]
        promise.statuses.append(answer)
        if answer == "durable" and promise.durable_wall is None:
            promise.durable_wall = reply["wall"]
        overtaken = any(epoch > send["epoch"] for epoch in words.signed_in) or bool(words.receipts)
        if answer == "refused" or (answer == "stranded" and why != "old_epoch" and not overtaken):
            verdict.found("refused", f"item {item} rev {rev} of {send['device']} was {answer}: {why}")
    # A buffered reply says what the hot copy knows, which may be behind.
    if status == 200 and reply["count"] is not None and reply["durability"] != "buffered":
        words.counts.append((send["t"], reply["t"], reply["count"]))
    if status == 200 and reply["remaining_ms"] is not None and reply["state"] == "running":
        clock = _Clock(send["t"], reply["t"], reply["remaining_ms"], reply["durability"])
        words.clocks.setdefault(send["device"], []).append(clock)


def _expected(send: Event, status: int, code: str | None, words: _Said) -> bool:
    if code in EXPECTED.get(status, ()):
        return True
    # After the receipt nothing is taken any more; that an old request is told so is right.
    return status == 409 and code == "closed" and (send["again"] or bool(words.receipts))


def _promised(verdict: Verdict, attempt: Attempt, words: _Said, held: Mapping[Key, Revision]) -> None:
    for key, promise in words.promises.items():
        found = held.get(key)
        item, epoch, rev, _ = key
        if "durable" in promise.statuses and found is None:
            verdict.found("lost", f"durable item {item} epoch {epoch} rev {rev} of {attempt.id} is not in the record")
        elif "buffered" in promise.statuses and found is None and key not in attempt.stranded:
            verdict.awaited += 1
            verdict.found("lost", f"buffered item {item} epoch {epoch} rev {rev} of {attempt.id} has vanished")
        if found is None or found.committed is None or promise.durable_wall is None:
            continue
        if found.committed > promise.durable_wall + CLOCK_STEP_S:
            late = found.committed - promise.durable_wall
            verdict.found("early", f"item {item} rev {rev} was called durable {late:.3f} s before its commit")
    for key in words.typed.get(max(words.signed_in, default=0), {}).values():
        if key not in held and "durable" not in words.promises.get(key, _Promise(0)).statuses:
            verdict.found("lost", f"item {key[0]} rev {key[2]} of {attempt.id} was typed and has never arrived")
    told = max((count for _, _, count in words.counts), default=0)
    if attempt.count < told:
        verdict.found("lost", f"{attempt.id} holds {attempt.count} revisions, and {told} were acknowledged")
    # Of two replies, the later request must not be told less than the earlier reply.
    best, replies = 0, sorted((replied, count) for _, replied, count in words.counts)
    place = 0
    for sent, _, count in sorted(words.counts):
        while place < len(replies) and replies[place][0] <= sent:
            best = max(best, replies[place][1])
            place += 1
        if count < best:
            verdict.found("lost", f"{attempt.id} was told a count of {count} after one of {best}")


def response_of(one: Revision) -> Response:
    return Response(one.item, Version(one.epoch, one.rev, one.adopt_n, bytes.fromhex(one.hash)), one.value, one.at_ms)


def _merged(verdict: Verdict, attempt: Attempt) -> None:
    model = merge({}, [response_of(one) for one in attempt.history])
    final = {one.item: response_of(one) for one in attempt.responses}
    for item in model.keys() | final.keys():
        if model.get(item) != final.get(item):
            verdict.found("lost", f"item {item} of {attempt.id} is {final.get(item)}, merged it is {model.get(item)}")


def _once(verdict: Verdict, attempt: Attempt) -> None:
    if attempt.count != len(attempt.history):
        verdict.found("doubled", f"{attempt.id} counts {attempt.count} and holds {len(attempt.history)} revisions")
    seen = Counter((one.item, one.epoch, one.rev, one.adopt_n, one.hash) for one in attempt.history)
    for key, times in seen.items():
        if times > 1:
            verdict.found("doubled", f"revision {key[:3]} of {attempt.id} is held {times} times")
    for item, times in Counter(one.item for one in attempt.responses).items():
        if times > 1:
            verdict.found("doubled", f"item {item} of {attempt.id} has {times} final states")


def _fenced(verdict: Verdict, attempt: Attempt, words: _Said, held: Mapping[Key, Revision]) -> None:
    """I5. A revision of an old epoch was rightly applied only if

    1. somebody had sent it before the next device knew of its own epoch, and
    2. it was committed before the next grant, or it came out of the buffer with a stamp before that grant.
    """
    for key, row in held.items():
        grant = attempt.next_grant(row.epoch)
        if grant is None or row.adopt_n:
            continue
        promise = words.promises.get(key)
        known = words.signed_in.get(grant.epoch)
        what = f"item {row.item} rev {row.rev} of epoch {row.epoch} in {attempt.id}"
        if promise is not None and known is not None and promise.first_sent > known:
            verdict.found("stale_applied", f"{what} was first sent {promise.first_sent - known:.3f} s after the move")
            continue
        if row.committed is not None and grant.committed is not None:
            if row.committed <= grant.committed:
                continue
            if row.stamp_ms >= grant.granted_ms:
                words_ = f"stamped {row.stamp_ms}, the next grant {grant.granted_ms}, and committed after it"
                verdict.found("stale_applied", f"{what} was {words_}")
            elif promise is not None and promise.sends == 1 and promise.statuses == ["durable"]:
                verdict.found("stale_applied", f"{what} was never buffered and committed after the next grant")


def _chained(verdict: Verdict, attempt: Attempt, words: _Said) -> None:
    links = [
        chain.Revision(one.link, response_of(one), one.stamp_ms, one.seq, one.late, one.before)
        for one in attempt.history
    ]
    head = chain.Head(bytes.fromhex(attempt.chain), attempt.chain_links, attempt.count)
    fault = chain.verify(UUID(attempt.id), links, head)
    # A number beside the head that is wrong is told as `doubled`.
    if fault is not None and fault.why != "count":
        verdict.found("broken", f"the chain of {attempt.id} at link {fault.link}, item {fault.item}: {fault.why}")
    for receipt in words.receipts:
        if (receipt["count"], receipt["chain"]) != (attempt.count, attempt.chain):
            verdict.found("broken", f"the receipt of {attempt.id} speaks of {receipt['count']}, held {attempt.count}")


def _shown(verdict: Verdict, words: _Said, held: Mapping[Key, Revision]) -> None:
    for wall, device, keys in words.shown:
        for key in keys:
            found = held.get(key)
            if found is None:
                verdict.found("early", f"{device} was shown item {key[0]} rev {key[2]}, which the record never held")
            elif found.committed is not None and found.committed > wall + CLOCK_STEP_S:
                verdict.found("early", f"{device} was shown item {key[0]} rev {key[2]} before its commit")


def _timed(verdict: Verdict, attempt: Attempt, words: _Said) -> None:
    """Coarse: between two replies the remaining time never falls by more than the time between them."""
    for device, clocks in words.clocks.items():
        for one, two in pairwise(clocks):
            lost_ms, took_s = one.remaining_ms - two.remaining_ms, two.replied - one.sent
            if lost_ms > (took_s + TIME_TOLERANCE_S) * 1000:
                fell = f"from {one.remaining_ms} ({one.durability}) to {two.remaining_ms} ({two.durability})"
                verdict.found(
                    "time", f"{attempt.id}: {lost_ms / 1000:.1f} s of {device} went in {took_s:.1f} s, {fell}"
                )


def summary(acks: Mapping[str, int]) -> str:
    """Acknowledgements by kind, the promises first."""
    order: list[str] = ["durable", "buffered", "stranded", "superseded", "503", "silence"]
    names = [name for name in order if name in acks] + sorted(set(acks) - set(order))
    return " ".join(f"{name}={acks[name]}" for name in names)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict as it goes to the results file."""
    return {
        "acks": dict(verdict.acks),
        **{kind: verdict.counts[kind] for kind in KINDS},
        "violations": verdict.violations[:20],
    }
