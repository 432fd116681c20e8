"""Which exam a file is for. Never a guess between two."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.storage.postgres import exams

DEFAULT_CODE = "default"
DEFAULT_TIMEZONE = "Asia/Shanghai"
_LIST_WORDS = re.compile(r"(考场|考室|考生|应考人员)?(编排|座次|安排)?(表|名单|花名册|一览表)$")


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for. Without a code the exam that fits is found, or ``default`` made where there is none."""

    code: str | None = None
    name: str | None = None
    timezone: str = DEFAULT_TIMEZONE


@dataclass(frozen=True, slots=True)
class Chosen:
    """The exam, locked; ``new_name`` is what it is to be called from now on, if that is something else."""

    exam: exams.Exam
    new_name: str | None = None


def exam_name(title: str) -> str:
    """The exam's name in a roster's title: '…业务考试考场编排表' without the words that say that it is a list."""
    return _LIST_WORDS.sub("", title.strip())


async def for_roster(conn: AsyncConnection, target: Target, title: str) -> Chosen:
    """The exam with the code; without one the exam of this name, the only one if it has no roster yet, or a new one.

    Refused with exam-unclear where none of these is certain.
    """
    name = target.name or exam_name(title)
    code = target.code
    if code is None:
        known = await _known(conn)
        same = [each for each in known if name and each.name == name]
        if len(same) == 1:
            code = same[0].code
        elif not known:
            code = DEFAULT_CODE
        elif len(known) == 1 and not await exams.has_roster(conn, known[0].id):
            code = known[0].code
        else:
            raise _unclear(known)
    exam, created = await exams.lock_or_create(conn, code, name=name or code, timezone=target.timezone)
    # A bank that came first has made an exam without a name of its own.
    wanted = target.name or (name if exam.name == exam.code else "")
    return Chosen(exam, wanted if wanted and wanted != exam.name and not created else None)


async def for_bank(conn: AsyncConnection, target: Target) -> Chosen:
    """The exam with the code; without one the only exam there is, or a new one. A bank's title names no exam."""
    code = target.code
    if code is None:
        known = await _known(conn)
        if len(known) > 1:
            raise _unclear(known)
        code = known[0].code if known else DEFAULT_CODE
    exam, created = await exams.lock_or_create(conn, code, name=target.name or code, timezone=target.timezone)
    wanted = target.name
    return Chosen(exam, wanted if wanted and wanted != exam.name and not created else None)


async def _known(conn: AsyncConnection) -> list[exams.Exam]:
    return [each for each in await exams.every(conn) if not each.is_demo]


def _unclear(known: list[exams.Exam]) -> Refused:
    return Refused("exam-unclear", known="、".join(f"{each.code}（{each.name}）" for each in known))
