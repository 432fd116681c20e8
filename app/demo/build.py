"""Making the demo exam, the way an exam office would: roster and bank through the importers, blueprints, draw, staff.

Only ``is_demo`` and the fixed seeds are the demo's own. It all happens before a server runs, so a killed first run
leaves nothing that anybody has sat in; the marker then says that it has to be made anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.demo.accounts import ACCOUNTS
from app.demo.bank import POINTS_MILLI
from app.demo.day import ACTOR, EXAM_CODE
from app.demo.files import TITLE, write_bank, write_roster
from app.demo.people import SEED, Hall
from app.domain.blueprint import TITLES, TYPES, Blueprint, Section, Stratum
from app.importers.bank import read_bank
from app.importers.roster import read_roster
from app.services import drawing, importing, staff_accounts
from app.services.import_target import DEFAULT_TIMEZONE, Target
from app.services.importing import Source
from app.storage.postgres import blueprints

# 60 items, 100 points.
COUNTS = {"single": 30, "multiple": 12, "true_false": 10, "blank": 6, "text": 2}
BLUEPRINT = Blueprint(
    tuple(Section(TITLES[kind], (Stratum(None, kind, COUNTS[kind], POINTS_MILLI[kind]),)) for kind in TYPES)
)

Progress = Callable[[str], None]


def _share(tell: Progress) -> Callable[[int, int], None]:
    return lambda done, total: tell(f"{done}/{total}")


async def import_files(engine: AsyncEngine, people: Hall, key: bytes, tell: Progress) -> None:
    """Roster and bank, written as workbooks and read by the real importers. ValueError if they find a fault."""
    target = Target(code=EXAM_CODE, name=TITLE)
    with tempfile.TemporaryDirectory(prefix="holdfast-demo-") as name:
        folder = Path(name)
        start = datetime.now(ZoneInfo(DEFAULT_TIMEZONE)).replace(tzinfo=None)
        roster, report, book = read_roster(write_roster(folder / "roster.xlsx", people, start))
        if roster is None:
            raise ValueError(f"the demo's roster: {report.faults[:3]}")
        source = Source(book.file, book.sha256)
        await importing.import_roster(
            engine, roster, key=key, source=source, target=target, progress=_share(tell), actor=ACTOR
        )
        bank, report, book = read_bank(write_bank(folder))
        if bank is None:
            raise ValueError(f"the demo's bank: {report.faults[:3]}")
        source = Source(book.file, book.sha256)
        await importing.import_bank(engine, bank, source=source, target=target, actor=ACTOR)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE exam SET is_demo = true WHERE code = :code"), {"code": EXAM_CODE})


async def draw(engine: AsyncEngine, tell: Progress) -> int:
    """Everybody's paper in both sessions, from fixed seeds; how many papers."""
    async with engine.begin() as conn:
        sessions = await blueprints.sessions(conn, EXAM_CODE)
        for session in sessions:
            await blueprints.set_blueprint(conn, session["id"], BLUEPRINT.spec())
    papers = 0
    for session in sessions:
        number: int = session["number"]

        def told(stage: str, done: int, total: int, number: int = number) -> None:
            tell(f"{number}: {stage} {done}/{total}")

        seed = f"{SEED}/session-{number}"
        drawn = await drawing.draw_session(engine, session["id"], seed=seed, actor=ACTOR, progress=told)
        papers += drawn.papers
    return papers


async def add_staff(engine: AsyncEngine, people: Hall) -> None:
    """The demo's accounts: the invigilator has the listed candidates' room, the chief every room."""
    rooms = {"invigilator": [people.rooms[0].name], "chief": [room.name for room in people.rooms]}
    for account in ACCOUNTS:
        async with engine.begin() as conn:
            await staff_accounts.create(
                conn,
                username=account.username,
                name=account.name,
                role=account.role,
                password=account.password,
                room_ids=await staff_accounts.room_ids_named(conn, rooms.get(account.role, []), exam_code=EXAM_CODE),
                is_demo=True,
                actor=ACTOR,
            )
