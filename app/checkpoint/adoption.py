"""The office's decision on responses that were kept aside (I5, I11).

All that one click decides is one transaction, all or nothing:

1. Lock the attempts, ordered by id, ``FOR NO KEY UPDATE``: the lock and the order of writer, relog, end and drain. What
   is read after it is what the record says until the commit.
2. For each item compare the accepted version with the one that was seen (``domain.adoption``). One that has moved on,
   or a stranded response that somebody has decided on, refuses the whole: whoever clicked did not see what is there.
3. Adopt: the stranded value becomes a revision of the history, with the place directly above what was seen, and the
   accepted response. All revisions of one attempt are one link of its hash chain (``domain.chain``), so the chain is
   recomputed from the history rows alone, as for a checkpoint. ``seq`` is 0: no checkpoint brought it.
   Dismiss: nothing but the decision is written.
4. Mark the stranded responses with who, when (service time) and why.

The attempt may be open, ended or final. A response that came after ``final`` could otherwise only be looked at, and the
office may reopen either step of an end (I9); the score is computed from the record, later. A receipt is what the
candidate holds in their hand and never changes: its head stays in the chain, and the adopted link comes behind it.

The position, the marks, the contacts and the acknowledged numbers are the candidate's own and stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import adoption, chain
from app.domain.adoption import Obstacle, Verdict
from app.domain.responses import Response, Version


@dataclass(frozen=True, slots=True)
class Choice:
    """One stranded response, and the tag of the accepted version that was seen beside it (None: none was)."""

    stranded: int
    seen: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one choice. ``obstacle`` None: it was decided; ``version`` is the adopted one's."""

    stranded: int
    attempt: UUID
    item: int
    reason: str
    obstacle: Obstacle | None
    seen: Version | None
    version: Version | None = None


async def attempts_of(conn: AsyncConnection, stranded: Sequence[int]) -> list[UUID]:
    """The attempts the stranded responses belong to, in order of id. A response never changes its attempt."""
    rows = await conn.execute(
        text("SELECT DISTINCT attempt_id FROM stranded WHERE id = ANY(:ids) ORDER BY attempt_id"),
        {"ids": list(stranded)},
    )
    return list(rows.scalars())


async def decide(
    conn: AsyncConnection, choices: Sequence[Choice], verdict: Verdict, *, staff_id: int, note: str, now_ms: int
) -> list[Item]:
    """Decide on ``choices`` in the caller's transaction; one result for each, in their order.

    If any has an obstacle nothing was written: the caller refuses and rolls back. Raises LookupError for an id that
    does not exist.
    """
    ids = [choice.stranded for choice in choices]
    attempts = await attempts_of(conn, ids)
    locked = await conn.execute(
        text(
            "SELECT id, session_id, chain, chain_links FROM attempt WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE"
        ),
        {"ids": attempts},
    )
    heads = {row["id"]: row for row in locked.mappings()}
    kept = {row["id"]: row for row in await _kept(conn, ids)}
    missing = [one for one in ids if one not in kept]
    if missing:
        raise LookupError(missing)
    items = _judged(choices, kept, verdict)
    if any(item.obstacle for item in items):
        return items
    if verdict == "adopted":
        by_attempt = sorted(items, key=lambda item: (item.attempt, item.item))
        for attempt, group in groupby(by_attempt, key=lambda item: item.attempt):
            await _adopt(conn, heads[attempt], [(item, kept[item.stranded]) for item in group])
    await conn.execute(
        text(
            "UPDATE stranded SET state = :state, decided_by = :staff, decided_ms = :now, note = :note"
            " WHERE id = ANY(:ids) AND state = 'kept'"
        ),
        {"state": verdict, "staff": staff_id, "now": now_ms, "note": note, "ids": ids},
    )
    return items


async def _kept(conn: AsyncConnection, ids: Sequence[int]) -> Sequence[RowMapping]:
    """The stranded responses with the accepted response of their item, read under the locks."""
    rows = await conn.execute(
        text(
            """
            SELECT x.id, x.attempt_id, x.item_id, x.value_hash, x.value, x.at_ms, x.stamp_ms, x.reason, x.state,
                r.epoch AS accepted_epoch, r.rev AS accepted_rev, r.adopt_n AS accepted_adopt_n,
                r.value_hash AS accepted_hash
            FROM stranded x LEFT JOIN response r ON r.attempt_id = x.attempt_id AND r.item_id = x.item_id
            WHERE x.id = ANY(:ids)
            """
        ),
        {"ids": list(ids)},
    )
    return rows.mappings().all()


