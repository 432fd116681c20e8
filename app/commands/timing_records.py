"""holdfast time lift, approve, withdraw: decisions that lift the cap, which two people make, each with a password."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from app.commands import timing_work as work
from app.commands.service import moment, with_service
from app.commands.timing_options import Buildings, By, Exam, Piped, Rooms, Session, Tickets, Whole
from app.commands.timing_work import Meant
from app.services import time_decision_records
from app.services.site import Site
from app.services.staff_requests import Done
from app.storage.postgres.staff import Login

Record = Annotated[int, typer.Argument(metavar="DECISION", help="决定编号，见 show · the decision's number, see show")]


def lift(
    session: Session,
    limit: Annotated[str, typer.Argument(metavar="LIMIT", help="新的上限，分钟 · the new limit in minutes")],
    *, by: By, number: Annotated[str, typer.Option(help="决定文号 · the decision's number")],
    text: Annotated[str, typer.Option(help="决定内容 · what was decided")],
    site: Whole = False, buildings: Buildings = "", rooms: Rooms = "", tickets: Tickets = "", exam: Exam = None,
    password_stdin: Piped = False,
) -> None:  # fmt: skip
    """提出放宽 60 分钟上限的决定，由另一人批准；须输入密码 · propose to lift the cap; a second person approves."""
    meant, limit_ms = Meant(exam, session, site, buildings, rooms, tickets), work.length_ms(limit)

    async def propose(site: Site, conn: AsyncConnection, login: Login, now_ms: int) -> Done:
        scope = await work.scope_of(conn, meant)
        return await time_decision_records.propose(
            site, conn, login, scope, number=number, words=text, limit_ms=limit_ms, now_ms=now_ms,
            through=work.THROUGH,
        )  # fmt: skip

    decision = _by_password("lift", by, propose, piped=password_stdin)
    typer.echo(f"已提出第 {decision['id']} 号决定，待另一人批准：holdfast time approve {decision['id']} --by …")
    typer.echo(f"Decision {decision['id']} waits for a second person.")


def approve(decision: Record, *, by: By, password_stdin: Piped = False) -> None:
    """由另一人批准决定，须输入其密码 · the second person approves, with their password."""

    async def do(_: Site, conn: AsyncConnection, login: Login, now_ms: int) -> Done:
        return await time_decision_records.approve(conn, login, decision, now_ms=now_ms, through=work.THROUGH)

    _by_password("approve", by, do, piped=password_stdin)
    typer.echo(f"第 {decision} 号决定已批准。\nDecision {decision} is approved.")


def withdraw(decision: Record, *, by: By, password_stdin: Piped = False) -> None:
    """撤回尚未批准的决定，须输入密码 · take back a decision that nobody has approved."""

    async def do(_: Site, conn: AsyncConnection, login: Login, _now_ms: int) -> Done:
        return await time_decision_records.withdraw(conn, login, decision, through=work.THROUGH)

    _by_password("withdraw", by, do, piped=password_stdin)
    typer.echo(f"第 {decision} 号决定已撤回。\nDecision {decision} is withdrawn.")


def _by_password(
    name: str, by: str, do: Callable[[Site, AsyncConnection, Login, int], Awaitable[Done]], *, piped: bool
) -> dict[str, Any]:
    """Do it in the name of whoever proves to be there; the decision as it is then."""
    typed = work.password(by, piped=piped)

    async def run(site: Site) -> dict[str, Any]:
        async with moment(site):
            now_ms = site.service_time.now_ms()
            async with site.engine.connect() as conn:
                login = await work.proven(conn, by, typed)
            return await work.once(site, login, name, lambda conn: do(site, conn, login, now_ms), now_ms)

    decision: dict[str, Any] = with_service(run)["decision"]
    return decision


COMMANDS: dict[str, Callable[..., None]] = {"lift": lift, "approve": approve, "withdraw": withdraw}
