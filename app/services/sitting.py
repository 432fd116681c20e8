"""A candidate sits: resume, paper, checkpoints, first paint, hand-in.

Everything that never changes while a candidate sits (session, seat, the items of the paper) is asked once per process
and attempt, so that the checkpoint path has only the writer's one statement to wait for.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.checkpoint import recovery
from app.domain import identity
from app.domain.checkpoints import Checkpoint, Outcome, Row, StoreAway
from app.domain.clock import Because
from app.domain.errors import Refused
from app.services import ending, lost_grant, timing
from app.services.site import Site
from app.services.tokens import Claims
from app.storage.postgres import adjustments, attempts
from app.storage.postgres.attempts import Seated
from app.storage.redis.client import RedisAway
from app.storage.redis.hot import Hot

Value = str | list[str] | None
# Attempts one process keeps the unchanging facts of; beyond it the least recently used are asked for again.
REMEMBERED = 20_000
BLANKS = 50
OPTION_ID = 16
# A start that is not there is looked for again no more often than this.
LOOK_AGAIN_S = 0.1


@dataclass(slots=True)
class Answered:
    """One response as the browser sent it, decoded; ``canonical`` is the JSON text that is stored and
    hashed, empty when it cannot be stored."""

    item: int
    rev: int
    value: Value
    at_ms: int
    canonical: bytes


@dataclass(slots=True)
class Sent:
    """One checkpoint request, decoded."""

    seq: int
    responses: list[Answered]
    position: int | None
    marked: str | None
    elapsed_ms: int
    # What the browser was told before, and what the record must hold with this request: asked of a hand-in.
    lineage: str | None = None
    count: int | None = None


class Sitting:
    """The candidate's calls, for one process of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seated: OrderedDict[tuple[UUID, int], Seated] = OrderedDict()
        self._because: OrderedDict[UUID, tuple[int, list[Because]]] = OrderedDict()
        self._ends: OrderedDict[UUID, int] = OrderedDict()
        self._plans: dict[int, int | None] = {}
        self._plans_read = 0.0
        site.follower.remind = self._remind

    async def seated(self, claims: Claims) -> Seated:
        """The unchanging facts of an attempt under this epoch. Refused `bad-token` when there is no such attempt."""
        key = (claims.attempt, claims.epoch)
        known = self._seated.get(key)
        if known is None:
            if self._site.writer.postgres_up:
                async with self._site.reading() as conn:
                    known = await attempts.seated(conn, claims.attempt)
            else:
                known = await self._from_hot(claims)
            if known is None:
                raise Refused("bad-token")
            self._seated[key] = known
            if len(self._seated) > REMEMBERED:
                self._seated.popitem(last=False)
        return known

    async def _from_hot(self, claims: Claims) -> Seated:
        """The same facts while PostgreSQL is away, from where the sign-in left them."""
        try:
            known = await self._site.hot().facts(claims.attempt)
        except RedisAway as fault:
            raise StoreAway("neither store knows the attempt") from fault
        if not known:
            raise StoreAway("the attempt was never seated here")
        seated = Seated.of_facts(known)
        self._plans.setdefault(seated.session_id, seated.start_ms)
        return seated

    async def _remind(self, hot: Hot, without: Sequence[tuple[UUID, int]]) -> None:
        """Tell a Redis that has forgotten whom it serves: the next outage of PostgreSQL needs it to know.

        From memory and behind a commit, for whoever is heard; everybody is heard every few seconds.
        """
        facts = []
        for attempt, epoch in without:
            known = self._seated.get((attempt, epoch))
            if known is not None:
                start_ms = self._plans.get(known.session_id, known.start_ms)
                facts.append((attempt, known.facts() | {"start_ms": start_ms}))
        if facts:
            await hot.remind(facts)

    # --- checkpoints ---

    async def checkpoint(self, claims: Claims, sent: Sent) -> dict[str, Any]:
        """Write one request. The reply of POST /attempt/checkpoints; Refused when nothing of it could be applied."""
        now_ms = self._site.service_time.now_ms()
        seated = await self.seated(claims)
        rows, refused = self._accept(seated, sent.responses)
        outcome = await self._submit(claims, seated, sent, rows, now_ms)
        outcome.refused.update(refused)
        return await self._reply(claims, seated, sent, outcome)

    async def _submit(self, claims: Claims, seated: Seated, sent: Sent, rows: list[Row], now_ms: int) -> Outcome:
        self._refuse_foreign_lineage(claims)
        checkpoint = Checkpoint(
            attempt=claims.attempt,
            epoch=claims.epoch,
            seq=sent.seq,
            stamp_ms=now_ms,
            rows=rows,
            position=sent.position,
            marked=sent.marked,
            elapsed_ms=sent.elapsed_ms,
            term=self._site.service_time.term,
        )
        start_ms = await self.start_ms(seated.session_id)
        if rows and (start_ms is None or now_ms < start_ms):
            raise Refused("not-started")
        outcome = await self._site.writer.submit(checkpoint)
        if outcome.durability == "durable" and not outcome.fenced:
            await self._credit_reconnect(claims.attempt, outcome, now_ms)
            if outcome.state == "open" and outcome.end_ms is not None and outcome.end_ms <= now_ms:
                # The sweeper has not come by yet; what arrived was judged as late already.
                await ending.end(self._site, claims.attempt, "time_out")
        return outcome

    def _refuse_foreign_lineage(self, claims: Claims) -> None:
        if claims.lineage_n > self._site.service_time.lineage_n:
            raise Refused("bad-token")

    async def _credit_reconnect(self, attempt: UUID, outcome: Outcome, now_ms: int) -> None:
        previous, contact = outcome.previous_term, outcome.previous_contact_ms
        if previous is None or contact is None or previous >= self._site.service_time.term:
            return
        await timing.credit_reconnect(self._site, attempt, stamp_ms=now_ms, previous_term=previous, contact_ms=contact)
        async with self._site.engine.connect() as conn:
            row = await attempts.state(conn, attempt)
        if row is not None:
            outcome.end_ms, outcome.clock_rev = row["end_ms"], row["clock_rev"]

    def _accept(self, seated: Seated, responses: Sequence[Answered]) -> tuple[list[Row], dict[tuple[int, int], str]]:
        """Rows for the writer, and what is refused by itself without harming its neighbours."""
        rows: list[Row] = []
        refused: dict[tuple[int, int], str] = {}
        for response in responses:
            code = self._fault(seated, response)
            if code is None:
                digest = hashlib.sha256(response.canonical).digest()
                rows.append(Row(response.item, response.rev, response.canonical.decode(), digest, response.at_ms))
            else:
                refused[response.item, response.rev] = code
        return rows, refused

    def _fault(self, seated: Seated, response: Answered) -> str | None:
        kind = seated.items.get(response.item)
        if kind is None:
            return "not-on-paper"
        if not response.canonical:
            return "bad-characters"
        if not fits(kind, response.value):
            return "bad-value"
        if text_length(response.value) > self._site.settings.max_text_chars:
            return "text-too-long"
        return None

    async def _reply(self, claims: Claims, seated: Seated, sent: Sent, outcome: Outcome) -> dict[str, Any]:
        items = []
        weakest: str = outcome.durability
        for response in sent.responses:
            status, why = outcome.status(Row(response.item, response.rev, "", b"", 0))
            item: dict[str, Any] = {"item": response.item, "rev": response.rev, "status": status}
            if why is not None:
                item["code"] = why
                if status == "stranded":
                    weakest = "stranded"
            items.append(item)
        reply: dict[str, Any] = {
            "acked_seq": outcome.acked_seq,
            "durability": weakest,
            "items": items,
            "count": outcome.count,
            "lineage": self._site.service_time.lineage_uid,
            "epoch": outcome.epoch,
            "copies": 1,
            "notices": [],
        }
        if outcome.fenced:
            lost_grant.refuse_lost(claims, outcome.epoch)
            raise Refused("superseded", seat=await self._seat_now(claims.attempt), items=items)
        clock = await self._clock(claims, seated, outcome)
        if outcome.state == "final":
            raise Refused("closed", items=items, clock=clock)
        reply["clock"] = clock
        reply["state"] = clock["state"]
        return reply

    async def _seat_now(self, attempt: UUID) -> str:
        async with self._site.reading() as conn:
            seated = await attempts.seated(conn, attempt)
        return f"{seated.seat['room']} {seated.seat['seat']}" if seated else ""

    # --- the clock ---

    async def _clock(self, claims: Claims, seated: Seated, outcome: Outcome) -> dict[str, Any]:
        view = timing.View(
            stored=outcome.state,
            signed_in=True,
            start_ms=await self.start_ms(seated.session_id),
            end_ms=self._end_ms(claims.attempt, outcome),
            ended_ms=outcome.ended_ms,
            allotted_ms=seated.session["duration_ms"],
        )
        because = await self._told(claims.attempt, outcome.clock_rev)
        return timing.compose(view, self._site.service_time.now_ms(), because)

    def _end_ms(self, attempt: UUID, outcome: Outcome) -> int | None:
        """The end to count down to. While PostgreSQL is away a hot copy may have forgotten it; this process has not,
        and nobody is shown their whole time again."""
        if outcome.end_ms is None and outcome.durability == "buffered":
            return self._ends.get(attempt)
        if outcome.end_ms is not None:
            self._ends[attempt] = outcome.end_ms
            if len(self._ends) > REMEMBERED:
                self._ends.popitem(last=False)
        return outcome.end_ms

    async def _told(self, attempt: UUID, clock_rev: int) -> list[Because]:
        """The explanation, asked again only when the ledger has moved. While PostgreSQL is away: what is known."""
        known = self._because.get(attempt)
        if known is not None and (clock_rev in (known[0], -1)):
            return known[1]
        if clock_rev == -1:
            return []
        told = await timing.because_of(self._site, attempt)
        self._because[attempt] = (clock_rev, told)
        if len(self._because) > REMEMBERED:
            self._because.popitem(last=False)
        return told

    async def start_ms(self, session_id: int) -> int | None:
        """The session's start, None while the office has not given it one.

        Whoever has signed in sits a session that had a start when another process looked: before a page is told to
        wait for the office, this process looks again. A hall of pages that do wait share a look.
        """
        known = self._plans.get(session_id)
        if known is not None:
            return known
        unread = session_id not in self._plans
        stale = time.monotonic() - self._plans_read > LOOK_AGAIN_S
        if unread or (stale and self._site.writer.postgres_up):
            await self.refresh_plans()
        return self._plans.get(session_id)

    @property
    def plans(self) -> Mapping[int, int | None]:
        """Every session's start as last read."""
        return self._plans

    async def refresh_plans(self) -> None:
        """Read every session's start: one small query, run once a second by the process."""
        at = time.monotonic()
        async with self._site.reading() as conn:
            rows = await conn.execute(text("SELECT id, start_ms FROM session"))
            self._plans = {row.id: row.start_ms for row in rows}
        self._plans_read = at

    # --- resume ---

    async def resume(self, claims: Claims) -> dict[str, Any]:
        """The attempt as it stands, merged from both stores and repaired before it is shown (DESIGN §4.7)."""
        site = self._site
        site.require_postgres()
        self._refuse_foreign_lineage(claims)
        async with site.plain() as connection:
            await recovery.repair(connection, site.hot_or_none(), site.service_time.lineage_n, claims.attempt)
        async with site.engine.connect() as conn:
            row = await attempts.state(conn, claims.attempt)
            seated = await attempts.seated(conn, claims.attempt)
            if row is None or seated is None:
                raise Refused("bad-token")
            lost_grant.refuse_lost(claims, row["epoch"])
            if row["epoch"] != claims.epoch:
                raise Refused("superseded", seat=f"{seated.seat['room']} {seated.seat['seat']}", items=[])
            answers = await attempts.responses(conn, claims.attempt)
            aside = await attempts.kept_aside(conn, claims.attempt)
        if self._plans.get(row["session_id"]) is None:
            await self.refresh_plans()
        view = timing.View(
            stored=row["state"],
            signed_in=row["signed_in_ms"] is not None,
            start_ms=await self.start_ms(row["session_id"]),
            end_ms=row["end_ms"],
            ended_ms=row["ended_ms"],
            allotted_ms=row["allotted_ms"],
        )
        clock = timing.compose(view, site.service_time.now_ms(), await self._told(claims.attempt, row["clock_rev"]))
        return {
            "attempt_id": str(claims.attempt),
            "lineage": site.service_time.lineage_uid,
            "epoch": row["epoch"],
            "state": clock["state"],
            "clock": clock,
            "position": row["position"],
            "marked": row["marked"],
            "responses": {
                str(one["item_id"]): {
                    "epoch": one["epoch"],
                    "rev": one["rev"],
                    "value": one["value"],
                    "status": "durable",
                }
                for one in answers
            },
            "stranded": [{"item": one["item_id"], "value": one["value"], "reason": one["reason"]} for one in aside],
            "count": row["count"],
            "acked_seq": row["acked_seq"],
            "next_seq": row["last_seq"] + 1,
            "elapsed_ms": row["elapsed_ms"],
            **described(seated),
            "receipt": row["receipt"],
        }

    async def ready(self, claims: Claims) -> dict[str, Any]:
        """First paint after a move: the gap that began with the grant ends, and is credited (DESIGN §5)."""
        site = self._site
        site.require_postgres()
        async with site.engine.begin() as conn:
            row = await attempts.lock(conn, claims.attempt)
            lost_grant.refuse_lost(claims, 0 if row is None else row["epoch"])
            if row is None or row["epoch"] != claims.epoch:
                raise Refused("superseded", seat="", items=[])
            now_ms = site.service_time.now_ms()
            gap_from = row["gap_from_ms"]
            if gap_from is not None:
                await conn.execute(text("UPDATE attempt SET gap_from_ms = NULL WHERE id = :a"), {"a": claims.attempt})
                await adjustments.credit(
                    conn,
                    claims.attempt,
                    session_id=row["session_id"],
                    from_ms=gap_from,
                    to_ms=min(now_ms, gap_from + timing.READY_LIMIT_MS),
                    reason="ready",
                    source=f"ready:{claims.epoch}",
                    now_ms=now_ms,
                )
        state = await self.resume(claims)
        return {"clock": state["clock"], "gap_ms": 0 if gap_from is None else now_ms - gap_from}

    # --- paper and hand-in ---

    async def gate(self, claims: Claims) -> None:
        """I12: nothing of a paper leaves before its session starts, or after the attempt is final."""
        self._site.require_postgres()
        async with self._site.engine.connect() as conn:
            row = await attempts.state(conn, claims.attempt)
        if row is None:
            raise Refused("bad-token")
        lost_grant.refuse_lost(claims, row["epoch"])
        if row["epoch"] != claims.epoch:
            raise Refused("superseded", seat=await self._seat_now(claims.attempt), items=[])
        if row["state"] == "final":
            raise Refused("closed")
        # From the same look, not from the plans of a second ago: a session that was just moved leaks nothing.
        start_ms = row["start_ms"]
        now_ms = self._site.service_time.now_ms()
        if start_ms is None or now_ms < start_ms:
            raise Refused("not-started", starts_in_ms=None if start_ms is None else start_ms - now_ms)

    async def hand_in(self, claims: Claims, sent: Sent) -> dict[str, Any]:
        """Everything the browser still holds, then the two steps of an end. Without PostgreSQL the answers are
        buffered and the receipt is null: the browser asks again."""
        site = self._site
        seated = await self.seated(claims)
        await self._refuse_early(seated)
        try:
            reply = await self.checkpoint(claims, sent)
        except Refused as refusal:
            if refusal.code != "closed":
                raise
            # A repeated hand-in whose first reply was lost: the receipt it already has.
            reply = {
                "items": refusal.params.get("items", []),
                "clock": refusal.params["clock"],
                "durability": "durable",
            }
        if reply["durability"] == "buffered" or self._holds_less(sent, reply):
            return {**reply, "receipt": None}
        await ending.end(site, claims.attempt, "hand_in", epoch=claims.epoch)
        receipt = await ending.finalise(site, claims.attempt, epoch=claims.epoch)
        clock = {**reply["clock"], "state": "final", "remaining_ms": 0, "ends_at": None}
        return {**reply, "receipt": receipt, "state": "final", "clock": clock}

    def _holds_less(self, sent: Sent, reply: dict[str, Any]) -> bool:
        """Whether the record was put back since the browser was told of it: no receipt for less than was promised. The
        reply shows the lower count, the browser brings everything, and asks again."""
        if "count" not in reply:
            return False
        other = sent.lineage is not None and sent.lineage != reply["lineage"]
        return other or (sent.count is not None and reply["count"] < sent.count)

    async def _refuse_early(self, seated: Seated) -> None:
        start_ms = await self.start_ms(seated.session_id)
        now_ms = self._site.service_time.now_ms()
        if start_ms is None or now_ms < start_ms:
            raise Refused("not-started")
        earliest = start_ms + seated.session["earliest_hand_in_ms"]
        if now_ms < earliest:
            raise Refused("too-early-to-hand-in", in_ms=earliest - now_ms)


def described(seated: Seated) -> dict[str, Any]:
    """Candidate, exam, session and seat as the browser shows them; the ID number masked."""
    candidate = dict(seated.candidate)
    candidate["id_masked"] = identity.mask_id(candidate.pop("id_number"))
    return {"candidate": candidate, "exam": {"name": seated.exam}, "session": seated.session, "seat": seated.seat}


def fits(kind: str, value: Value) -> bool:
    """Whether a response has the shape of its item's type; None (cleared) always has."""
    if value is None:
        return True
    if kind in ("single", "true_false"):
        return isinstance(value, str) and 0 < len(value) <= OPTION_ID
    if kind == "multiple":
        return isinstance(value, list) and len(value) <= BLANKS and all(0 < len(one) <= OPTION_ID for one in value)
    if kind == "blank":
        return isinstance(value, list) and len(value) <= BLANKS
    return isinstance(value, str)


def text_length(value: Value) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, str) else sum(len(one) for one in value)
