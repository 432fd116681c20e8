"""The one statement that writes a batch of checkpoints (DESIGN §4.3, §4.4).

Steps, all inside one implicit transaction:

1. ``l`` locks the attempts of the batch, ordered by id, ``FOR NO KEY UPDATE``. Relog, end, sweeper and drain take the
   same lock in the same order. After a wait PostgreSQL reads a *locked* row again and nothing else, so everything
   that is decided on (epoch, grants, state, counts, chain head) lives in that row and is read from ``l`` only.
2. ``g`` finds out which groups are fenced; ``r`` gives each response its reason to be stranded, or none. The rules
   are those of ``app.domain.responses.strand``; a property test holds the two together. A repeat of what the history
   already holds is no late write, whenever it comes: its first reply was lost, its answer is still `durable`.
3. ``h`` keeps every revision (append-only), ``w`` merges the winner per item, ``s`` keeps what was not applied.
4. ``u`` moves the attempt's registers, counters and hash chain (``app.domain.chain``). It runs for every group, so
   every acknowledgement comes from a transaction that wrote (I2).

Invariant: a row reaches ``response`` only if its group's epoch was live, or its buffered stamp lay before the next
grant, while the attempt's row was locked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from app.domain.checkpoints import Checkpoint, Outcome
from app.domain.responses import LATE_TOLERANCE_MS

# Whether a response has no reason to be stranded. `reason IS NULL` says the same, but of a column without statistics
# PostgreSQL expects that of one row in two hundred, and then joins with nested loops that are quadratic in the batch.
APPLIED = "coalesce(reason = '', true)"

# The only things formatted in are constants of this program.
WRITE = f"""
WITH l AS MATERIALIZED (
    SELECT id, session_id, epoch, grants, state, end_ms, ended_ms, contact_ms, contact_term, chain, chain_links
    FROM attempt WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
),
g AS MATERIALIZED (
    SELECT q.*, l.session_id, l.epoch AS live_epoch, l.contact_ms, l.contact_term, l.chain,
        l.chain_links,
        -- Past its end an attempt is judged as ended, whether or not the sweeper has come by. Not before its credit for
        -- an outage is known: the first contact in a new term enters it.
        CASE WHEN l.state = 'open' AND l.end_ms <= q.stamp_ms AND l.contact_term >= q.term THEN 'ended'
            ELSE l.state END AS state,
        CASE WHEN l.state = 'open' THEN l.end_ms ELSE l.ended_ms END AS ended_ms,
        CASE
            WHEN q.epoch = l.epoch THEN false
            WHEN q.buffered AND q.epoch < l.epoch THEN coalesce(q.stamp_ms >= (
                SELECT min((e ->> 1)::int8) FROM jsonb_array_elements(l.grants) e WHERE (e ->> 0)::int8 > q.epoch
            ), true)
            ELSE true
        END AS fenced
    FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::bool[], $6::int4[], $7::text[], $8::int8[],
        $9::int8[]) AS q(attempt_id, epoch, seq, stamp_ms, buffered, position, marked, elapsed_ms, term)
    JOIN l ON l.id = q.attempt_id
),
r AS MATERIALIZED (
    SELECT q.*, g.session_id, g.epoch, g.seq, g.stamp_ms, g.chain, g.chain_links + 1 AS link,
        g.state <> 'open' AS late,
        CASE
            WHEN (g.fenced OR g.state <> 'open') AND EXISTS (
                SELECT FROM response_history x WHERE x.session_id = g.session_id AND x.attempt_id = q.attempt_id
                    AND x.item_id = q.item_id AND x.epoch = g.epoch AND x.rev = q.rev AND x.value_hash = q.value_hash
            ) THEN NULL
            WHEN g.fenced THEN 'old_epoch'
            WHEN g.state = 'final' THEN 'final'
            WHEN g.state = 'ended' AND NOT (g.buffered AND g.stamp_ms <= g.ended_ms) THEN CASE
                WHEN q.at_ms >= g.ended_ms THEN 'ended'
                WHEN g.contact_ms > q.at_ms + {LATE_TOLERANCE_MS} THEN 'late'
            END
        END AS reason
    FROM unnest($10::uuid[], $11::int8[], $12::int8[], $13::int4[], $14::bytea[], $15::text[], $16::int8[])
        AS q(attempt_id, item_id, rev, adopt_n, value_hash, value, at_ms)
    JOIN g ON g.attempt_id = q.attempt_id
),
h AS (
    INSERT INTO response_history
        (session_id, attempt_id, item_id, epoch, rev, adopt_n, value_hash, value, at_ms, stamp_ms, seq, link, late,
        chain_before)
    SELECT session_id, attempt_id, item_id, epoch, rev, adopt_n, value_hash, value::jsonb, at_ms, stamp_ms, seq, link,
        late, chain
    FROM r WHERE {APPLIED}
    ON CONFLICT DO NOTHING
    RETURNING attempt_id, item_id, epoch, rev, adopt_n, value_hash, at_ms, stamp_ms, seq, late
),
d AS (
    -- The bytes of a link; app.domain.chain says what each part is for, and a test holds the two together.
    SELECT attempt_id, count(*) AS n, string_agg(
        int8send(item_id) || int8send(epoch) || int8send(rev) || int4send(adopt_n) || value_hash || int8send(at_ms)
            || int8send(stamp_ms) || int8send(seq) || boolsend(late), ''
        ORDER BY item_id, epoch, rev, adopt_n, value_hash) AS links
    FROM h GROUP BY attempt_id
),
w AS (
    INSERT INTO response AS x (attempt_id, item_id, epoch, rev, adopt_n, value_hash, value, at_ms, stamp_ms, late)
    -- Folded, so that no item meets ON CONFLICT twice in one statement; the history has them all.
    SELECT DISTINCT ON (attempt_id, item_id)
        attempt_id, item_id, epoch, rev, adopt_n, value_hash, value::jsonb, at_ms, stamp_ms, late
    FROM r WHERE {APPLIED} ORDER BY attempt_id, item_id, rev DESC, adopt_n DESC, value_hash DESC
    ON CONFLICT (attempt_id, item_id) DO UPDATE SET
        epoch = excluded.epoch, rev = excluded.rev, adopt_n = excluded.adopt_n, value_hash = excluded.value_hash,
        value = excluded.value, at_ms = excluded.at_ms, stamp_ms = excluded.stamp_ms, late = excluded.late
    WHERE (excluded.epoch, excluded.rev, excluded.adopt_n, excluded.value_hash)
        > (x.epoch, x.rev, x.adopt_n, x.value_hash)
),
s AS (
    INSERT INTO stranded (attempt_id, item_id, epoch, rev, value_hash, value, at_ms, stamp_ms, reason)
    SELECT attempt_id, item_id, epoch, rev, value_hash, value::jsonb, at_ms, stamp_ms, reason
    FROM r WHERE NOT {APPLIED}
    ON CONFLICT DO NOTHING
),
u AS (
    UPDATE attempt a SET
        -- A seq far ahead of the prefix is no browser's: it must not make the row grow.
        acked = CASE WHEN g.fenced OR g.epoch <> a.epoch OR g.seq > 1000 + coalesce(
                (SELECT upper(x) FROM unnest(a.acked) x WHERE lower(x) <= 1), 1) THEN a.acked
            ELSE a.acked + int8multirange(int8range(g.seq, g.seq, '[]')) END,
        count = a.count + coalesce(d.n, 0),
        chain = CASE WHEN d.n IS NULL THEN a.chain ELSE
            sha256(a.chain || uuid_send(a.id) || int8send(a.chain_links + 1) || d.links) END,
        chain_links = a.chain_links + (d.n IS NOT NULL)::int,
        position = CASE WHEN g.fenced OR g.position IS NULL OR g.state <> 'open'
                OR (g.epoch, g.seq) < (a.register_epoch, a.register_seq) THEN a.position ELSE g.position END,
        marked = CASE WHEN g.fenced OR g.marked IS NULL OR g.state <> 'open'
                OR (g.epoch, g.seq) < (a.register_epoch, a.register_seq) THEN a.marked ELSE g.marked::jsonb END,
        register_epoch = CASE WHEN g.fenced OR (g.epoch, g.seq) < (a.register_epoch, a.register_seq)
            THEN a.register_epoch ELSE g.epoch END,
        register_seq = CASE WHEN g.fenced OR (g.epoch, g.seq) < (a.register_epoch, a.register_seq)
            THEN a.register_seq ELSE g.seq END,
        elapsed_ms = CASE WHEN g.fenced THEN a.elapsed_ms ELSE greatest(a.elapsed_ms, g.elapsed_ms) END,
        -- Frozen at the end: a late answer is judged by the contacts before it, not by the one that brings it.
        contact_ms = CASE WHEN g.fenced OR g.state <> 'open' THEN a.contact_ms
            ELSE greatest(a.contact_ms, g.stamp_ms) END,
        late_contact_ms = CASE WHEN g.fenced OR g.state = 'open' THEN a.late_contact_ms
            ELSE greatest(a.late_contact_ms, g.stamp_ms) END
    FROM g LEFT JOIN d ON d.attempt_id = g.attempt_id
    WHERE a.id = g.attempt_id
    RETURNING a.id, a.epoch, a.state, a.session_id, a.end_ms, a.left_ms, a.ended_ms, a.clock_rev,
        a.count,
        coalesce((SELECT upper(x) - 1 FROM unnest(a.acked) x WHERE lower(x) <= 1), 0) AS acked_seq,
        g.fenced, g.contact_ms AS previous_contact_ms, g.contact_term AS previous_term
)
SELECT u.*, z.stranded
FROM u LEFT JOIN (
    -- As text: a pooled connection decodes jsonb by itself, a plain one does not.
    SELECT attempt_id, jsonb_agg(jsonb_build_array(item_id, rev, reason))::text AS stranded
    FROM r WHERE NOT {APPLIED} GROUP BY attempt_id
) z ON z.attempt_id = u.id
"""  # noqa: S608 -- the only things formatted in are constants of this program


class Connection(Protocol):
    """The part of an asyncpg connection that the statement needs."""

    async def fetch(self, query: str, *args: object) -> Sequence[Any]: ...


async def write(connection: Connection, checkpoints: Sequence[Checkpoint]) -> dict[UUID, Outcome]:
    """Write ``checkpoints`` (at most one per attempt) in one transaction; attempts that do not exist are left out.

    Returns after PostgreSQL reported the commit. Raises what asyncpg raises; nothing is written then, or, when the
    connection was lost, it is unknown.
    """
    ordered = sorted(checkpoints, key=lambda checkpoint: checkpoint.attempt)
    flat = [
        (checkpoint.attempt, row.item, row.rev, row.adopt_n, row.hash, row.value, row.at_ms)
        for checkpoint in ordered
        for row in sorted(checkpoint.rows, key=lambda row: row.item)
    ]
    columns = list(zip(*flat, strict=True)) if flat else [()] * 7
    records = await connection.fetch(
        WRITE,
        [c.attempt for c in ordered],
        [c.epoch for c in ordered],
        [c.seq for c in ordered],
        [c.stamp_ms for c in ordered],
        [c.buffered for c in ordered],
        [c.position for c in ordered],
        [c.marked for c in ordered],
        [c.elapsed_ms for c in ordered],
        [c.term for c in ordered],
        *columns,
    )
    return {record["id"]: _outcome(record) for record in records}


def _outcome(record: Any) -> Outcome:
    reasons = record["stranded"]
    return Outcome(
        durability="durable",
        epoch=record["epoch"],
        state=record["state"],
        session_id=record["session_id"],
        end_ms=record["end_ms"],
        left_ms=record["left_ms"],
        ended_ms=record["ended_ms"],
        clock_rev=record["clock_rev"],
        count=record["count"],
        acked_seq=record["acked_seq"],
        fenced=record["fenced"],
        stranded={(item, rev): why for item, rev, why in json.loads(reasons)} if reasons else {},
        previous_contact_ms=record["previous_contact_ms"],
        previous_term=record["previous_term"],
    )
