"""The hot copy of each attempt, and the buffer that holds checkpoints while PostgreSQL is away.

The hot copy is never trusted alone: a resume compares it with the record and commits what is beyond it first
(``app.checkpoint.recovery``). The buffer is one stream; each entry carries the service-time stamp it was promised
under, by which it is judged whenever it is drained.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from app.domain import clock
from app.domain.checkpoints import Checkpoint, Outcome, Row
from app.storage.redis.client import Keys, Store, script

log = structlog.get_logger(__name__)

# A day's exam with room to spare; an attempt's hot copy is useless the day after.
LIFE_S = 86_400
# Responses in one call of the script: some milliseconds of Redis' only thread. A long one weighs as many as it has
# WEIGHTY letters: a call that takes longer than it may has taken Redis away from everybody.
CALL = 512
WEIGHTY = 2048
# Fields that Lua hands to one command at most; hot.lua has the same number.
AT_ONCE = 1000
# Buffer entries in one reply. Each may be as large as a request, and a reply that is too long for the time of one call
# would be asked for again and again.
PART = 10
# Bytes of entries after which no further part is read: live writes wait behind what is drained at once.
ENOUGH = 1 << 20
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


class Entry(Struct, array_like=True):
    """One checkpoint as hot.lua reads it; ``rows`` has six values per response."""

    attempt: str
    epoch: int
    stamp_ms: int
    seq: int
    position: int | None
    marked: str | None
    elapsed_ms: int
    state: str | None = None
    end_ms: int | None = None
    count: int | None = None
    acked_seq: int | None = None
    body: str | None = None
    rows: list[str | int] = []
    rev: int | None = None


packer = msgspec.msgpack.Encoder()


def _entry(checkpoint: Checkpoint, outcome: Outcome | None = None, body: str | None = None) -> Entry:
    entry = Entry(
        str(checkpoint.attempt), checkpoint.epoch, checkpoint.stamp_ms, checkpoint.seq, checkpoint.position,
        checkpoint.marked, checkpoint.elapsed_ms, body=body,
    )  # fmt: skip
    rows = checkpoint.rows
    if outcome is not None:
        entry.state, entry.end_ms = outcome.state, clock.packed(outcome.end_ms, outcome.left_ms)
        entry.rev = outcome.clock_rev
        entry.count, entry.acked_seq = outcome.count, outcome.acked_seq
        if outcome.stranded or outcome.refused:
            rows = [row for row in rows if outcome.status(row)[0] == "durable"]
    epoch, stamp = checkpoint.epoch, checkpoint.stamp_ms
    for row in rows:
        digest = row.hash.hex()
        stored = f'{epoch}:{row.rev}:{row.adopt_n}:{digest}|{{"v":{row.value},"a":{row.at_ms},"s":{stamp}}}'
        entry.rows += (f"r:{row.item}", epoch, row.rev, row.adopt_n, digest, stored)
    if len(rows) > 1:
        entry.rows = _newest(entry.rows)
    return entry


def _joined(done: Sequence[tuple[Checkpoint, Outcome]]) -> dict[UUID, Entry]:
    """What was committed as one entry per attempt: what the script would have made of one after the other."""
    entries: dict[UUID, Entry] = {}
    for checkpoint, outcome in done:
        if outcome.fenced:
            continue
        entry = _entry(checkpoint, outcome)
        before = entries.get(checkpoint.attempt)
        entries[checkpoint.attempt] = entry if before is None else _after(before, entry)
    return entries


def _after(before: Entry, entry: Entry) -> Entry:
    """``entry`` and what was committed before it, together. Registers go by (epoch, seq), state, end, count and prefix
    by the order of the commits, rows by their versions."""
    if (entry.epoch, entry.seq) < (before.epoch, before.seq):
        entry.seq, entry.position, entry.marked = before.seq, before.position, before.marked
    else:
        entry.position = before.position if entry.position is None else entry.position
        entry.marked = before.marked if entry.marked is None else entry.marked
    entry.elapsed_ms = max(before.elapsed_ms, entry.elapsed_ms)
    entry.stamp_ms = max(before.stamp_ms, entry.stamp_ms)
    entry.end_ms = before.end_ms if entry.end_ms is None else entry.end_ms
    entry.rows = _newest(before.rows + entry.rows)
    return entry


def _newest(rows: list[str | int]) -> list[str | int]:
    """One row per field, the greatest: the script compares with what is stored, not the rows with each other."""
    newest: dict[str | int, list[str | int]] = {}
    for at in range(0, len(rows), 6):
        row = rows[at : at + 6]
        known = newest.get(row[0])
        if known is None or row[1:5] > known[1:5]:
            newest[row[0]] = row
    return [part for row in newest.values() for part in row]


def _calls(entries: list[Entry]) -> Iterator[list[Entry]]:
    """``entries`` in order, in parts of about CALL responses, fewer where they are long."""
    part: list[Entry] = []
    weight = 0
    for entry in entries:
        part.append(entry)
        letters = len(entry.body or "") + sum(len(str(stored)) for stored in entry.rows[5::6])
        weight += 1 + len(entry.rows) // 6 + letters // WEIGHTY
        if weight >= CALL:
            yield part
            part, weight = [], 0
    if part:
        yield part


class Hot:
    """The hot copies of one lineage. Every method raises RedisAway when Redis does not answer."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys
        self._merge = store.client.register_script(script("hot"))
        self._seals = store.client.register_script(script("seal"))
        self._granted = store.client.register_script(script("grant"))
        self._clocks = store.client.register_script(script("clocks"))

    async def _run(self, mode: str, entries: list[Entry]) -> list[Any]:
        """The script over ``entries``, in calls small enough that Redis is not kept from its other clients."""
        names = [self._keys.buffer, self._keys.hot(""), self._keys.pending("")]
        replies: list[Any] = []
        for part in _calls(entries):
            replies += await self._store.call(self._merge(keys=names, args=[mode, LIFE_S, packer.encode(part)]))
        return replies

    async def follow(self, done: Sequence[tuple[Checkpoint, Outcome]]) -> list[tuple[UUID, int]]:
        """Bring the hot copies up to ``done``, in the order of the commits; (attempt, epoch) of those without facts,
        which a Redis that came back empty or from an old copy has lost."""
        entries = _joined(done)
        without = {one.decode() for one in await self._run("durable", list(entries.values()))}
        return [(attempt, entry.epoch) for attempt, entry in entries.items() if entry.attempt in without]

    async def remind(self, facts: Sequence[tuple[UUID, dict[str, Any]]]) -> None:
        """Facts for hot copies that have none; what a grant has told them meanwhile stays."""
        pipeline = self._store.client.pipeline(transaction=False)
        for attempt, known in facts:
            pipeline.hsetnx(self._keys.hot(attempt), "facts", json.dumps(known, ensure_ascii=False))
            pipeline.expire(self._keys.hot(attempt), LIFE_S)
        await self._store.call(pipeline.execute(raise_on_error=True))

    async def append(self, checkpoints: Sequence[Checkpoint]) -> list[list[bytes]]:
        """Buffer a batch; per checkpoint the script's reply ``[verdict, state, end_ms, count, acked]``."""
        return await self._run(
            "buffered", [_entry(checkpoint, body=encode(checkpoint).decode()) for checkpoint in checkpoints]
        )

    async def read(self, attempt: UUID) -> HotAttempt | None:
        raw: dict[bytes, bytes] = await self._store.call(self._store.client.hgetall(self._keys.hot(attempt)))
        return _parse(raw) if raw else None

    async def facts(self, attempt: UUID) -> dict[str, Any] | None:
        """What ``grant`` was told of the attempt."""
        raw: bytes | None = await self._store.call(self._store.client.hget(self._keys.hot(attempt), "facts"))
        return json.loads(raw) if raw else None

    async def grant(
        self, attempt: UUID, epoch: int, facts: dict[str, Any], end_ms: int | None = None, *, rev: int = 0
    ) -> None:
        """Tell Redis of a new epoch and of what the buffered-only mode needs to know of the attempt. ``rev``: of the
        clock that ``end_ms`` was read with; the end of a greater one stays."""
        args: list[Any] = [epoch, json.dumps(facts, ensure_ascii=False), LIFE_S, "" if end_ms is None else end_ms, rev]
        await self._store.call(self._granted(keys=[self._keys.hot(attempt)], args=args))

    async def clocks(self, clocks: Sequence[tuple[UUID, int, str, int | None]]) -> None:
        """Bring hot copies up to clocks that were decided anew: (attempt, revision, state, end as ``clock.packed``).
        One that knows a later revision, and an attempt without a copy, stay as they are."""
        for at in range(0, len(clocks), CALL):
            part = [
                (str(attempt), rev, state, "" if end_ms is None else str(end_ms))
                for attempt, rev, state, end_ms in clocks[at : at + CALL]
            ]
            await self._store.call(self._clocks(keys=[self._keys.hot("")], args=[packer.encode(part)]))

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
        found: list[Any] = []
        for at in range(0, len(wanted), PART):
            pipeline = self._store.client.pipeline(transaction=False)
            for one in wanted[at : at + PART]:
                pipeline.xrange(self._keys.buffer, one, one)
            found += await self._store.call(pipeline.execute())
        return await self._decoded([entries[0] for entries in found if entries])

    async def entries(self, after: str, limit: int) -> list[tuple[str, Checkpoint]]:
        """Up to ``limit`` entries of the whole buffer after stream id ``after``; fewer when they are large, none only
        when there is none."""
        found: list[tuple[str, Checkpoint]] = []
        weight = 0
        while len(found) < limit and weight < ENOUGH:
            asked = min(PART, limit - len(found))
            part: list[Any] = await self._store.call(
                self._store.client.xrange(self._keys.buffer, f"({after}", "+", count=asked)
            )
            found += await self._decoded(part)
            weight += sum(len(fields.get(b"b", b"")) for _, fields in part)
            if len(part) < asked:
                break
            after = part[-1][0].decode()
        return found

    async def _decoded(self, raw: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[tuple[str, Checkpoint]]:
        """Buffer entries as the checkpoints they were.

        One that cannot be read (written by another release, or damaged) is set aside under ``unreadable`` as it is and
        passed over: it must not hold up the answers of everybody behind it.
        """
        found = []
        for one, fields in raw:
            try:
                found.append((one.decode(), decode(fields[b"b"])))
            except (ValueError, KeyError, TypeError) as fault:
                kept = fields.get(b"b", repr(fields).encode())
                new: int = await self._store.call(
                    cast("Any", self._store.client.hsetnx(self._keys.unreadable, one, kept))
                )
                if new:
                    # Without the fault's words: they hold answers.
                    log.error("buffer entry cannot be read", entry=one.decode(), fault=type(fault).__name__)  # noqa: TRY400
        return found

    async def holds(self, entry: str) -> bool:
        """Whether the buffer holds the entry with this very id."""
        return bool(await self._store.call(self._store.client.xrange(self._keys.buffer, entry, entry)))

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
