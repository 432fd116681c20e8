"""Simulated candidates with real outboxes, over HTTP, by docs/protocol.md.

The outbox keeps the latest value of every item until the final receipt, empties its send queue only at ``durable``,
and sends everything again when a reply shows another lineage or a lower count. A request that was not answered is
repeated with the same number and body; a device whose token is no longer good proves itself again. Everything sent and
everything answered goes to the history.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from app.domain.responses import value_hash
from failover.history import History

REQUEST_S = 4.0
BASE_S = 0.1
LONGEST_S = 2.0
MOST_PER_REQUEST = 8
REMEMBERED_BODIES = 20


class Person(Protocol):
    """What a candidate has in hand: the ticket and the last six of the ID, and which attempt that is in the record."""

    @property
    def ticket(self) -> str: ...
    @property
    def tail(self) -> str: ...
    @property
    def attempt(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The latest value of one item on one device."""

    item: int
    rev: int
    value: Any
    hash: str
    at_ms: int

    @property
    def json(self) -> dict[str, Any]:
        return {"item": self.item, "rev": self.rev, "value": self.value, "at_ms": self.at_ms}


@dataclass(slots=True)
class Outbox:
    """What a device holds. ``kept`` is never emptied before the receipt; ``queue`` is what is not yet durable."""

    kept: dict[int, Kept] = field(default_factory=dict)
    queue: dict[int, int] = field(default_factory=dict)
    server: dict[int, int] = field(default_factory=dict)
    lineage: str | None = None
    count: int = 0

    def put(self, item: int, value: Any, at_ms: int) -> Kept:
        known = self.kept.get(item)
        rev = max(self.server.get(item, 0), known.rev if known else 0) + 1
        self.kept[item] = Kept(item, rev, value, value_hash(value).hex(), at_ms)
        self.queue[item] = rev
        return self.kept[item]

    def waiting(self, limit: int = MOST_PER_REQUEST) -> list[Kept]:
        return [self.kept[item] for item in list(self.queue)[:limit]]

    def answered(self, item: int, rev: int, status: str) -> None:
        """``durable`` takes the revision off the queue; so does a refusal, for sending it again would change nothing.
        ``buffered`` is a promise of effort and stays."""
        if status != "buffered" and self.queue.get(item) == rev:
            del self.queue[item]
        if status == "durable":
            self.server[item] = max(self.server.get(item, 0), rev)

    def told(self, lineage: str, count: int | None) -> bool:
        """Take note of where the server stands. True when it came back with less: then everything goes again."""
        less = (self.lineage is not None and lineage != self.lineage) or (count is not None and count < self.count)
        self.lineage = lineage
        if less:
            self.queue = {item: one.rev for item, one in self.kept.items()}
        if count is not None:
            self.count = count
        return less


