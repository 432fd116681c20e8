"""holdfast rounds: swap two rounds, move people to another one, defer them, allocate the deferred.

For the day the console cannot be reached: the same decisions, shown first and confirmed once. The stores are enough.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.commands.near import refuse_unknown
from app.commands.service import STANDS, confirmed, moment, with_service
from app.domain.errors import Refused
from app.domain.roles import allows
from app.domain.round_picture import Kind
from app.services import rounds, timetable
from app.services.round_snapshot import Ask
from app.services.rounds import Confirmed
from app.services.site import Site
from app.storage.postgres import exams, staff
from app.storage.postgres.staff import Login

app = typer.Typer(no_args_is_help=True, help="轮次：对调、调场、缓考 · rounds: swap, move, defer")
# By what way a decision came, for the audit log.
THROUGH = "holdfast rounds"

From = Annotated[int, typer.Argument(metavar="SESSION", help="场次号 · the session's number")]
To = Annotated[int, typer.Argument(metavar="TO", help="目标场次号 · the other session's number")]
By = Annotated[str, typer.Option(help="作出决定的考务人员用户名 · the username of who decides")]
Number = Annotated[str, typer.Option(help="决定文号 · the number of the office's decision")]
Text = Annotated[str, typer.Option(help="决定内容 · what was decided, and why")]
Rooms = Annotated[str, typer.Option(help="考室名，以逗号分隔 · rooms, separated by commas")]
Tickets = Annotated[str, typer.Option(help="准考证号，以逗号分隔 · tickets, separated by commas")]
Exam = Annotated[str | None, typer.Option(help="考试代码；只有一场考试时可省略 · the exam's code")]
Yes = Annotated[bool, typer.Option("--yes", help="不再询问 · do not ask")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON，须与 --yes 同用 · print JSON, together with --yes")]


@app.command()
def swap(
    session: From, to: To, *, by: By, number: Number, text: Text, exam: Exam = None, yes: Yes = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """对调两场的全部应考人员 · exchange everybody of two sessions."""
    _decide("swap", session, to, "", "", by, number, text, exam, yes=yes, as_json=as_json)


@app.command()
def move(
    session: From, to: To, *, by: By, number: Number, text: Text, rooms: Rooms = "", tickets: Tickets = "",
    exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """把考室或名单调到另一场；看过试题的换新试卷 · move rooms or people to another session; no item is seen twice."""
    _decide("move", session, to, rooms, tickets, by, number, text, exam, yes=yes, as_json=as_json)


@app.command()
def defer(
    session: From, *, by: By, number: Number, text: Text, rooms: Rooms = "", tickets: Tickets = "",
    exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """缓考：结束作答，全部保留 · defer: the attempts end, and everything in them is kept."""
    _decide("defer", session, None, rooms, tickets, by, number, text, exam, yes=yes, as_json=as_json)


@app.command()
def allocate(
    session: From, to: To, *, by: By, number: Number, text: Text, rooms: Rooms = "", tickets: Tickets = "",
    exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """把缓考人员编排到后面的场次，使用没看过的试卷 · give the deferred a later session and an unseen paper."""
    _decide("allocate", session, to, rooms, tickets, by, number, text, exam, yes=yes, as_json=as_json)


def _decide(
    kind: Kind, session: int, to: int | None, rooms: str, tickets: str, by: str, number: str, text: str,
    exam: str | None, *, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    named, listed = _split(rooms), _split(tickets)
    if kind != "swap" and bool(named) is bool(listed):
        raise typer.BadParameter("请给出 --rooms 或 --tickets 之一 · give either --rooms or --tickets")
    if as_json and not yes:
        raise typer.BadParameter("--json 须与 --yes 同用 · --json goes with --yes")

    async def work(site: Site) -> dict[str, Any] | None:
        async with moment(site) as stands:
            login = await _who(site, by)
            ask = await _ask(site, kind, exam, session, to, named, listed)
            shown = await rounds.preview(site, ask)
        if not as_json:
            _show(shown["effect"], stands=stands)
        if not await confirmed(yes=yes):
            return None
        meant = Confirmed(shown["seen"], number, text)
        async with moment(site):
            return await rounds.act(site, login, f"cli-{secrets.token_hex(16)}", ask, meant, through=THROUGH)

    done = with_service(work)
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False, indent=2))
    elif done is None:
        typer.echo("没有作任何改动。\nNothing was changed.")
        raise typer.Exit(1)
    else:
        typer.echo(f"已执行，决定编号 {done['decision']['id']}。\nDone: decision {done['decision']['id']}.")


def _split(names: str) -> list[str]:
    return [part.strip() for part in names.replace("，", ",").replace("、", ",").split(",") if part.strip()]


async def _who(site: Site, username: str) -> Login:
    """Whoever types the command decides in this person's name. Refused staff-unknown, staff-disabled, not-permitted."""
    async with site.engine.connect() as conn:
        account = await staff.find(conn, username)
    if account is None:
        raise Refused("staff-unknown", username=username)
    if account.disabled:
        raise Refused("staff-disabled")
    if not allows(account.role, "rounds-decide", room_id=None, own_room_ids=frozenset()):
        raise Refused("not-permitted")
    return Login(account.id, account.username, account.name, account.role, datetime.now(UTC), frozenset(), b"")


async def _ask(
    site: Site, kind: Kind, exam: str | None, session: int, to: int | None, named: Sequence[str], tickets: Sequence[str]
) -> Ask:
    async with site.engine.connect() as conn:
        found = await exams.resolve(conn, exam)
        known = await exams.sessions(conn, found.id)
        rooms = {each.name: each.id for each in await exams.rooms(conn, found.id)}
        everybody = await exams.tickets(conn, found.id)
    refuse_unknown(named, rooms)
    # Who is in the exam and sits another session is refused by the rules.
    refuse_unknown(tickets, everybody)
    return Ask(
        kind,
        timetable.named(known, session).id,
        None if to is None else timetable.named(known, to).id,
        rooms=tuple(rooms[name] for name in named),
        tickets=tuple(tickets),
    )


def _show(effect: dict[str, Any], *, stands: bool) -> None:
    typer.echo(f"{effect['zh']}\n{effect['en']}")
    if stands:
        typer.echo(STANDS)
    table = Table()
    for heading in ("准考证号\nticket", "姓名\nname", "现在\nnow", "改到\nthen"):
        table.add_column(heading, overflow="fold")
    for each in effect["people"]:
        then = f"{each['to_session']} · {each['to_room']} {each['to_seat']}" if "to_session" in each else "—"
        table.add_row(each["ticket"], each["name"], f"{each['session']} · {each['room']} {each['seat']}", then)
    Console().print(table)
    if (more := effect["candidates"] - len(effect["people"])) > 0:
        typer.echo(f"……另有 {more} 人 · and {more} more")
