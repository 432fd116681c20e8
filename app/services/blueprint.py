"""Setting a session's blueprint, and how it stands against the bank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.blueprint import Blueprint, Stratum, parse, proportional
from app.domain.errors import Refused
from app.storage.postgres import audit, blueprints, draw_inputs, exams


@dataclass(frozen=True, slots=True)
class Standing:
    """One stratum: ``available`` items in the bank, ``needed`` by the candidate who sits most sessions."""

    stratum: Stratum
    available: int
    needed: int


async def session_row(conn: AsyncConnection, number: int, exam: str | None) -> Mapping[str, Any]:
    """The exam's session with this number. Refused: exam-none, exam-unclear, exam-unknown, session-unknown."""
    return next(iter(await session_rows(conn, number, exam)))


async def session_rows(conn: AsyncConnection, number: int | None, exam: str | None) -> list[Mapping[str, Any]]:
    """The exam's session with this number, or all of its sessions; never none. Refused as ``session_row``."""
    rows = await blueprints.sessions(conn, (await exams.resolve(conn, exam)).code)
    found = [row for row in rows if number is None or row["number"] == number]
    if not found:
        known = "、".join(str(row["number"]) for row in rows) or "—"
        raise Refused("session-unknown", session=number if number is not None else "—", known=known)
    return [dict(row) for row in found]


async def set_blueprint(engine: AsyncEngine, session_id: int, spec: object, *, actor: str = "blueprint") -> Blueprint:
    """Store ``spec`` as the session's blueprint. Refused as ``domain.blueprint.parse`` refuses.

    Papers already drawn stay as they are: they carry the blueprint they were drawn by.
    """
    blueprint = parse(spec)
    async with engine.begin() as conn:
        subject = await put(conn, session_id, blueprint)
        await audit.append(conn, actor=actor, action="blueprint.set", subject=subject)
    return blueprint


async def put(conn: AsyncConnection, session_id: int, blueprint: Blueprint) -> dict[str, Any]:
    """Store the blueprint in the caller's transaction; the subject of its audit entry. Refused not-found."""
    session = await draw_inputs.lock_session(conn, session_id)
    if session is None:
        raise Refused("not-found")
    await blueprints.set_blueprint(conn, session_id, blueprint.spec())
    return {
        "exam": session["exam_code"], "session_id": session_id, "session": session["number"], "items": blueprint.count,
    }  # fmt: skip


async def set_proportional(engine: AsyncEngine, session_id: int, items: int, *, actor: str = "blueprint") -> Blueprint:
    """Store a blueprint of ``items`` items in the bank's own proportions, for as many sessions as a candidate sits.

    Refused with ``bank-too-small`` or ``blueprint-bad-count``.
    """
    async with engine.connect() as conn:
        blueprint = await in_proportion(conn, session_id, items)
    return await set_blueprint(engine, session_id, blueprint.spec(), actor=actor)


async def in_proportion(conn: AsyncConnection, session_id: int, items: int) -> Blueprint:
    """``items`` items in the bank's own proportions. Refused: not-found, bank-too-small, blueprint-bad-count."""
    session = await draw_inputs.session(conn, session_id)
    if session is None:
        raise Refused("not-found")
    bank = [(row["topic"], row["type"]) for row in await draw_inputs.bank(conn, session["exam_id"])]
    sessions = max(1, await blueprints.most_sessions(conn, session["exam_id"]))
    return proportional(bank, items, sessions=sessions)


async def standing(engine: AsyncEngine, session_id: int) -> list[Standing]:
    """The session's strata against the bank, counting every session of the exam whose blueprint asks for the same.

    Refused with ``not-found`` or ``blueprint-missing``.
    """
    async with engine.connect() as conn:
        return await standing_in(conn, session_id)


async def standing_in(conn: AsyncConnection, session_id: int) -> list[Standing]:
    """``standing`` on a connection."""
    session = await draw_inputs.session(conn, session_id)
    if session is None:
        raise Refused("not-found")
    if session["blueprint"] is None:
        raise Refused("blueprint-missing", session=session["number"])
    bank = await draw_inputs.bank(conn, session["exam_id"])
    rows = await blueprints.sessions(conn, session["exam_code"])
    sat = await draw_inputs.sat_by(conn, session["exam_id"])
    others = {row["number"]: parse(row["blueprint"]).strata for row in rows if row["blueprint"] is not None}
    plans = {frozenset(numbers) for numbers in sat.values() if session["number"] in numbers}
    plans.add(frozenset({session["number"]}))
    result: list[Standing] = []
    for stratum in parse(session["blueprint"]).strata:
        asks = {n: sum(s.count for s in strata if s.within(stratum)) for n, strata in others.items()}
        needed = max(sum(asks.get(number, 0) for number in plan) for plan in plans)
        available = sum(stratum.holds(row["topic"], row["type"]) for row in bank)
        result.append(Standing(stratum, available, needed))
    return result
