"""What one look at a session reads, and what of it is new on which page.

Every second all candidates' heartbeats have moved their rows, and hardly anything that a page shows. So a look reads a
few columns of everybody in one statement, works out each state, and draws a room again only when one of them has
changed. What only staff change (names, moves, check-ins, seats out of order) is read again for the rooms that a new
entry of the audit log names, because every change by staff writes one (I11).

Answered counts move all the time and nobody waits for them: they go out every ``SOFT_S``, with whatever else there is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson

from app.domain.errors import Refused
from app.services import day_feed, hall, room
from app.services.day_feed import Recent
from app.services.room import Loaded
from app.services.room_sight import NOBODY, Sight, sight, standing
from app.services.site import Site
from app.storage.postgres import hall as rows
from app.storage.postgres import rooms

if TYPE_CHECKING:
    from app.services.room_feed import Board

HALL = "hall"
SOFT_S = 4.0
# Counted seconds never drift far on a page.
ANYWAY_S = 5.0
# The net under the audit log, for a room and for the hall.
RELOAD_S, RELOAD_HALL_S = 60.0, 15.0
# How often it is counted who has an announcement.
COUNT_S = 2.0
# Entries a look reads at once; after more it reads everything again.
MOST_ENTRIES = 500
# Areas of the log after which no room is read again: what they change moves by itself, or is on no room's page.
ELSEWHERE = frozenset({"time", "proposal", "stranded", "evidence", "staff", "export", "bank", "blueprint"})
# The same for the hall.
UNSEEN = frozenset({"stranded", "evidence", "export", "bank", "blueprint"})


@dataclass(slots=True)
class Held:
    """A room as it was read, and as its page has it."""

    loaded: Loaded
    loaded_at: float
    layout: tuple[Any, ...]
    known: room.Answered
    hard: tuple[Any, ...] = ()
    soft: tuple[Any, ...] = ()
    told: Any = None
    sent_at: float = 0.0


@dataclass(slots=True)
class Whole:
    """The hall as it was read, and as its pages have it."""

    slow: hall.Slow
    read_at: float
    layouts: Any
    announced: hall.Announced
    counted_at: float
    last: Any = None
    sent_at: float = 0.0


@dataclass(slots=True)
class Look:
    """The looks at one session; ``boards`` are those that somebody watches now."""

    site: Site
    session_id: int
    boards: Mapping[Any, Board[Any]]
    recent: Recent = field(default_factory=Recent)
    _held: dict[int, Held] = field(default_factory=dict)
    _whole: Whole | None = None
    _seen: dict[int, Sight] = field(default_factory=dict)

    def forget(self) -> None:
        """The stores were away: nothing that is known is sure."""
        self._held.clear()
        self._whole = None
        self._seen = {}
        self.recent.last = None

    async def __call__(self, asked: bool) -> None:
        now_ms, now = self.site.service_time.now_ms(), time.monotonic()
        wanted = [key for key in self.boards if key != HALL]
        whole = HALL in self.boards
        async with self.site.plain() as conn:
            session = await rows.session(conn, self.session_id)
            if session is None:
                raise Refused("not-found")
            entries = await self._entered(conn, session)
            people = await rows.moving(conn, self.session_id, None if whole else wanted)
        silent_ms = int(self.site.settings.silent_after.total_seconds() * 1000)
        of_room: dict[int, list[rows.Row]] = {}
        for person in people:
            of_room.setdefault(person["room_id"], []).append(person)
        seen = self._seen = {
            room_id: sight(self._seen.get(room_id), some, session, now_ms, silent_ms)
            for room_id, some in of_room.items()
        }
        if whole:
            await self._look_at_all(session, seen, entries, asked, now_ms, now)
        await self._look_into(session, wanted, seen, entries, asked, now_ms, now)

    async def _entered(self, conn: asyncpg.Connection[Any], session: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """What the log has since the last look; None when that is not known."""
        head = session["head"]
        before, self.recent.last = self.recent.last, head
        if before is None or head - before > MOST_ENTRIES:
            return None
        if head == before:
            return []
        found = [day_feed.read(one) for one in await rows.entered(conn, before, MOST_ENTRIES)]
        self.recent.last = found[-1]["n"] if found else before
        if HALL in self.boards:
            tickets = {ticket for entry in found for ticket in day_feed.tickets_of(entry)}
            self.recent.add(day_feed.with_people(found, await rows.seated(conn, session["exam_id"], tickets)))
        return found

    # --- the rooms ---

    async def _look_into(
        self,
        session: Mapping[str, Any],
        wanted: Sequence[int],
        seen: Mapping[int, Sight],
        entries: Sequence[Mapping[str, Any]] | None,
        asked: bool,
        now_ms: int,
        now: float,
    ) -> None:
        touched = None if entries is None else day_feed.rooms_of(entries, ELSEWHERE)
        for gone in self._held.keys() - set(wanted):
            del self._held[gone]
        again: list[int] = []
        due: list[int] = []
        for room_id in wanted:
            held, sees = self._held.get(room_id), seen.get(room_id, NOBODY)
            board = self.boards.get(room_id)
            if (
                held is None or touched is None or room_id in touched or held.layout != sees.layout
                or now - held.loaded_at >= RELOAD_S
            ):  # fmt: skip
                again.append(room_id)
            elif (
                asked or held.hard != sees.hard or now - held.sent_at >= ANYWAY_S
                or (held.soft != sees.soft and now - held.sent_at >= SOFT_S)
                or (board is not None and (board.seen is None or board.seen.text is None))
            ):  # fmt: skip
                due.append(room_id)
        if due:
            await self._count([self._held[one] for one in due], [seen.get(one, NOBODY) for one in due])
        for room_id in due:
            self._merge(self._held[room_id], session, seen.get(room_id, NOBODY))
            await self._send(room_id, seen.get(room_id, NOBODY), now_ms, now, whatever=True)
        if not again:
            return
        async with self.site.engine.connect() as conn:
            for room_id in again:
                sees, before = seen.get(room_id, NOBODY), self._held.get(room_id)
                known = before.known if before is not None else {}
                try:
                    loaded = await room.load(conn, room_id, self.session_id, known)
                except Refused:
                    # Removed while somebody looked: that is no reason to tell the other rooms nothing.
                    self._held.pop(room_id, None)
                    if (board := self.boards.get(room_id)) is not None:
                        await board.put(None)
                    continue
                if before is None:
                    self._held[room_id] = Held(loaded, now, sees.layout, known)
                else:
                    before.loaded, before.loaded_at, before.layout = loaded, now, sees.layout
                await self._send(room_id, sees, now_ms, now, whatever=asked or before is None)

    async def _count(self, held: Sequence[Held], seen: Sequence[Sight]) -> None:
        """How many answered what, of those whose count of changes moved: one statement for all rooms."""
        moved = {
            one["attempt_id"]: (each, one["count"])
            for each, sees in zip(held, seen, strict=True)
            for one in sees.people
            if one["attempt_id"] is not None and each.known.get(one["attempt_id"], (0, 0))[0] != one["count"]
        }
        if moved:
            async with self.site.engine.connect() as conn:
                fresh = await rooms.answered(conn, list(moved))
            for attempt, (each, count) in moved.items():
                each.known[attempt] = (count, fresh.get(attempt, 0))

    def _merge(self, held: Held, session: Mapping[str, Any], sees: Sight) -> None:
        now = {one["seat_id"]: one for one in sees.people}
        held.loaded = replace(
            held.loaded,
            session=session,
            seats=[
                {**row, **{key: now[row["seat_id"]][key] for key in rows.MOVING}} if row["seat_id"] in now else row
                for row in held.loaded.seats
            ],
            answered={
                one["attempt_id"]: held.known.get(one["attempt_id"], (0, 0))[1]
                for one in sees.people
                if one["attempt_id"] is not None
            },
        )

    async def _send(self, room_id: int, sees: Sight, now_ms: int, now: float, *, whatever: bool) -> None:
        held, board = self._held[room_id], self.boards.get(room_id)
        silent_ms = int(self.site.settings.silent_after.total_seconds() * 1000)
        picture = room.picture(held.loaded, now_ms, silent_ms, self.site.settings.spare_low)
        held.hard, held.soft = sees.hard, sees.soft
        if not whatever and now - held.sent_at < ANYWAY_S and standing(picture) == held.told:
            return
        held.sent_at = now
        # Compared only after a reading that may have found nothing: until then nobody needs it.
        held.told = None if whatever else standing(picture)
        if board is not None:
            await board.put(orjson.dumps(picture, default=str, option=orjson.OPT_NON_STR_KEYS).decode())

    # --- the hall ---

    async def _look_at_all(
        self,
        session: Mapping[str, Any],
        seen: Mapping[int, Sight],
        entries: Sequence[Mapping[str, Any]] | None,
        asked: bool,
        now_ms: int,
        now: float,
    ) -> None:
        whole = self._whole
        layouts = {room_id: one.layout for room_id, one in seen.items()}
        read = (
            whole is None
            or entries is None
            or any(one["action"].partition(".")[0] not in UNSEEN for one in entries)
            or whole.layouts != layouts
            or now - whole.read_at >= RELOAD_HALL_S
        )
        if whole is None or read:
            async with self.site.engine.connect() as conn:
                slow = await hall.load(conn, session, now_ms)
            if whole is None:
                whole = self._whole = Whole(slow, now, layouts, hall.Announced((), {}), float("-inf"))
            else:
                whole.slow, whole.read_at, whole.layouts = slow, now, layouts
        # Who has them costs more to count than all the rest: not again because somebody was checked in.
        if (
            entries is None or any(one["action"].startswith("notice.") for one in entries)
            or now - whole.counted_at >= (COUNT_S if whole.announced.moves(now_ms) else RELOAD_HALL_S)
        ):  # fmt: skip
            async with self.site.engine.connect() as conn:
                whole.announced = await hall.announced(conn, self.session_id)
            whole.counted_at = now
        people = {room_id: hall.counted(one.states, one.standings, one.door_open) for room_id, one in seen.items()}
        state = room.session_state(session, now_ms)
        facts = (state, people, whole.slow, whole.announced)
        board = self.boards.get(HALL)
        if board is None or (
            facts == whole.last and not asked and not entries and now - whole.sent_at < ANYWAY_S
            and board.seen is not None and board.seen.text is not None
        ):  # fmt: skip
            return
        whole.last, whole.sent_at = facts, now
        spare_low = self.site.settings.spare_low
        await board.put(
            hall.overview(session, whole.slow, people, whole.announced, self.recent, spare_low=spare_low, now_ms=now_ms)
        )


@dataclass(slots=True)
class _Once:
    """A board for one look."""

    seen: None = None
    text: hall.Overview | None = None

    async def put(self, text: hall.Overview) -> None:
        self.text = text


async def once(site: Site, session_id: int) -> hall.Overview:
    """The hall now, for a page that asks and does not watch. Refuses not-found."""
    board: Any = _Once()
    await Look(site, session_id, {HALL: board})(True)
    found: hall.Overview = board.text
    return found