def _judged(choices: Sequence[Choice], kept: dict[int, RowMapping], verdict: Verdict) -> list[Item]:
    """Each choice against what the record says; the second adoption of one item in a click meets the first."""
    taken: set[tuple[UUID, int]] = set()
    items = []
    for choice in choices:
        row = kept[choice.stranded]
        accepted = (
            None
            if row["accepted_epoch"] is None
            else Version(
                row["accepted_epoch"], row["accepted_rev"], row["accepted_adopt_n"], bytes(row["accepted_hash"])
            )
        )
        obstacle = adoption.obstacle(row["state"], choice.seen, accepted)
        place = (row["attempt_id"], row["item_id"])
        if obstacle is None and verdict == "adopted" and place in taken:
            obstacle = "moved-on"
        taken.add(place)
        version = adoption.adopted(accepted, bytes(row["value_hash"])) if verdict == "adopted" else None
        items.append(Item(choice.stranded, *place, row["reason"], obstacle, accepted, version))
    return items


async def _adopt(conn: AsyncConnection, head: RowMapping, adopted: Sequence[tuple[Item, RowMapping]]) -> None:
    """Step 3 for one attempt, whose locked row is ``head``: its history, its responses, its chain."""
    link, before = head["chain_links"] + 1, bytes(head["chain"])
    revisions = []
    for item, row in adopted:
        version = item.version
        if version is None:
            raise ValueError("only an adoption has a version")
        late = row["reason"] != "old_epoch"
        await conn.execute(
            text(_REVISION),
            {
                "id": item.stranded, "session": head["session_id"], "epoch": version.epoch, "rev": version.rev,
                "adopt_n": version.adopt_n, "link": link, "late": late, "before": before,
            },
        )  # fmt: skip
        won = await conn.execute(
            text(_ACCEPTED),
            {
                "id": item.stranded, "epoch": version.epoch, "rev": version.rev, "adopt_n": version.adopt_n,
                "late": late,
            },
        )  # fmt: skip
        if won.rowcount != 1:
            raise RuntimeError(f"the adopted version of item {item.item} did not win under the lock")
        revisions.append(
            chain.Revision(
                link, Response(item.item, version, row["value"], row["at_ms"]), row["stamp_ms"], seq=0, late=late
            )
        )
    await conn.execute(
        text(
            "UPDATE attempt SET count = count + :n, chain = :chain, chain_links = :link"
            " WHERE id = :attempt AND chain_links = :link - 1"
        ),
        {
            "n": len(revisions),
            "chain": chain.extend(before, head["id"], link, revisions),
            "link": link,
            "attempt": head["id"],
        },
    )


# The value goes from row to row inside the database: what was stranded is what is adopted, byte for byte. Its stamp
# stays that of its arrival; when it was decided on stands with the stranded response.
_REVISION = """
INSERT INTO response_history
    (session_id, attempt_id, item_id, epoch, rev, adopt_n, value_hash, value, at_ms, stamp_ms, seq, link, late,
    chain_before)
SELECT :session, attempt_id, item_id, :epoch, :rev, :adopt_n, value_hash, value, at_ms, stamp_ms, 0, :link, :late,
    :before
FROM stranded WHERE id = :id
"""

_ACCEPTED = """
INSERT INTO response AS x (attempt_id, item_id, epoch, rev, adopt_n, value_hash, value, at_ms, stamp_ms, late)
SELECT attempt_id, item_id, :epoch, :rev, :adopt_n, value_hash, value, at_ms, stamp_ms, :late
FROM stranded WHERE id = :id
ON CONFLICT (attempt_id, item_id) DO UPDATE SET
    epoch = excluded.epoch, rev = excluded.rev, adopt_n = excluded.adopt_n, value_hash = excluded.value_hash,
    value = excluded.value, at_ms = excluded.at_ms, stamp_ms = excluded.stamp_ms, late = excluded.late
WHERE (excluded.epoch, excluded.rev, excluded.adopt_n, excluded.value_hash)
    > (x.epoch, x.rev, x.adopt_n, x.value_hash)
"""


async def accepted_now(conn: AsyncConnection, places: Sequence[tuple[UUID, int]]) -> list[dict[str, Any]]:
    """The accepted responses of ``places`` (attempt, item) as the record has them, with their attempts' count."""
    rows = await conn.execute(
        text(
            """
            SELECT r.attempt_id, r.item_id, r.epoch, r.rev, r.adopt_n, r.value_hash, r.value, r.at_ms, r.stamp_ms,
                a.count
            FROM unnest(CAST(:attempts AS uuid[]), CAST(:items AS int8[])) AS q(attempt_id, item_id)
            JOIN response r ON r.attempt_id = q.attempt_id AND r.item_id = q.item_id
            JOIN attempt a ON a.id = r.attempt_id ORDER BY r.attempt_id, r.item_id
            """
        ),
        {"attempts": [attempt for attempt, _ in places], "items": [item for _, item in places]},
    )
    return [dict(row) for row in rows.mappings()]
