"""A candidate sits: checkpoints and hand-in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.checkpoints import Checkpoint, Outcome, Row
from app.domain.errors import Refused
from app.services import ending, lost_grant, timing
from app.services.known import Known
from app.services.notices import Unseen
from app.services.site import Site
from app.services.tokens import Claims
from app.storage.postgres import attempts
from app.storage.postgres.attempts import Seated

Value = str | list[str] | None
BLANKS = 50
OPTION_ID = 16


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
    # Nobody pressed anything: a hand-in only because the page's time was up.
    time_up: bool = False


class Sitting:
    """The candidate's calls, for one process of a site."""

    def __init__(self, site: Site, known: Known) -> None:
        self._site = site
        self._known = known
        self._unseen = Unseen(site)

    async def checkpoint(self, claims: Claims, sent: Sent) -> dict[str, Any]:
        """Write one request. The reply of POST /attempt/checkpoints; Refused when nothing of it could be applied."""
        now_ms = self._site.service_time.now_ms()
        seated = await self._known.seated(claims)
        rows, refused = self._accept(seated, sent.responses)
        outcome = await self._submit(claims, seated, sent, rows, now_ms)
        outcome.refused.update(refused)
        return await self._reply(claims, seated, sent, outcome)

    async def _submit(self, claims: Claims, seated: Seated, sent: Sent, rows: list[Row], now_ms: int) -> Outcome:
        self._site.refuse_foreign(claims.lineage_n)
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
        start_ms = await self._known.start_ms(seated.session_id, claims.attempt)
        if rows and (start_ms is None or now_ms < start_ms):
            raise Refused("not-started")
        outcome = await self._site.writer.submit(checkpoint)
        if outcome.durability == "durable" and not outcome.fenced:
            await self._credit_reconnect(claims.attempt, outcome, now_ms)
            if outcome.state == "open" and outcome.end_ms is not None and outcome.end_ms <= now_ms:
                # The sweeper has not come by yet; what arrived was judged as late already.
                await ending.end(self._site, claims.attempt, "time_out")
        return outcome

    async def _credit_reconnect(self, attempt: UUID, outcome: Outcome, now_ms: int) -> None:
        previous, contact = outcome.previous_term, outcome.previous_contact_ms
        if previous is None or contact is None or previous >= self._site.service_time.term:
            return
        await timing.credit_reconnect(self._site, attempt, stamp_ms=now_ms, previous_term=previous, contact_ms=contact)
        async with self._site.engine.connect() as conn:
            row = await attempts.state(conn, attempt)
        if row is not None:
            outcome.end_ms, outcome.left_ms, outcome.clock_rev = row["end_ms"], row["left_ms"], row["clock_rev"]

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
            raise Refused("superseded", seat=await self._known.seat_now(claims.attempt), items=items)
        clock = await self._clock(claims, seated, outcome)
        if outcome.state == "final":
            raise Refused("closed", items=items, clock=clock)
        reply["notices"] = await self._unseen.of(claims.attempt, outcome)
        reply["clock"] = clock
        reply["state"] = clock["state"]
        return reply

    async def _clock(self, claims: Claims, seated: Seated, outcome: Outcome) -> dict[str, Any]:
        end_ms, left_ms = self._known.end_ms(claims.attempt, outcome)
        view = timing.View(
            stored=outcome.state,
            signed_in=True,
            start_ms=await self._known.start_ms(seated.session_id, claims.attempt),
            end_ms=end_ms,
            ended_ms=outcome.ended_ms,
            allotted_ms=seated.session["duration_ms"],
            left_ms=left_ms,
        )
        because = await self._known.because(claims.attempt, outcome.clock_rev)
        return timing.compose(view, self._site.service_time.now_ms(), because)

    async def hand_in(self, claims: Claims, sent: Sent) -> dict[str, Any]:
        """Everything the browser still holds, then the two steps of an end. Without PostgreSQL the answers are
        buffered and the receipt is null: the browser asks again."""
        site = self._site
        seated = await self._known.seated(claims)
        await self._refuse_early(claims, seated)
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
        # A time that was extended since the page saw it run out is not over: only what the candidate presses ends it.
        reason: ending.Reason = "time_out" if sent.time_up else "hand_in"
        await ending.end(site, claims.attempt, reason, epoch=claims.epoch, seq=sent.seq)
        receipt = await ending.finalise(site, claims.attempt, epoch=claims.epoch)
        if receipt is None:
            # Open, although everything was in: the time goes on, or it was reopened since this request was first sent.
            # Asked again it would have a number of its own, and end what was reopened.
            return {**reply, "receipt": None, "hand_in_void": True}
        clock = {**reply["clock"], "state": "final", "remaining_ms": 0, "ends_at": None}
        return {**reply, "receipt": receipt, "state": "final", "clock": clock}

    def _holds_less(self, sent: Sent, reply: dict[str, Any]) -> bool:
        """Whether the record was put back since the browser was told of it: no receipt for less than was promised. The
        reply shows the lower count, the browser brings everything, and asks again."""
        if "count" not in reply:
            return False
        other = sent.lineage is not None and sent.lineage != reply["lineage"]
        return other or (sent.count is not None and reply["count"] < sent.count)

    async def _refuse_early(self, claims: Claims, seated: Seated) -> None:
        start_ms = await self._known.start_ms(seated.session_id, claims.attempt)
        now_ms = self._site.service_time.now_ms()
        if start_ms is None or now_ms < start_ms:
            raise Refused("not-started")
        earliest = start_ms + seated.session["earliest_hand_in_ms"]
        if now_ms < earliest:
            raise Refused("too-early-to-hand-in", in_ms=earliest - now_ms)


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
