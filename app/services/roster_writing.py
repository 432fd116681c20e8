"""Carrying out a roster's plan inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identity import id_tail, id_tail_hmac
from app.importers.model import CandidatePlan
from app.services.roster_changes import Plan, Stored, candidate_values, session_values
from app.storage.postgres import candidates, exams

# (rows written, rows to write)
Progress = Callable[[int, int], None]


class RosterWriter:
    """Order: allocations leave before the seats they point at, and come when their seats are there.

    IntegrityError from ``apply`` means that something still refers to what would go.
    """

    def __init__(
        self,
        conn: AsyncConnection,
        exam: exams.Exam,
        stored: Stored,
        *,
        key: bytes,
        progress: Progress | None,
    ) -> None:
        self.conn = conn
        self.exam = exam
        self.zone = ZoneInfo(exam.timezone)
        self.key = key
        self.stored = stored
        self.progress = progress
        self.done = 0
        self.total = 0

    def _told(self, rows: int) -> None:
        self.done += rows
        if self.progress is not None:
            self.progress(self.done, self.total)

    async def apply(self, plan: Plan) -> None:
        self.total = len(plan.candidates_in) + len(plan.placements_in)
        await self._leave(plan)
        await self._rooms(plan)
        session_ids = await self._sessions(plan)
        ticket_ids = await self._candidates(plan)
        await self._allocate(plan, session_ids, ticket_ids)
        await exams.drop_empty_buildings(self.conn, self.exam.id)

    async def _leave(self, plan: Plan) -> None:
        if plan.placements_out:
            await candidates.drop_allocations(self.conn, plan.placements_out)
        if plan.candidates_out:
            await candidates.drop(self.conn, [each.id for each in plan.candidates_out])
        for session in plan.sessions_out:
            await exams.drop_session(self.conn, session.id)
        if plan.rooms_out:
            await exams.drop_rooms(self.conn, [room.id for room in plan.rooms_out])

    async def _rooms(self, plan: Plan) -> None:
        names = [room.building for _, room in plan.rooms_in] + [room.building for _, _, room in plan.rooms_changed]
        buildings = await exams.ensure_buildings(self.conn, self.exam.id, names)
        for there, ordinal, wanted in plan.rooms_changed:
            await exams.change_room(
                self.conn,
                there.id,
                {
                    "building_id": buildings[wanted.building],
                    "number": wanted.number,
                    "ordinal": ordinal,
                    "seat_count": wanted.seats,
                    "spare_count": wanted.spares,
                },
            )
            await exams.set_seats(self.conn, there.id, wanted.labels)
        if not plan.rooms_in:
            return
        ids = await exams.add_rooms(
            self.conn,
            [
                {
                    "exam_id": self.exam.id,
                    "building_id": buildings[room.building],
                    "name": room.name,
                    "number": room.number,
                    "ordinal": ordinal,
                    "seat_count": room.seats,
                    "spare_count": room.spares,
                }
                for ordinal, room in plan.rooms_in
            ],
        )
        seats = [
            {"room_id": ids[room.name], "label": label, "ordinal": n, "is_spare": is_spare}
            for _, room in plan.rooms_in
            for n, (label, is_spare) in enumerate(room.labels, start=1)
        ]
        await exams.add_seats(self.conn, seats)

    async def _sessions(self, plan: Plan) -> dict[int, int]:
        ids = {session.number: session.id for session in self.stored.sessions}
        for there, values in plan.sessions_changed:
            await exams.change_session(self.conn, there.id, values)
        for wanted in plan.sessions_in:
            values = {"exam_id": self.exam.id, **session_values(wanted, self.zone)}
            ids[wanted.number] = await exams.add_session(self.conn, values)
        return ids

    def _hmac(self, id_number: str) -> bytes:
        return id_tail_hmac(self.key, id_tail(id_number))

    async def _candidates(self, plan: Plan) -> dict[str, int]:
        ids = {each.ticket: each.id for each in self.stored.candidates}
        changed = []
        for there, values, wanted in plan.candidates_changed:
            tail = {"id_tail_hmac": self._hmac(wanted.id_number)} if "id_number" in values else {}
            changed.append({"id": there.id, **values, **tail})
        if changed:
            await candidates.change(self.conn, changed)
        rows = [self._row(candidate) for candidate in plan.candidates_in]
        ids.update(await candidates.add(self.conn, rows, self._told))
        return ids

    def _row(self, plan: CandidatePlan) -> dict[str, Any]:
        return {
            "exam_id": self.exam.id,
            "ticket": plan.ticket,
            "id_tail_hmac": self._hmac(plan.id_number),
            **candidate_values(plan),
        }

    async def _allocate(self, plan: Plan, session_ids: dict[int, int], ticket_ids: dict[str, int]) -> None:
        seats = await exams.seat_ids(self.conn, self.exam.id)
        rows = []
        for ticket, placement in plan.placements_in:
            seat_id = seats[placement.room, placement.seat]
            rows.append(
                {
                    "session_id": session_ids[placement.session],
                    "candidate_id": ticket_ids[ticket],
                    "seat_id": seat_id,
                    "planned_seat_id": seat_id,
                }
            )
        await candidates.add_allocations(self.conn, rows, self._told)
