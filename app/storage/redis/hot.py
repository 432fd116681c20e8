"""The hot copy of each attempt, and the buffer that holds checkpoints while PostgreSQL is away.

The hot copy is never trusted alone: a resume compares it with the record and commits what is beyond it first
(``app.checkpoint.recovery``). The buffer is one stream; each entry carries the service-time stamp it was promised
under, by which it is judged whenever it is drained.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from app.domain.checkpoints import Checkpoint, Outcome, Row
from app.storage.redis.client import Keys, Store, script

# A day's exam with room to spare; an attempt's hot copy is useless the day after.
LIFE_S = 86_400
# How long a seal holds by itself: its maker renews it before it commits, and whoever dies with one keeps nobody from
# the buffer for longer.
SEAL_MS = 30_000


@dataclass(slots=True)
class HotResponse:
    epoch: int
    rev: int
    adopt_n: int
    hash: bytes
    value: object
    at_ms: int
    stamp_ms: int


@dataclass(slots=True)
class HotAttempt:
    """What Redis knows of an attempt; every field may be behind the record."""

    epoch: int
    state: str | None
    end_ms: int | None
    count: int | None
    seen_ms: int | None
    position: int | None
    marked: list[int]
    elapsed_ms: int
    responses: dict[int, HotResponse] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def encode(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as one buffer entry."""
    return json.dumps(
        {
            "t": str(checkpoint.attempt), "e": checkpoint.epoch, "q": checkpoint.seq, "s": checkpoint.stamp_ms,
            "n": checkpoint.term,
            "p": checkpoint.position, "m": checkpoint.marked, "l": checkpoint.elapsed_ms,
            "r": [[row.item, row.rev, row.adopt_n, row.hash.hex(), row.value, row.at_ms] for row in checkpoint.rows],
        },
        ensure_ascii=False, separators=(",", ":"),
    ).encode()  # fmt: skip


def decode(entry: bytes) -> Checkpoint:
    """A buffer entry as the checkpoint it was, marked as buffered."""
    data = json.loads(entry)
    return Checkpoint(
        attempt=UUID(data["t"]),
        epoch=data["e"],
        seq=data["q"],
        stamp_ms=data["s"],
        position=data["p"],
        marked=data["m"],
        elapsed_ms=data["l"],
        term=data.get("n", 0),
        rows=[
            Row(item, rev, value, bytes.fromhex(digest), at, adopt) for item, rev, adopt, digest, value, at in data["r"]
        ],
        buffered=True,
    )


