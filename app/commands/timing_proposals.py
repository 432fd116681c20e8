"""holdfast time proposals, ask, accept, dismiss: what the evidence, or somebody in a room, asks of the office."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.commands import timing_work as work
from app.commands.database import with_engine
from app.commands.service import confirmed, moment, with_service
from app.commands.timing_looks import READER
from app.commands.timing_options import (
    Buildings,
    By,
    Decision,
    Exam,
    Incident,
    Json,
    Note,
    Reason,
    Rooms,
    Session,
    Tickets,
    Whole,
    Yes,
)
from app.commands.timing_work import Meant
from app.domain.adjustments import Change
from app.domain.errors import Refused
from app.services import proposal_approval, proposals
from app.services.proposal_approval import Given
from app.services.proposals import Asked
from app.services.site import Site
from app.settings import settings
from app.storage.postgres import proposals as rows
from app.storage.postgres import schedule, time_scope, time_terms

Number = Annotated[int, typer.Argument(metavar="PROPOSAL", help="提议编号，见 proposals · the proposal's number")]
Begins = Annotated[str, typer.Option("--from", help="从，如 09:12:40 · from, like 09:12:40")]
Ends = Annotated[str, typer.Option("--to", help="到，如 09:15:10 · to, like 09:15:10")]
Longer = Annotated[str, typer.Option("--length", help="分钟，或 分:秒 · minutes, or minutes:seconds")]


def listing(session: Session, *, exam: Exam = None, as_json: Json = False) -> None:
    """本场的提议，待处置的在前 · the session's proposals, open ones first."""

    async def run(engine: AsyncEngine) -> tuple[list[dict[str, Any]], int]:
        async with engine.connect() as conn:
            session_id = await work.session_named(conn, exam, session)
            now = await schedule.moment(conn)
            return await proposals.listed(conn, READER, session_id, now_ms=now.service_ms), work.standing_ms(now)

    found, stood_ms = with_engine(settings(), run)
    if as_json:
        typer.echo(json.dumps({"proposals": found}, ensure_ascii=False, indent=2))
        return
    for one in found:
        typer.echo(f"{one['id']} {one['state']} {one['zh']}\n  {one['en']}")
    if not found:
        typer.echo("没有提议。\nThere are no proposals.")
    work.tell_stands(stood_ms)


def ask(
    session: Session, *, by: By, reason: Reason, begins: Begins = "", ends: Ends = "", length: Longer = "",
    site: Whole = False, buildings: Buildings = "", rooms: Rooms = "", tickets: Tickets = "", note: Note = "",
    incident: Incident = "", exam: Exam = None, as_json: Json = False,
) -> None:  # fmt: skip
    """提请补时（--from、--to）或延长（--length），由考务办公室决定 · ask the office to credit or extend."""
    if bool(length) is bool(begins or ends):
        raise typer.BadParameter("请给出 --length，或 --from 和 --to · give either --length, or --from and --to")
    meant = Meant(exam, session, site, buildings, rooms, tickets)

    async def run(service: Site) -> dict[str, Any]:
        async with moment(service):
            now_ms = service.service_time.now_ms()
            async with service.engine.connect() as conn:
                login = work.login_of(await work.account_of(conn, by))
                change = Change(
                    "extend" if length else "credit", await work.scope_of(conn, meant), reason=reason, note=note,
                    incident=incident, ms=work.length_ms(length) if length else None,
                )  # fmt: skip
                from_ms, to_ms = await _instants(conn, change.scope.session, begins, ends, now_ms)
            change = replace(change, from_ms=from_ms, to_ms=to_ms)
            asked = Asked(change, {"session": change.scope.session, "from": begins, "to": ends, "length": length})
            return await proposals.ask(service, login, _key(), asked, through=work.THROUGH)

    told = with_service(run)["proposal"]
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"已提请，提议编号 {told['id']}：{told['zh']}\nProposal {told['id']}: {told['en']}")


def accept(
    proposal: Number, *, by: By, begins: Begins = "", ends: Ends = "", length: Longer = "", reason: Annotated[
        str, typer.Option(help="另定原因 · another reason than the proposed one")
    ] = "", note: Note = "", decision: Decision = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """采纳提议，可改区间或时长 · approve a proposal, as it is or changed."""
    if as_json and not yes:
        raise typer.BadParameter("--json 须与 --yes 同用 · --json goes with --yes")

    async def run(site: Site) -> dict[str, Any] | None:
        async with moment(site) as stands:
            async with site.engine.connect() as conn:
                login = work.login_of(await work.account_of(conn, by))
                found = await rows.find(conn, proposal)
                if found is None:
                    raise Refused("not-found")
                now_ms = site.service_time.now_ms()
                from_ms, to_ms = await _instants(conn, found["session_id"], begins, ends, now_ms)
            ms = work.length_ms(length) if length else None
            given = Given(note, reason, ms, from_ms, to_ms, decision)
            shown = await proposal_approval.preview(site, login, proposal, given)
        if not as_json:
            work.show_effect(shown["effect"], stands=stands)
        if not await confirmed(yes=yes):
            return None
        given = replace(given, seen=shown["seen"])
        async with moment(site):
            return await proposal_approval.approve(site, login, _key(), proposal, given, through=work.THROUGH)

    work.say(with_service(run), as_json)


def dismiss(
    proposal: Number, *, by: By, note: Annotated[str, typer.Option(help="理由 · why it is not followed")],
    as_json: Json = False,
) -> None:  # fmt: skip
    """不采纳提议，写明理由；提议仍留在记录中 · leave a proposal aside, with the reason; it stays on record."""

    async def run(site: Site) -> dict[str, Any]:
        async with moment(site):
            async with site.engine.connect() as conn:
                login = work.login_of(await work.account_of(conn, by))
            return await proposals.dismiss(site, login, _key(), proposal, note=note, through=work.THROUGH)

    told = with_service(run)["proposal"]
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"第 {proposal} 号提议不予采纳。\nProposal {proposal} is left aside.")


async def _instants(
    conn: AsyncConnection, session_id: int, begins: str, ends: str, now_ms: int
) -> tuple[int | None, int | None]:
    timed = await time_scope.find_session(conn, session_id)
    zone = ZoneInfo(timed.timezone if timed is not None else "UTC")
    known = await time_terms.wall_time(conn, now_ms)
    return work.instant(known, zone, begins), work.instant(known, zone, ends)


def _key() -> str:
    return f"cli-{secrets.token_hex(16)}"


COMMANDS: dict[str, Callable[..., None]] = {"proposals": listing, "ask": ask, "accept": accept, "dismiss": dismiss}
