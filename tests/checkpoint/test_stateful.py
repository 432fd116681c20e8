"""Arbitrary interleavings against the simplest model: two API processes, a drain, two real stores, and browsers that
edit, repeat, reorder, move, hand in and are moved, while processes and stores come and go.

The model keeps what every browser sent and what it was told; ``merge`` and ``strand`` of app.domain.responses say what
must have become of it. After quiescence (stores back, buffer drained, every browser has sent again what it keeps):

* every `durable` promise is in the record, every `buffered` one is there or stranded, and it is there exactly if the
  stamp rule says so;
* what is there was sent under an epoch that was live then (or stamped before the next grant) and before the end;
* each item's answer is the merge of all that counted, and the live browser's newest answers are among it;
* nothing is doubled, count and history agree, the chain leads to its head.

``HYPOTHESIS_PROFILE=long`` runs it as long as it is worth; a failure prints the blob that repeats it.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import asyncpg
import hypothesis
import pytest
import redis.asyncio as redis_async
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncEngine

from app import background
from app.checkpoint import drain
from app.domain.checkpoints import Overloaded, StoreAway
from app.domain.errors import Refused
from app.domain.responses import Response, Standing, Version, Write, canonical, merge, strand, value_hash
from app.services import ending, sign_in
from app.services.site import Site
from app.services.sitting import Answered, Sent
from app.storage.postgres.engine import create_engine
from app.storage.postgres.service_clocks import READ, Confirmed
from failover.client import Kept, Outbox
from tests.candidates import SECRET, test_settings
from tests.checkpoint.stage import SetTime, Stage, whole
from tests.factories import Person, open_relog, world

ITEMS = 3
# No rule waits for anything that is not there.
RULE_S = 120
AWAY = (StoreAway, Overloaded)
PATIENT = dict.fromkeys(("commit_deadline", "lock_timeout", "redis_timeout", "connect_timeout", "queue_patience"), 60)
worlds = count(1)


@dataclass
class Submission:
    """One response on its way in: when, and whether its epoch was the live one as it set out."""

    stamp: int
    at_ms: int
    was_live: bool
    was_over: bool
    answer: str = "unknown"
    # The Redis it was promised in; one that was emptied since holds nothing of it.
    redis: int = 0


@dataclass
class Candidate:
    """The model of one attempt."""

    person: Person
    grants: list[tuple[int, int]] = field(default_factory=list)
    ended_ms: int | None = None
    final: bool = False
    # Made final while Redis was away: what it held then is stranded, not applied.
    final_blind: bool = False
    sent: dict[tuple[int, Version], list[Submission]] = field(default_factory=dict)
    values: dict[tuple[int, Version], str] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        return self.grants[-1][0] if self.grants else 0

    def standing(self, epoch: int) -> Standing:
        later = [stamp for other, stamp in self.grants if other > epoch]
        state = "final" if self.final else "ended" if self.ended_ms is not None else "open"
        return Standing(self.epoch, state, self.ended_ms, None, min(later, default=None))


@dataclass
class Browser:
    """One PC of a candidate: what failover.client.Device keeps, without HTTP."""

    candidate: Candidate
    device_id: str
    claims: Any = None
    box: Outbox = field(default_factory=Outbox)
    seq: int = 1
    bodies: list[tuple[Any, Sent, list[Kept]]] = field(default_factory=list)

    def body(self, kept: list[Kept]) -> tuple[Any, Sent, list[Kept]]:
        answered = [Answered(one.item, one.rev, one.value, one.at_ms, canonical(one.value)) for one in kept]
        body = (self.claims, Sent(self.seq, answered, 1 + self.seq % 3, None, self.seq), kept)
        self.seq += 1
        self.bodies.append(body)
        return body


class Engine(RuleBasedStateMachine):
    """Every rule ends before the next begins; what runs side by side does so inside ``burst`` and ``crash``."""

    url = redis_url = ""
    loop: asyncio.AbstractEventLoop
    engine: AsyncEngine
    look: asyncpg.Connection[Any]
    redis: Any

    def __init__(self) -> None:
        super().__init__()
        self.away: list[ExitStack] = [ExitStack(), ExitStack()]
        self.postgres_away = [False, False]
        self.redis_away = False
        self.redis_stack = ExitStack()
        self.redis_life = 0
        self.run(self._begin())

    def run(self, work: Any) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(RULE_S):
                return await work

        return self.loop.run_until_complete(bounded())

    async def _begin(self) -> None:
        await self.redis.flushdb()
        await self.look.execute("DELETE FROM buffer_cursor")
        self.made = await world(
            self.engine, SECRET.encode(), candidates=2, items=5 * ITEMS, duration_ms=10**9, code=f"exam{next(worlds)}"
        )
        self.items = [item for item, kind in self.made.kinds.items() if kind == "text"]
        self.time = SetTime(Confirmed(*await self.look.fetchrow(READ)))
        self.stages = [await self._process(), await self._process()]
        self.candidates = [Candidate(person) for person in self.made.people]
        self.browsers = [Browser(one, f"first-{n}") for n, one in enumerate(self.candidates)]
        for browser in self.browsers:
            assert await self._sign_in(browser, self.stages[0]) == "granted"

    async def _process(self) -> Stage:
        site = Site(test_settings(**PATIENT), self.url, self.redis_url, "holdfast-stateful")
        site.service_time = self.time
        await site.follower.start()
        await site.writer.start()
        stage = Stage(site, self.made, self.engine, self.look)
        await stage.back()
        return stage

    # --- browsers ---

    @rule(ms=st.integers(1, 3000))
    def time_passes(self, ms: int) -> None:
        self.time.at += ms

    @rule(who=st.integers(0, 7), item=st.integers(0, ITEMS - 1), value=st.text("abc", max_size=2))
    def edit(self, who: int, item: int, value: str) -> None:
        browser = self._browser(who)
        browser.box.put(self.items[item], value, self.time.at)

    @rule(who=st.integers(0, 7), via=st.integers(0, 1))
    def send(self, who: int, via: int) -> None:
        self.run(self._send(self._browser(who), via))

    @rule(who=st.integers(0, 7), which=st.integers(0, 50), via=st.integers(0, 1))
    def an_old_body_comes_again(self, who: int, which: int, via: int) -> None:
        browser = self._browser(who)
        if browser.bodies:
            self.run(self._submit(browser, browser.bodies[which % len(browser.bodies)], via))

    @rule(seed=st.integers(0, 2**16), size=st.integers(2, 8))
    def burst(self, seed: int, size: int) -> None:
        """New and old bodies of several browsers at once, in any order, through both processes, beside a drain."""
        self.run(self._burst(random.Random(seed), size))

    @rule(who=st.integers(0, 1), via=st.integers(0, 1))
    def take_over(self, who: int, via: int) -> None:
        """The invigilator's click and the sign-in at another seat; the old browser goes on as if nothing were."""
        self.run(self._take_over(who, via))

    @rule(who=st.integers(0, 1), via=st.integers(0, 1), ms=st.integers(0, 500), item=st.integers(0, ITEMS - 1))
    def take_over_that_redis_does_not_hear_of(self, who: int, via: int, ms: int, item: int) -> None:
        """So the old browser is promised `buffered` by the other process; by its stamp alone it is known."""
        self.run(self._unheard(who, via, ms, self.items[item]))

    @rule(who=st.integers(0, 7), via=st.integers(0, 1))
    def sign_in_again(self, who: int, via: int) -> None:
        self.run(self._sign_in(self._browser(who), self.stages[via]))

    @rule(who=st.integers(0, 7), via=st.integers(0, 1))
    def resume(self, who: int, via: int) -> None:
        self.run(self._resume(self._browser(who), self.stages[via]))

    @rule(who=st.integers(0, 7), via=st.integers(0, 1))
    def hand_in(self, who: int, via: int) -> None:
        # Rare: an attempt that is over is a dull one.
        if who in (3, 6):
            self.run(self._hand_in(self._browser(who), via))

    # --- staff and sweeper ---

    @rule(who=st.integers(0, 7), via=st.integers(0, 1))
    def force_end(self, who: int, via: int) -> None:
        if who < 2:
            self.run(self._end(self.candidates[who], self.stages[via]))

    @precondition(lambda self: any(one.ended_ms is not None for one in self.candidates))
    @rule(who=st.integers(0, 1), via=st.integers(0, 1))
    def finalise(self, who: int, via: int) -> None:
        self.run(self._finalise(self.candidates[who], self.stages[via]))

    # --- the drain ---

    @rule(via=st.integers(0, 1))
    def drain_step(self, via: int) -> None:
        if not self.redis_away:
            self.run(self._drain(via))

    @rule(via=st.integers(0, 1), part=st.integers(1, 5))
    def drain_killed_before_its_cursor(self, via: int, part: int) -> None:
        if not self.redis_away:
            self.run(self._drain(via, part))

    @rule()
    def the_cursor_is_lost(self) -> None:
        self.run(self.look.execute("DELETE FROM buffer_cursor"))

    # --- what breaks ---

    @rule(which=st.integers(0, 1), size=st.integers(1, 4), steps=st.integers(0, 12), seed=st.integers(0, 2**16))
    def a_process_dies_in_the_middle_of_a_batch(self, which: int, size: int, steps: int, seed: int) -> None:
        self.run(self._crash(which, size, steps, random.Random(seed)))

    @rule(which=st.integers(0, 1))
    def postgres_goes(self, which: int) -> None:
        if not self.postgres_away[which]:
            self.postgres_away[which] = True
            self.away[which].enter_context(self.stages[which].postgres_away())

    @rule(which=st.integers(0, 1))
    def postgres_comes(self, which: int) -> None:
        if self.postgres_away[which]:
            self.postgres_away[which] = False
            self.away[which].close()
            self.run(self.stages[which].back())

    @rule()
    def redis_goes(self) -> None:
        if not self.redis_away:
            self.redis_away = True
            for stage in self.stages:
                self.redis_stack.enter_context(stage.redis_away())

    @rule(emptied=st.booleans())
    def redis_comes(self, emptied: bool) -> None:
        if self.redis_away:
            if emptied:
                self.run(self.redis.flushdb())
                self.redis_life += 1
            self.redis_away = False
            self.redis_stack.close()

    @invariant()
    def counts_and_history_agree(self) -> None:
        self.run(self._agree())

    def teardown(self) -> None:
        try:
            self.run(self._quiet())
            self.run(self._check())
        finally:
            self.run(self._close())

    # --- how it is done ---

    def _browser(self, who: int) -> Browser:
        return self.browsers[who % len(self.browsers)]

    async def _send(self, browser: Browser, via: int) -> None:
        kept = browser.box.waiting(limit=2)
        await self._submit(browser, browser.body(kept), via)

    async def _submit(self, browser: Browser, body: tuple[Any, Sent, list[Kept]], via: int, path: str = "") -> Any:
        """One request and what the browser makes of its answer."""
        claims, sent, kept = body
        candidate, sitting = browser.candidate, self.stages[via].sitting
        noted = [self._note(candidate, claims.epoch, one) for one in kept]
        try:
            call = sitting.hand_in if path else sitting.checkpoint
            reply = await call(claims, sent)
        except AWAY:
            return None
        except Refused as refusal:
            _rightly(refusal, "superseded", "closed", fenced=claims.epoch != candidate.epoch)
            items = refusal.params.get("items", [])
            reply = {"items": items}
            if refusal.code == "superseded" and not items:
                return None
        if browser.claims == claims:
            browser.box.told(self.time.lineage_uid, reply.get("count"))
        for one, submission in zip(kept, noted, strict=True):
            for item in reply["items"]:
                if (item["item"], item["rev"]) == (one.item, one.rev):
                    submission.answer = item["status"]
                    if browser.claims == claims or item["status"] != "durable":
                        browser.box.answered(one.item, one.rev, item["status"])
        return reply

    def _note(self, candidate: Candidate, epoch: int, one: Kept) -> Submission:
        version = Version(epoch, one.rev, 0, value_hash(one.value))
        submission = Submission(
            self.time.at, one.at_ms, epoch == candidate.epoch, candidate.ended_ms is not None, redis=self.redis_life
        )
        candidate.values[one.item, version] = one.value
        candidate.sent.setdefault((one.item, version), []).append(submission)
        return submission

    async def _burst(self, rng: random.Random, size: int) -> None:
        work = []
        for _ in range(size):
            browser, via = rng.choice(self.browsers), rng.randrange(2)
            if browser.bodies and rng.random() < 0.5:
                work.append(self._submit(browser, rng.choice(browser.bodies), via))
            else:
                browser.box.put(rng.choice(self.items), rng.choice("xyz"), self.time.at)
                work.append(self._send(browser, via))
        if not self.redis_away:
            work.insert(rng.randrange(len(work) + 1), self._drain(rng.randrange(2)))
        await asyncio.gather(*work)

    async def _sign_in(self, browser: Browser, stage: Stage) -> str:
        person, candidate = browser.candidate.person, browser.candidate
        secret = browser.device_id.ljust(40, "s")
        request = sign_in.Request(person.ticket, person.tail, browser.device_id, secret, None, None, "10.0.0.1")
        try:
            done = await sign_in.sign_in(stage.site, request)
        except AWAY:
            return "away"
        except Refused as refusal:
            _rightly(refusal, "lease-held", "closed")
            return refusal.code
        if done.claims.epoch != candidate.epoch:
            assert done.claims.epoch > candidate.epoch, "an epoch was given twice"
            candidate.grants.append((done.claims.epoch, self.time.at))
            browser.seq, browser.bodies = 1, []
        browser.claims = done.claims
        await self._resume(browser, stage)
        return "granted"

    async def _take_over(self, who: int, via: int) -> None:
        candidate = self.candidates[who]
        if candidate.ended_ms is not None or self.postgres_away[via]:
            return
        # To the spare seat that is theirs, and back.
        seats = [self.made.spares[who], candidate.person.seat_id]
        await open_relog(self.engine, self.made, candidate.person, seats[len(self.browsers) % 2])
        browser = Browser(candidate, f"other-{len(self.browsers)}")
        before = candidate.epoch
        answer = await self._sign_in(browser, self.stages[via])
        if answer == "granted":
            assert candidate.epoch > before
            self.browsers.append(browser)
        else:
            await self.look.execute("DELETE FROM relog WHERE state = 'open'")

    async def _unheard(self, who: int, via: int, ms: int, item: int) -> None:
        if self.redis_away or self.postgres_away[via]:
            return
        old = [browser for browser in self.browsers if browser.candidate is self.candidates[who]][-1]
        with self.stages[via].redis_away():
            await self._take_over(who, via)
        self.time.at += ms
        old.box.put(item, "old", self.time.at)
        other = self.stages[1 - via]
        with ExitStack() as stack:
            if not self.postgres_away[1 - via]:
                stack.enter_context(other.postgres_away())
            await self._send(old, 1 - via)
        if not self.postgres_away[1 - via]:
            await other.back()

    async def _resume(self, browser: Browser, stage: Stage) -> None:
        try:
            state = await stage.resuming.resume(browser.claims)
        except AWAY:
            return
        except Refused as refusal:
            _rightly(refusal, "superseded", fenced=browser.claims.epoch != browser.candidate.epoch)
            return
        stored = {
            (row["item_id"], row["epoch"], row["rev"])
            for row in await self.look.fetch(
                "SELECT item_id, epoch, rev FROM response WHERE attempt_id = $1", browser.candidate.person.attempt
            )
        }
        shown = {(int(item), one["epoch"], one["rev"]) for item, one in state["responses"].items()}
        assert shown == stored, "shown what the record does not hold"
        for item, _, rev in shown:
            browser.box.server[item] = max(browser.box.server.get(item, 0), rev)
        browser.box.told(state["lineage"], state["count"])

    async def _hand_in(self, browser: Browser, via: int) -> None:
        candidate = browser.candidate
        body = browser.body(list(browser.box.kept.values()))
        reply = await self._submit(browser, body, via, "hand-in")
        if reply is not None and reply.get("receipt"):
            self._over(candidate)
            candidate.final = True
            candidate.final_blind |= self.redis_away
            assert reply["receipt"]["count"] == await whole(self.look, candidate.person.attempt)
            browser.box.queue.clear()
            browser.box.kept.clear()
        else:
            await self._look_again(candidate)

    def _over(self, candidate: Candidate) -> None:
        if candidate.ended_ms is None:
            candidate.ended_ms = self.time.at

    async def _look_again(self, candidate: Candidate) -> None:
        """After an unknown outcome of an end: what the record says."""
        row = await self.look.fetchrow("SELECT state, ended_ms FROM attempt WHERE id = $1", candidate.person.attempt)
        candidate.ended_ms = row["ended_ms"]
        if row["state"] == "final" and not candidate.final:
            candidate.final = candidate.final_blind = True

    async def _end(self, candidate: Candidate, stage: Stage) -> None:
        await ending.end(stage.site, candidate.person.attempt, "forced")
        self._over(candidate)

    async def _finalise(self, candidate: Candidate, stage: Stage) -> None:
        receipt = await ending.finalise(stage.site, candidate.person.attempt, needs_redis=True)
        if receipt is not None:
            assert candidate.ended_ms is not None
            assert candidate.final or not self.redis_away, "a receipt that did not wait for Redis"
            candidate.final = True

    async def _drain(self, via: int, part: int | None = None) -> None:
        """One step; with ``part`` so many entries, and killed before the cursor."""
        stage = self.stages[via]
        hot, lineage_n = stage.site.hot(), self.time.lineage_n
        async with stage.connection() as connection:
            if part is None:
                await drain.step(connection, hot, lineage_n)
            else:
                entries = await hot.entries(await drain.place(connection, hot, lineage_n), part)
                await drain.commit(connection, [checkpoint for _, checkpoint in entries])

    async def _crash(self, which: int, size: int, steps: int, rng: random.Random) -> None:
        """Requests set out, some turns of the loop pass, the process is gone: its line is cut, nobody hears from it."""
        dying = self.stages[which]
        work = []
        for _ in range(size):
            browser = rng.choice(self.browsers)
            browser.box.put(rng.choice(self.items), rng.choice("pqr"), self.time.at)
            work.append(asyncio.create_task(self._send(browser, which)))
        for _ in range(steps):
            await asyncio.sleep(0)
        self.away[which].close()
        self.postgres_away[which] = False
        for task in asyncio.all_tasks():
            # Statements whose process is gone: nobody hears how they end.
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        writer = dying.site.writer
        tasks = [*writer._tasks, dying.site.follower._task]
        writer._abandon()
        # Asked again and again: a library may swallow a cancellation, and nobody answers these requests any more.
        for task in [*tasks, *work]:
            await background.end(task)
        await dying.site.store.client.aclose()
        await dying.site.engine.dispose()
        self.stages[which] = await self._process()
        if self.redis_away:
            self.redis_stack.enter_context(self.stages[which].redis_away())

    # --- quiescence and the judgement ---

    async def _quiet(self) -> None:
        for which in range(2):
            self.away[which].close()
        self.redis_stack.close()
        self.redis_away, self.postgres_away = False, [False, False]
        for stage in self.stages:
            await stage.back()
        await self.stages[0].drain()
        for n, browser in enumerate(self.browsers):
            # Everything, as after a reply that shows another lineage: more than it would have to.
            browser.box.queue = {item: one.rev for item, one in browser.box.kept.items()}
            for _ in range(ITEMS):
                await self._send(browser, n % 2)
        await self.stages[1].drain()

    async def _agree(self) -> None:
        rows = await self.look.fetch(
            "SELECT a.id FROM attempt a WHERE a.session_id = $1 AND a.count <>"
            " (SELECT count(*) FROM response_history h WHERE h.session_id = $1 AND h.attempt_id = a.id)",
            self.made.session_id,
        )
        assert rows == []

    async def _check(self) -> None:
        for candidate in self.candidates:
            await whole(self.look, candidate.person.attempt)
            await self._check_one(candidate)

    async def _check_one(self, candidate: Candidate) -> None:
        attempt = candidate.person.attempt
        history = {
            (row["item_id"], Version(row["epoch"], row["rev"], row["adopt_n"], bytes(row["value_hash"])))
            for row in await self.look.fetch("SELECT * FROM response_history WHERE attempt_id = $1", attempt)
        }
        kept_aside = {
            (row["item_id"], Version(row["epoch"], row["rev"], 0, bytes(row["value_hash"])))
            for row in await self.look.fetch("SELECT * FROM stranded WHERE attempt_id = $1", attempt)
        }
        assert history <= candidate.sent.keys(), "recorded what nobody sent"
        for key, submissions in candidate.sent.items():
            said = {one.answer for one in submissions}
            if "durable" in said:
                assert key in history, f"durable and lost: {key} {submissions}"
            if any(one.answer == "buffered" and one.redis == self.redis_life for one in submissions):
                assert key in history | kept_aside, f"buffered and lost: {key} {submissions}"
            if any(self._must_count(candidate, key, one) for one in submissions):
                assert key in history, f"should count and does not: {key} {submissions}"
            if key in history:
                assert any(self._may_count(candidate, key, one) for one in submissions), f"stale: {key} {submissions}"
        for browser in self.browsers:
            if browser.candidate is candidate:
                mine = [
                    (one.item, Version(browser.claims.epoch, one.rev, 0, bytes.fromhex(one.hash)))
                    for one in browser.box.kept.values()
                ]
                assert [key for key in mine if key not in history | kept_aside] == [], "kept, sent again, and lost"
        expected = merge({}, [Response(item, version, candidate.values[item, version]) for item, version in history])
        stored = await self.look.fetch("SELECT * FROM response WHERE attempt_id = $1", attempt)
        assert {row["item_id"]: row["rev"] for row in stored} == {i: one.version.rev for i, one in expected.items()}
        if candidate.ended_ms is None:
            for browser in self.browsers:
                if browser.candidate is candidate and browser.claims.epoch == candidate.epoch:
                    assert not browser.box.queue, "the live browser could not hand over what it has"
                    for item, one in browser.box.kept.items():
                        assert expected[item].version >= Version(candidate.epoch, one.rev, 0, b"")

    def _must_count(self, candidate: Candidate, key: tuple[int, Version], one: Submission) -> bool:
        """A `buffered` promise that no emptied Redis and no receipt without Redis can have cost."""
        held = one.answer == "buffered" and one.redis == self.redis_life and not candidate.final_blind
        if not held or candidate.final:
            return False
        if candidate.ended_ms is not None and one.stamp > candidate.ended_ms:
            return False
        return strand(candidate.standing(key[1].epoch), Write(key[1].epoch, one.stamp, True), one.at_ms) is None

    def _may_count(self, candidate: Candidate, key: tuple[int, Version], one: Submission) -> bool:
        standing = candidate.standing(key[1].epoch)
        before_grant = one.was_live or (standing.next_grant_ms is not None and one.stamp < standing.next_grant_ms)
        before_end = not one.was_over or (standing.ended_ms is not None and one.at_ms < standing.ended_ms)
        return before_grant and (before_end or one.stamp <= (standing.ended_ms or 0))

    async def _close(self) -> None:
        for stage in self.stages:
            await stage.site.writer.stop()
            await stage.site.follower.stop()
            await stage.site.store.close()
            await stage.site.engine.dispose()


