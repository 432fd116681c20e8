"""A hall for the stories of the contingency plans: an exam, its staff at their desks, its candidates at their PCs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import staff_accounts
from tests.candidates import Candidate
from tests.e2e import record as in_record
from tests.e2e.exam import PASSWORD, Exam
from tests.e2e.incident_desk import IncidentDesk
from tests.e2e.pc import Pc
from tests.e2e.pictures import both
from tests.e2e.server import Server
from tests.e2e.sitting import Sitting
from tests.staff import Staff

NAMES = {"office": "苏望舒", "chief": "沈知夏", "invigilator": "程望", "auditor": "叶知秋"}


@dataclass
class Hall:
    """``folder``: where pictures go; None in an ordinary run, which changes no file of the checkout."""

    server: Server
    record: AsyncEngine
    exam: Exam
    switchboard: Callable[..., Pc]
    client: httpx.AsyncClient
    folder: Path | None
    staff: list[str] = field(default_factory=list)

    async def account(self, role: str, name: str = "", *, rooms: tuple[int, ...] = ()) -> str:
        """The username of somebody new."""
        username = f"{role}-{secrets.token_hex(3)}"
        async with self.record.begin() as conn:
            await staff_accounts.create(
                conn, username=username, name=name or NAMES[role], role=role, password=PASSWORD, room_ids=rooms
            )
        self.staff.append(username)
        return username

    async def invigilator(self, *, touch: bool = True) -> IncidentDesk:
        """With the tablet that an invigilator carries, at the map of the first room."""
        self.staff.append(self.exam.invigilator)
        return await self._desk(self.exam.invigilator, touch=touch)

    async def office(self, role: str = "office", name: str = "", *, touch: bool = False) -> IncidentDesk:
        return await self._desk(await self.account(role, name), touch=touch)

    async def _desk(self, username: str, *, touch: bool) -> IncidentDesk:
        desk = IncidentDesk(self.switchboard(self.server, username, touch=touch), username)
        await desk.enter(self.exam)
        return desk

    async def chief(self) -> IncidentDesk:
        """Of the first room, with a tablet."""
        return await self._desk(await self.account("chief", rooms=(self.exam.room_id,)), touch=True)

    async def next_door(self, room: int) -> IncidentDesk:
        """The invigilator of another room, ``room``, with the tablet of that room."""
        username = await self.account("invigilator", "沈清", rooms=(room,))
        desk = IncidentDesk(self.switchboard(self.server, username, touch=True), username)
        await desk.enter()
        return desk

    async def by_telephone(self, role: str = "office", *, rooms: tuple[int, ...] = ()) -> Staff:
        """Somebody whose page is not the point: the same calls without one."""
        username = await self.account(role, rooms=rooms)
        staff = Staff(self.client, username, PASSWORD)
        reply = await staff.sign_in()
        assert reply.status_code == 200, reply.text
        return staff

    def sitting(self, n: int, name: str = "", **more: Any) -> Sitting:
        """Candidate ``n``, from 0, at a PC."""
        person = self.exam.people[n]
        return Sitting(self.switchboard(self.server, name or f"pc {person.seat}", **more), person)

    def unseen(self, n: int) -> Candidate:
        """Candidate ``n`` by the protocol of the page, without one."""
        return Candidate(self.client, self.exam.people[n])

    @asynccontextmanager
    async def beating(self, *candidates: Candidate) -> AsyncIterator[None]:
        """They are heard of again and again, as open pages are."""

        async def beat() -> None:
            while True:
                for candidate in candidates:
                    await candidate.send()
                await asyncio.sleep(3)

        beats = asyncio.create_task(beat())
        try:
            yield
        finally:
            beats.cancel()
            [ended] = await asyncio.gather(beats, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended

    async def audited(self, *actions: str) -> list[dict[str, Any]]:
        """What the audit log holds of these actions by this hall's staff: subjects, with ``action``."""
        found = await in_record.rows(
            self.record,
            "SELECT action, subject FROM audit_entry WHERE action = ANY(:a) AND actor = ANY(:u) ORDER BY n",
            a=list(actions), u=self.staff,
        )  # fmt: skip
        return [row["subject"] | {"action": row["action"]} for row in found]

    async def ledger(self) -> list[str]:
        """The kinds of what staff entered about time, in order."""
        found = await in_record.rows(
            self.record, "SELECT kind FROM adjustment WHERE session_id = :s AND staff_id IS NOT NULL ORDER BY id",
            s=self.exam.session_id,
        )  # fmt: skip
        return [row["kind"] for row in found]

    async def room_record(self) -> str:
        """The printed record of the first room, in Chinese."""
        staff = await self.by_telephone()
        reply = await staff.get(
            "/print/room-record", session=self.exam.session_id, room=self.exam.room_id, format="html", language="zh"
        )
        assert reply.status_code == 200, reply.text
        return reply.text

    async def report(self) -> str:
        """The printed report of the hall's newest incident as the office gets it, in Chinese."""
        staff = await self.by_telephone()
        listed = (await staff.get("/incidents", session=self.exam.session_id)).json()["incidents"]
        reply = await staff.get(f"/incidents/{listed[0]['id']}/report", format="html", language="zh")
        assert reply.status_code == 200, reply.text
        return reply.text

    async def picture(self, who: Sitting | IncidentDesk, name: str, before: Callable[[], Awaitable[Any]] | None = None):
        """``name`` in Chinese and in English, where pictures are asked for; then Chinese again."""
        if self.folder is not None:
            await both(who, self.folder, name, before)


@asynccontextmanager
async def hall_of(
    server: Server, record: AsyncEngine, exam: Exam, switchboard: Callable[..., Pc], folder: Path | None
) -> AsyncIterator[Hall]:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", trust_env=False, timeout=60) as client:
        yield Hall(server, record, exam, switchboard, client, folder)
