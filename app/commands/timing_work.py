"""What the commands of ``holdfast time`` share: who decides, whom they mean, showing an effect and asking once."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from app.commands.near import refuse_unknown
from app.commands.service import STANDS, confirmed, moment, with_service
from app.domain.adjustments import Change, Scope
from app.domain.clock import duration_text
from app.domain.errors import Refused
from app.domain.wall_time import WallTime
from app.services import passwords, staff_requests, time_decisions, time_facts, timetable
from app.services.site import Site
from app.services.staff_requests import Done
from app.storage.postgres import exams, schedule, staff, time_scope, time_terms
from app.storage.postgres.staff import Account, Login

# By what way a decision came, for the audit log.
THROUGH = "holdfast time"


@dataclass(frozen=True, slots=True)
class Meant:
    """A scope as it was typed: names, separated by commas."""

    exam: str | None
    session: int
    site: bool = False
    buildings: str = ""
    rooms: str = ""
    tickets: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change as it was typed; ``begins`` and ``ends`` are times of day or whole wall times in the exam's zone."""

    meant: Meant
    change: Change
    begins: str = ""
    ends: str = ""


def split(names: str) -> list[str]:
    return [part.strip() for part in names.replace("，", ",").replace("、", ",").split(",") if part.strip()]


def length_ms(typed: str) -> int:
    """``10`` or ``2.5`` minutes, ``2:30`` or ``1:02:30``, as milliseconds; a sign is left for the rules to refuse."""
    if minutes := re.fullmatch(r"\s*(-?\d{1,6}(?:\.\d+)?)\s*", typed):
        return round(float(minutes[1]) * 60_000)
    if parts := re.fullmatch(r"\s*(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)\s*", typed):
        return (int(parts[1] or 0) * 3600 + int(parts[2]) * 60 + int(parts[3])) * 1000
    raise typer.BadParameter(f"时长“{typed}”应为分钟数或 分:秒 · a length is minutes, or minutes:seconds: {typed}")


def wall(typed: str, day: date, zone: ZoneInfo) -> datetime:
    """``09:12``, ``09:12:40`` (on ``day``) or a whole ISO time, in the exam's zone unless it names its own."""
    try:
        at = datetime.combine(day, time.fromisoformat(typed)) if len(typed) <= 8 else datetime.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(f"时间“{typed}”应如 09:12:40 · a time is like 09:12:40: {typed}") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


async def session_named(conn: AsyncConnection, exam: str | None, number: int) -> int:
    """The session's id. Refused: exam-unclear, exam-unknown, exam-none, session-unknown."""
    found = await exams.resolve(conn, exam)
    return timetable.named(await exams.sessions(conn, found.id), number).id


async def account_of(conn: AsyncConnection, username: str) -> Account:
    """Refused: staff-unknown, staff-disabled."""
    account = await staff.find(conn, username)
    if account is None:
        raise Refused("staff-unknown", username=username)
    if account.disabled:
        raise Refused("staff-disabled")
    return account


def login_of(account: Account) -> Login:
    """Whoever types the command decides in this person's name; what they may is asked of their role."""
    return Login(account.id, account.username, account.name, account.role, datetime.now(UTC), frozenset(), b"")


def password(by: str, *, piped: bool) -> str:
    """What ``by`` types, unseen; the first line of standard input when it is piped in."""
    if piped:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(f"{by} 的密码 · password of {by}", hide_input=True))


async def proven(conn: AsyncConnection, by: str, typed: str) -> Login:
    """Who decides, by their password: of two people whose names one person typed, none would be a second person.

    Refused: staff-unknown, staff-disabled, wrong-password.
    """
    account = await account_of(conn, by)
    if not await passwords.match(account.password_hash, typed):
        raise Refused("wrong-password", username=by)
    return login_of(account)


async def once(
    site: Site, login: Login, name: str, act: Callable[[AsyncConnection], Awaitable[Done]], now_ms: int
) -> dict[str, Any]:
    request = staff_requests.Request(f"cli-{secrets.token_hex(16)}", f"time.{name}", {})
    return await staff_requests.once(site.engine, login, request, act, now_ms=now_ms)


