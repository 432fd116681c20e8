"""One simulated candidate at the protocol of DESIGN §6: sign in, paper, checkpoints, hand-in.

What a browser promises holds here as well: one request in flight, the same ``seq`` with the same body until it is
answered, every answer kept until the server calls it durable, times in service time. Unlike a browser it has no
storage of its own but the lease (device id and secret), which is all it takes to go on after a restart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from app.demo.behaviour import Question, Step, Value, pace, questions, steps
from app.demo.people import Person

HEARTBEAT_S = 10.0
# Longest wait between two tries of anything.
BACKOFF_CAP_S = 15.0
# Nobody starts another item in the last minute: what is done is handed in.
LAST_MINUTE_MS = 60_000
BASE = "/api/v1"
# The server is not there, or went away before it had answered; anything else is a mistake of ours.
AWAY = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError)


class Over(Exception):  # noqa: N818 -- the normal end of a sitting
    """This candidate is done: handed in, ended by the clock, moved to another seat, or refused for good."""


class SignInAgain(Exception):  # noqa: N818 -- a turn of the protocol
    """The token is no longer honoured."""


@dataclass(slots=True)
class Lease:
    """What proves the device; empty before the first sign-in."""

    device_id: str = ""
    secret: str = ""


@dataclass(slots=True)
class _Clock:
    """Service time between replies, counted on our own monotonic clock."""

    service_ms: int = 0
    state: str = "waiting"
    remaining_ms: int = 0
    starts_in_ms: int | None = None
    seen: float = field(default_factory=time.monotonic)

    def take(self, told: dict[str, Any]) -> None:
        self.service_ms, self.state = told["service_ms"], told["state"]
        self.remaining_ms, self.starts_in_ms = told["remaining_ms"], told["starts_in_ms"]
        self.seen = time.monotonic()

    def now_ms(self) -> int:
        return self.service_ms + int((time.monotonic() - self.seen) * 1000)


class Sitter:
    """``run()`` returns when the candidate is done; ``kept`` is called whenever the lease has changed.

    ``speed`` divides every think time: 1 is human pace.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        person: Person,
        lease: Lease,
        seed: str,
        kept: Callable[[], None],
        *,
        speed: float = 1.0,
    ) -> None:
        self._client = client
        self._person = person
        self.lease = lease
        self._seed = seed
        self._kept = kept
        self._speed = speed
        # Network timing must not move the behaviour's own draws.
        self._jitter = Random(f"{seed}/jitter")
        self._clock = _Clock()
        self._token = ""
        self._seq = 1
        self._revs: dict[int, int] = {}
        self._unsaved: dict[int, dict[str, Any]] = {}
        self._marked: set[int] = set()
        self._position = 1
        self._began = time.monotonic()
        self.state = "arriving"

    async def run(self) -> None:
        while True:
            try:
                await self._sign_in()
                await self._sit()
            except SignInAgain:
                await asyncio.sleep(self._jitter.uniform(0.5, 3))
            except Over as over:
                self.state = str(over)
                return

    # --- the sitting

    async def _sit(self) -> None:
        await self._wait_for_start()
        paper = questions(await self._call("GET", "/attempt/paper"))
        state = await self._call("GET", "/attempt")
        self._take_state(state)
        answered = {int(item) for item, response in state["responses"].items() if response["value"] is not None}
        self.state = "answering"
        # Pace belongs to the person; the rest goes with what is answered, so that going on is no repetition.
        own_pace = pace(Random(self._seed))
        random = Random(f"{self._seed}/{len(answered)}")
        for step in steps(random, paper, own_pace, answered=answered, marked=self._marked):
            await self._work(step.think_s)
            if self._clock.remaining_ms < LAST_MINUTE_MS:
                break
            self._do(step, paper)
            await self._checkpoint()
        await self._work(random.uniform(5, 60))
        await self._hand_in()

    async def _wait_for_start(self) -> None:
        while self._clock.state == "waiting":
            self.state = "waiting"
            starts_in = self._clock.starts_in_ms
            await asyncio.sleep(min(HEARTBEAT_S, HEARTBEAT_S if starts_in is None else starts_in / 1000 + 0.2))
            await self._checkpoint()

    async def _work(self, seconds: float) -> None:
        """Think; a heartbeat at least every ten seconds, so that the seat is never silent."""
        until = time.monotonic() + seconds / self._speed
        while (left := until - time.monotonic()) > HEARTBEAT_S:
            await asyncio.sleep(HEARTBEAT_S - self._jitter.uniform(0, 1))
            await self._checkpoint()
        await asyncio.sleep(max(0.0, left))

    def _do(self, step: Step, paper: list[Question]) -> None:
        self._position = step.position
        item = paper[step.position - 1].item
        if step.marked is not None:
            (self._marked.add if step.marked else self._marked.discard)(item)
        if step.answers:
            self._answer(item, step.value)

    def _answer(self, item: int, value: Value) -> None:
        self._revs[item] = self._revs.get(item, 0) + 1
        self._unsaved[item] = {
            "item": item,
            "rev": self._revs[item],
            "value": value,
            "at_ms": self._clock.now_ms(),
        }

    # --- the calls

    async def _sign_in(self) -> None:
        body: dict[str, Any] = {"ticket": self._person.ticket, "id_tail": self._person.id_tail}
        body["seat"] = {"room": self._person.room, "seat": str(self._person.seat)}
        if self.lease.device_id:
            body |= {"device_id": self.lease.device_id, "lease_secret": self.lease.secret}
        reply = await self._call("POST", "/candidate/sign-in", body)
        self._token = reply["token"]
        self._seq = reply["next_seq"]
        self._clock.take(reply["clock"])
        if (reply["device_id"], reply["lease_secret"]) != (self.lease.device_id, self.lease.secret):
            self.lease.device_id, self.lease.secret = reply["device_id"], reply["lease_secret"]
            self._kept()
        if reply["state"] in ("ended", "final"):
            raise Over("done")
        await self._call("POST", "/attempt/ready", {})

    def _take_state(self, state: dict[str, Any]) -> None:
        self._clock.take(state["clock"])
        self._marked = set(state["marked"])
        self._position = state["position"]
        for item, response in state["responses"].items():
            self._revs[int(item)] = max(self._revs.get(int(item), 0), response["rev"])

    def _body(self) -> dict[str, Any]:
        return {
            "seq": self._seq,
            "responses": list(self._unsaved.values()),
            "position": self._position,
            "marked": sorted(self._marked),
            "elapsed_ms": int((time.monotonic() - self._began) * 1000),
        }

    async def _checkpoint(self) -> None:
        self._take_reply(await self._call("POST", "/attempt/checkpoints", self._body()))
        if self._clock.state in ("ended", "final"):
            raise Over("timed out")

    def _take_reply(self, reply: dict[str, Any]) -> None:
        self._seq += 1
        self._clock.take(reply["clock"])
        for item in reply["items"]:
            held = self._unsaved.get(item["item"])
            # What is only buffered is sent again with the next request; a newer change of ours stays as well.
            if held is not None and held["rev"] == item["rev"] and item["status"] != "buffered":
                del self._unsaved[item["item"]]

    async def _hand_in(self) -> None:
        while True:
            reply = await self._call("POST", "/attempt/hand-in", self._body())
            self._take_reply(reply)
            if reply["receipt"] is not None:
                raise Over("handed in")
            await asyncio.sleep(self._jitter.uniform(1, 4))

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The reply's JSON. Waits out everything that passes; Over or SignInAgain for what does not."""
        for attempt in range(1_000_000):
            try:
                headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
                response = await self._client.request(method, BASE + path, json=body, headers=headers)
            except AWAY:
                await self._pause(attempt)
                continue
            if response.is_success:
                return response.json()
            await self._refused(response, attempt)
        raise AssertionError("unreachable")

    async def _refused(self, response: httpx.Response, attempt: int) -> None:
        """Return when the same request may be tried again."""
        try:
            problem: dict[str, Any] = response.json()
        except ValueError:
            problem = {}
        code = problem.get("code", "")
        if response.status_code >= 500 or response.status_code == 429:
            await self._pause(attempt, float(response.headers.get("Retry-After", 0)))
        elif code == "bad-token":
            raise SignInAgain
        elif code in ("not-open", "not-started", "too-early-to-hand-in"):
            waits = next((problem[name] for name in ("opens_in_ms", "starts_in_ms", "in_ms") if problem.get(name)), 0)
            await asyncio.sleep(min(max(waits / 1000, 1.0), 60.0) + self._jitter.uniform(0, 1))
        else:
            # Moved to another seat by an invigilator, closed, too late: a person would raise a hand.
            raise Over(code or f"HTTP {response.status_code}")

    async def _pause(self, attempt: int, at_least: float = 0.0) -> None:
        await asyncio.sleep(at_least + self._jitter.uniform(0, min(BACKOFF_CAP_S, 0.5 * 2 ** min(attempt, 6))))
