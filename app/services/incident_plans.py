"""The contingency plans of an exam: as shipped until the office edits them, every edit a new version.

Nothing is written to look at them. The shipped text becomes the exam's version 1 when an incident is opened under it or
somebody edits it, so an incident always points at the very words it was opened with.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.plans import BY_PLAN, PLANS, Plan
from app.services.staff_requests import Done
from app.storage.postgres import evidence, incidents
from app.storage.postgres.staff import Login

SHIPPED = 1


async def of_session(conn: AsyncConnection, session_id: int) -> dict[str, Any]:
    """``{plans: [{plan, version, title_zh, title_en, steps, sealed, by, at}]}`` in the order of their numbers."""
    return {"plans": list((await current(conn, await exam_of(conn, session_id))).values())}


async def exam_of(conn: AsyncConnection, session_id: int) -> int:
    """Refused not-found."""
    exam_id = await evidence.exam_of_session(conn, session_id)
    if exam_id is None:
        raise Refused("not-found")
    return exam_id


async def current(conn: AsyncConnection, exam_id: int) -> dict[str, dict[str, Any]]:
    """Plan → its newest version."""
    stored = {row["plan"]: row for row in await incidents.newest_plans(conn, exam_id)}
    told: dict[str, dict[str, Any]] = {}
    for shipped in PLANS:
        row = stored.get(shipped.plan)
        told[shipped.plan] = {
            **(_values(shipped) if row is None else {key: row[key] for key in _values(shipped)}),
            "sealed": shipped.sealed,
            "by": None if row is None else row["by"],
            "at": None if row is None else row["made_at"].isoformat(timespec="seconds"),
            "id": None if row is None else row["id"],
        }
    return told


async def ensure(conn: AsyncConnection, exam_id: int, plan: str) -> dict[str, Any]:
    """The plan's newest version, stored. Refused plan-unknown."""
    if plan not in BY_PLAN:
        raise Refused("plan-unknown", plan=plan)
    found = (await current(conn, exam_id))[plan]
    if found["id"] is None:
        await incidents.insert_plan(conn, {**_values(BY_PLAN[plan]), "exam_id": exam_id})
        # Of two that open the first incident under it at once, the second waited and sees what the first one stored.
        found = (await current(conn, exam_id))[plan]
    return found


async def edit(
    conn: AsyncConnection,
    login: Login,
    session_id: int,
    plan: str,
    *,
    title: tuple[str, str],
    steps: Sequence[Mapping[str, str]],
    seen: int,
) -> Done:
    """A new version: ``{plan}``. A step without an id is new and gets one; incidents keep the version they were opened
    under. Refused: not-found, plan-unknown, plan-malformed, plan-changed (somebody edited it since ``seen``)."""
    exam_id = await exam_of(conn, session_id)
    before = await ensure(conn, exam_id, plan)
    known = {step["id"] for step in before["steps"]}
    given = [step["id"] for step in steps if step["id"]]
    if len(set(given)) < len(given) or not set(given) <= known:
        raise Refused("plan-malformed")
    if before["version"] == seen:
        made = await incidents.insert_plan(
            conn,
            {
                "exam_id": exam_id, "plan": plan, "version": seen + 1, "title_zh": title[0], "title_en": title[1],
                "steps": [{**step, "id": step["id"] or secrets.token_hex(4)} for step in steps],
                "staff_id": login.staff_id,
            },
        )  # fmt: skip
        if made is not None:
            now = (await current(conn, exam_id))[plan]
            subject = {"plan": plan, "version": seen + 1, "before": _plain(before), "after": _plain(now)}
            return Done({"plan": now}, "incident.plan", subject)
    now = (await current(conn, exam_id))[plan]
    raise Refused("plan-changed", plan=plan, by=now["by"] or "—", version=now["version"])


def _values(shipped: Plan) -> dict[str, Any]:
    return {
        "plan": shipped.plan,
        "version": SHIPPED,
        "title_zh": shipped.title[0],
        "title_en": shipped.title[1],
        "steps": [{"id": step.id, "zh": step.zh, "en": step.en} for step in shipped.steps],
    }


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: told[key] for key in ("title_zh", "title_en", "steps")}