class Device:
    """One PC: its identity, its outbox, and one request in flight."""

    def __init__(self, url: str, person: Person, history: History, rng: random.Random, name: str) -> None:
        self.person, self.history, self.random, self.name = person, history, rng, name
        self.candidate = str(person.attempt)
        self.outbox = Outbox()
        self.device_id, self.lease_secret = secrets.token_hex(8), secrets.token_hex(16)
        self.token = ""
        self.epoch = 0
        self.seq = 1
        self.service_ms = 0
        self.resent = 0
        self.superseded = False
        self.receipt: dict[str, Any] | None = None
        self._bodies: deque[tuple[str, dict[str, Any]]] = deque(maxlen=REMEMBERED_BODIES)
        self._client = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=REQUEST_S, trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def sign_in(self, stop: asyncio.Event | None = None) -> bool:
        """Signed in and resumed; tried until it works. False when ``stop`` came first or the sign-in was refused."""
        body = {
            "ticket": self.person.ticket, "id_tail": self.person.tail, "device_id": self.device_id,
            "lease_secret": self.lease_secret,
        }  # fmt: skip
        reply = await self._until_answered("/candidate/sign-in", body, [], stop)
        if reply is None or reply.status_code != 200:
            return False
        data = reply.json()
        self.token, self.epoch, self.seq = data["token"], data["epoch"], data["next_seq"]
        self.service_ms = data["clock"]["service_ms"]
        self.history.add(
            "sign-in", candidate=self.candidate, device=self.name, epoch=self.epoch, lineage=data["lineage"]
        )
        return await self.resume(stop)

    async def show_lease(self, stop: asyncio.Event | None = None) -> bool:
        """The record was put back to before this device's grant: enter it again, under the same token."""
        body = {"device_id": self.device_id, "lease_secret": self.lease_secret}
        return self._resumed(await self._until_answered("/attempt/lease", body, [], stop))

    async def resume(self, stop: asyncio.Event | None = None) -> bool:
        """What the record holds, and where this device's own count goes on."""
        return self._resumed(await self._until_answered("/attempt", None, [], stop))

    def _resumed(self, reply: httpx.Response | None) -> bool:
        if reply is None or reply.status_code != 200:
            return False
        data = reply.json()
        shown = [
            [int(item), one["epoch"], one["rev"], value_hash(one["value"]).hex()]
            for item, one in data["responses"].items()
        ]
        self.history.add(
            "shown", candidate=self.candidate, device=self.name, epoch=self.epoch, count=data["count"], items=shown
        )
        for item, _, rev, _ in shown:
            self.outbox.server[item] = max(self.outbox.server.get(item, 0), rev)
        self.resent += self.outbox.told(data["lineage"], data["count"])
        return True

    def type(self, item: int, value: Any) -> None:
        """The candidate changes an answer: it is in the outbox before anything is sent."""
        kept = self.outbox.put(item, value, self.service_ms)
        self.history.add(
            "typed", candidate=self.candidate, device=self.name, epoch=self.epoch, item=[item, kept.rev, kept.hash]
        )

    async def flush(self, stop: asyncio.Event | None = None, *, more: dict[str, Any] | None = None) -> None:
        """One checkpoint with what waits, repeated until it is answered."""
        await self._send("/attempt/checkpoints", self.outbox.waiting(), more or {}, stop)

    async def hand_in(self, stop: asyncio.Event | None = None) -> None:
        """Everything that is still held, and the end; asked again while the receipt is not there."""
        await self._send("/attempt/hand-in", list(self.outbox.kept.values()), {}, stop)

    async def again(self) -> None:
        """An old request once more, as a network or a hidden tab may bring it: late, out of order, beside another."""
        if not self._bodies:
            return
        path, body = self.random.choice(list(self._bodies))
        sent = [Kept(one["item"], one["rev"], one["value"], value_hash(one["value"]).hex(), one["at_ms"])
                for one in body["responses"]]  # fmt: skip
        await self._once(path, body, sent, again=True)

    async def _send(self, path: str, sent: list[Kept], more: dict[str, Any], stop: asyncio.Event | None) -> None:
        body = {"seq": self.seq, "responses": [one.json for one in sent], **more}
        if path.endswith("checkpoints"):
            self._bodies.append((path, body))
        reply = await self._until_answered(path, body, sent, stop)
        if reply is not None:
            self.seq += 1

    async def _until_answered(
        self, path: str, body: dict[str, Any] | None, sent: list[Kept], stop: asyncio.Event | None
    ) -> httpx.Response | None:
        """Repeat while the outcome is unknown: full jitter, Retry-After honoured. None when ``stop`` came first."""
        tries = 0
        while stop is None or not stop.is_set():
            reply = await self._once(path, body, sent)
            if reply is not None and reply.status_code == 401 and path.startswith("/attempt"):
                # The server does not know the token (any more): the device proves itself again, and repeats.
                lost = reply.json().get("code") == "grant-lost"
                if not await (self.show_lease(stop) if lost else self.sign_in(stop)):
                    return reply
                continue
            if reply is not None and reply.status_code not in (503, 429):
                return reply
            tries += 1
            pause = self.random.uniform(0, min(LONGEST_S, BASE_S * 2**tries))
            if reply is not None:
                pause += float(reply.headers.get("retry-after", 0))
            await asyncio.sleep(pause)
        return None

    async def _once(
        self, path: str, body: dict[str, Any] | None, sent: list[Kept], *, again: bool = False
    ) -> httpx.Response | None:
        n = self.history.number()
        self.history.add(
            "send", n=n, candidate=self.candidate, device=self.name, epoch=self.epoch,
            seq=body.get("seq") if body else None, path=path, again=again,
            items=[[one.item, one.rev, one.hash] for one in sent],
        )  # fmt: skip
        headers = {"Authorization": f"Bearer {self.token}"} if path.startswith("/attempt") else {}
        try:
            if body is None:
                reply = await self._client.get(path, headers=headers)
            else:
                reply = await self._client.post(path, content=json.dumps(body), headers=headers)
            data = reply.json()
        except (httpx.TransportError, json.JSONDecodeError) as fault:
            self.history.add("silence", n=n, fault=type(fault).__name__)
            return None
        self._take(n, reply, data, again=again)
        return reply

    def _take(self, n: int, reply: httpx.Response, data: dict[str, Any], *, again: bool) -> None:
        clock = data.get("clock") or {}
        items = data.get("items") or []
        self.history.add(
            "reply", n=n, status=reply.status_code, code=data.get("code"), durability=data.get("durability"),
            items=[[one["item"], one["rev"], one["status"], one.get("code")] for one in items],
            count=data.get("count"), lineage=data.get("lineage"), acked_seq=data.get("acked_seq"),
            service_ms=clock.get("service_ms"), remaining_ms=clock.get("remaining_ms"), state=clock.get("state"),
        )  # fmt: skip
        for one in items:
            self.outbox.answered(one["item"], one["rev"], one["status"])
        self.service_ms = max(self.service_ms, clock.get("service_ms") or 0)
        if reply.status_code == 409 and data.get("code") == "superseded":
            self.superseded = True
        # A late reply to an old body says where the server stood then, not now.
        if reply.status_code == 200 and data.get("lineage") and not again:
            self.resent += self.outbox.told(data["lineage"], data.get("count"))
        if data.get("receipt"):
            self.receipt = data["receipt"]
            self.history.add(
                "receipt", candidate=self.candidate, device=self.name, count=self.receipt["count"],
                chain=self.receipt["chain"],
            )  # fmt: skip