def _rightly(refusal: Refused, *codes: str, fenced: bool = True) -> None:
    """Only what may be refused is, and nobody is told `superseded` who holds the live epoch."""
    if refusal.code not in codes or (refusal.code == "superseded" and not fenced):
        raise AssertionError(f"refused {refusal.code}") from refusal


def size() -> hypothesis.settings:
    """Modest in the normal run; a profile from the environment says otherwise."""
    plain = hypothesis.settings.get_current_profile_name() == "holdfast"
    return hypothesis.settings(
        max_examples=20 if plain else hypothesis.settings.default.max_examples,
        stateful_step_count=30 if plain else 60,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.timeout(0 if hypothesis.settings.get_current_profile_name() != "holdfast" else 400)
async def test_any_interleaving_of_browsers_processes_and_stores_ends_in_the_models_state(fresh_url, redis_url, redis):
    """In a thread with one event loop of its own, for a state machine's rules are not coroutines."""

    def play() -> None:
        with asyncio.Runner() as runner:
            Engine.loop, Engine.url, Engine.redis_url = runner.get_loop(), fresh_url, redis_url
            Engine.engine = create_engine(fresh_url, test_settings(), name="holdfast-test")
            Engine.look = runner.run(asyncpg.connect(fresh_url))
            Engine.redis = redis_async.Redis.from_url(redis_url)
            try:
                run_state_machine_as_test(Engine, settings=size())
            finally:
                runner.run(Engine.look.close())
                runner.run(Engine.redis.aclose())
                runner.run(Engine.engine.dispose())

    await asyncio.to_thread(play)