class Hot:
    """The hot copies of one lineage. Every method raises RedisAway when Redis does not answer."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys
        self._merge = store.client.register_script(script("hot"))
        self._seals = store.client.register_script(script("seal"))
        self._granted = store.client.register_script(script("grant"))

    def _arguments(self, mode: str, checkpoint: Checkpoint, outcome: Outcome | None) -> list[Any]:
        body = encode(checkpoint) if mode == "buffered" else b""
        arguments: list[Any] = [
            mode, checkpoint.epoch, checkpoint.stamp_ms, checkpoint.seq,
            "" if checkpoint.position is None else checkpoint.position, checkpoint.marked or "",
            checkpoint.elapsed_ms, outcome.state if outcome else "",
            outcome.end_ms if outcome and outcome.end_ms is not None else "",
            outcome.count if outcome and outcome.count is not None else "", body, LIFE_S,
            outcome.acked_seq if outcome else "",
        ]  # fmt: skip
        for row in checkpoint.rows:
            if outcome is not None and outcome.status(row)[0] != "durable":
                continue
            packed = f'{{"v":{row.value},"a":{row.at_ms},"s":{checkpoint.stamp_ms}}}'
            arguments += [row.item, row.rev, row.adopt_n, row.hash.hex(), packed]
        return arguments

    def _names(self, attempt: UUID) -> list[str]:
        return [self._keys.hot(attempt), self._keys.buffer, self._keys.pending(attempt)]

    async def follow(self, done: Sequence[tuple[Checkpoint, Outcome]]) -> None:
        """Bring the hot copies up to what was just committed."""
        pipeline = self._store.client.pipeline(transaction=False)
        for checkpoint, outcome in done:
            if not outcome.fenced:
                await self._merge(
                    keys=self._names(checkpoint.attempt),
                    args=self._arguments("durable", checkpoint, outcome),
                    client=pipeline,
                )
        await self._store.call(pipeline.execute(raise_on_error=True))

    async def append(self, checkpoints: Sequence[Checkpoint]) -> list[list[bytes]]:
        """Buffer a batch; per checkpoint the script's reply ``[verdict, state, end_ms, count, acked]``."""
        pipeline = self._store.client.pipeline(transaction=False)
        for checkpoint in checkpoints:
            await self._merge(
                keys=self._names(checkpoint.attempt),
                args=self._arguments("buffered", checkpoint, None),
                client=pipeline,
            )
        return cast("list[list[bytes]]", await self._store.call(pipeline.execute(raise_on_error=True)))

    async def read(self, attempt: UUID) -> HotAttempt | None:
        raw: dict[bytes, bytes] = await self._store.call(self._store.client.hgetall(self._keys.hot(attempt)))
        return _parse(raw) if raw else None

    async def facts(self, attempt: UUID) -> dict[str, Any] | None:
        """What ``grant`` was told of the attempt."""
        raw: bytes | None = await self._store.call(self._store.client.hget(self._keys.hot(attempt), "facts"))
        return json.loads(raw) if raw else None

    async def grant(self, attempt: UUID, epoch: int, facts: dict[str, Any]) -> None:
        """Tell Redis of a new epoch and of what the buffered-only mode needs to know of the attempt."""
        packed = json.dumps(facts, ensure_ascii=False)
        await self._store.call(self._granted(keys=[self._keys.hot(attempt)], args=[epoch, packed, LIFE_S]))

    async def mark(self, attempt: UUID, **fields: Any) -> None:
        """Set plain fields (state, end_ms) of a hot copy."""
        await self._store.call(self._store.client.hset(self._keys.hot(attempt), mapping=cast("Any", fields)))

    async def seal(self, attempt: UUID, epoch: int, token: str) -> None:
        """Refuse to buffer under ``epoch`` and older for SEAL_MS, under the maker's own ``token`` (hex)."""
        await self._sealing("take", attempt, epoch, token)

    async def renew_seal(self, attempt: UUID, epoch: int, token: str) -> bool:
        """Another SEAL_MS; False when the seal is not there any more, so that something may have been buffered."""
        return await self._sealing("renew", attempt, epoch, token)

    async def lift_seal(self, attempt: UUID, token: str) -> None:
        """Take back the seal of ``token``; others stay."""
        await self._sealing("lift", attempt, 0, token)

    async def _sealing(self, mode: str, attempt: UUID, epoch: int, token: str) -> bool:
        call = self._seals(keys=[self._keys.hot(attempt)], args=[mode, token, epoch, SEAL_MS, LIFE_S])
        return bool(await self._store.call(call))

    async def pending(self, attempt: UUID, after: str) -> list[tuple[str, Checkpoint]]:
        """The attempt's buffered entries after stream id ``after``, oldest first."""
        ids: list[bytes] = await self._store.call(self._store.client.lrange(self._keys.pending(attempt), 0, -1))
        wanted = [one.decode() for one in ids if stream_order(one.decode()) > stream_order(after)]
        if not wanted:
            return []
        pipeline = self._store.client.pipeline(transaction=False)
        for one in wanted:
            pipeline.xrange(self._keys.buffer, one, one)
        found: list[Any] = await self._store.call(pipeline.execute())
        return [(entries[0][0].decode(), decode(entries[0][1][b"b"])) for entries in found if entries]

    async def entries(self, after: str, limit: int) -> list[tuple[str, Checkpoint]]:
        """Up to ``limit`` entries of the whole buffer after stream id ``after``."""
        found: list[Any] = await self._store.call(
            self._store.client.xrange(self._keys.buffer, f"({after}", "+", count=limit)
        )
        return [(one.decode(), decode(fields[b"b"])) for one, fields in found]

    async def holds(self, entry: str) -> bool:
        """Whether the buffer holds the entry with this very id."""
        return bool(await self._store.call(self._store.client.xrange(self._keys.buffer, entry, entry)))

    async def newest_stamp(self) -> int:
        """The stamp of the newest buffer entry, 0 when the buffer is empty."""
        found: list[Any] = await self._store.call(self._store.client.xrevrange(self._keys.buffer, "+", "-", count=1))
        return decode(found[0][1][b"b"]).stamp_ms if found else 0

    async def trim(self, before: str) -> int:
        """Forget entries older than stream id ``before``; how many went."""
        return cast(
            "int", await self._store.call(self._store.client.xtrim(self._keys.buffer, minid=before, approximate=False))
        )


def stream_order(entry: str) -> tuple[int, int]:
    """Stream ids compare as numbers, not as text."""
    milliseconds, _, n = entry.partition("-")
    return int(milliseconds), int(n or 0)


def _parse(raw: dict[bytes, bytes]) -> HotAttempt:
    def number(name: bytes) -> int | None:
        value = raw.get(name)
        return int(value) if value else None

    attempt = HotAttempt(
        epoch=number(b"epoch") or 0,
        state=raw[b"state"].decode() if raw.get(b"state") else None,
        end_ms=number(b"end_ms"),
        count=number(b"count"),
        seen_ms=number(b"seen_ms"),
        position=number(b"position"),
        marked=json.loads(raw[b"marked"]) if raw.get(b"marked") else [],
        elapsed_ms=number(b"elapsed_ms") or 0,
        facts=json.loads(raw[b"facts"]) if raw.get(b"facts") else {},
    )
    for name, packed in raw.items():
        if name.startswith(b"r:"):
            head, _, body = packed.partition(b"|")
            epoch, rev, adopt_n, digest = head.decode().split(":")
            data = json.loads(body)
            attempt.responses[int(name[2:])] = HotResponse(
                int(epoch), int(rev), int(adopt_n), bytes.fromhex(digest), data["v"], data["a"], data["s"]
            )
    return attempt