async def scope_of(conn: AsyncConnection, meant: Meant) -> Scope:
    """The scope by ids. Refused: session-unknown, scope-unknown, scope-malformed unless exactly one kind is named."""
    session_id = await session_named(conn, meant.exam, meant.session)
    named = {
        "buildings": split(meant.buildings), "rooms": split(meant.rooms), "tickets": split(meant.tickets)
    }  # fmt: skip
    if sum(map(bool, named.values())) + meant.site != 1:
        raise Refused("scope-malformed", scope="site/buildings/rooms/tickets")
    if meant.site:
        return Scope(session_id, "site")
    if named["tickets"]:
        tickets = tuple(named["tickets"])
        refuse_unknown(tickets, {member.ticket for member in await time_scope.members(conn, session_id)})
        return Scope(session_id, "list" if len(tickets) > 1 else "candidate", tickets=tickets)
    timed = await time_scope.find_session(conn, session_id)
    places = await time_scope.exam_places(conn, timed.exam_id if timed is not None else 0)
    if named["rooms"]:
        return Scope(session_id, "room", rooms=_ids({row["room"]: row["room_id"] for row in places}, named["rooms"]))
    ids = _ids({row["building"]: row["building_id"] for row in places}, named["buildings"])
    return Scope(session_id, "building", buildings=ids)


def _ids(known: dict[str, int], names: list[str]) -> tuple[int, ...]:
    refuse_unknown(names, known)
    return tuple(known[name] for name in names)


def decide(wanted: Wanted, by: str, *, yes: bool, as_json: bool) -> None:
    """Show what the change would do, ask once, and do it."""
    if as_json and not yes:
        raise typer.BadParameter("--json 须与 --yes 同用 · --json goes with --yes")

    async def work(site: Site) -> dict[str, Any] | None:
        async with moment(site) as stands, site.engine.connect() as conn:
            now_ms = site.service_time.now_ms()
            login = login_of(await account_of(conn, by))
            change = await _complete(conn, wanted, now_ms)
            shown = await time_decisions.preview(site, conn, login, change, now_ms=now_ms)
        if not as_json:
            show_effect(shown["effect"], stands=stands)
        if not await confirmed(yes=yes):
            return None
        change = replace(change, seen=shown["seen"])
        request = staff_requests.Request(f"cli-{secrets.token_hex(16)}", "time", {"command": change.kind})
        async with moment(site):
            now_ms = site.service_time.now_ms()
            return await time_decisions.carry_out(site, login, request, change, now_ms=now_ms, through=THROUGH)

    say(with_service(work), as_json)


async def _complete(conn: AsyncConnection, wanted: Wanted, now_ms: int) -> Change:
    change = wanted.change
    meant = wanted.meant
    named = meant.site or meant.buildings or meant.rooms or meant.tickets
    # What answers an entry is for everybody it was for, unless some of them are named.
    if change.kind == "undo" or (change.kind == "resume" and change.entry is not None and not named):
        scope = Scope(await session_named(conn, wanted.meant.exam, wanted.meant.session), "site")
    else:
        scope = await scope_of(conn, wanted.meant)
    timed = await time_scope.find_session(conn, scope.session)
    zone = ZoneInfo(timed.timezone if timed is not None else "UTC")
    known = await time_terms.wall_time(conn, now_ms)
    begins, ends = (instant(known, zone, typed) for typed in (wanted.begins, wanted.ends))
    return replace(change, scope=scope, from_ms=begins, to_ms=ends)


def instant(known: WallTime, zone: ZoneInfo, typed: str) -> int | None:
    """The service time of a time of day, in the exam's zone on the day on which the clock runs or ran last, or of a
    whole wall time; None for nothing."""
    if not typed:
        return None
    return time_facts.instant(known, None, wall(typed, known.now_at.astimezone(zone).date(), zone))


def show_effect(effect: dict[str, Any], *, stands: bool) -> None:
    """The effect as a person reads it before they confirm; ``stands``: nobody counts now."""
    typer.echo(f"{effect['zh']}\n{effect['en']}")
    if stands:
        typer.echo(STANDS)
    if effect["follows"] is not None:
        typer.echo(f"{effect['follows']['zh']}\n{effect['follows']['en']}")
    if effect["refused"] is not None:
        typer.echo(f"{effect['refused']['zh']}\n{effect['refused']['en']}\n[{effect['refused']['code']}]", err=True)
        raise typer.Exit(2)


def standing_ms(now: schedule.Moment) -> int:
    """For how long the counter has stood; 0 while it runs."""
    return now.standing_ms if now.standing_ms > time_terms.STANDING_MS else 0


def tell_stands(stood_ms: int) -> None:
    """Beside what was printed, so that a table or a file stays what it is."""
    if stood_ms:
        long = duration_text(stood_ms)
        typer.echo(f"考试时钟已停 {long}。\nThe exam clock has stood for {long}.\n{STANDS}", err=True)


def say(done: dict[str, Any] | None, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False, indent=2))
    elif done is None:
        typer.echo("没有作任何改动。\nNothing was changed.")
        raise typer.Exit(1)
    else:
        entry = done["entry"]["id"]
        typer.echo(f"已执行，第 {entry} 条；撤销：holdfast time undo …{entry}。\nDone: entry {entry}.")
