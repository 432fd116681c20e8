"""holdfast staff: accounts of the staff."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from app.commands.database import with_engine
from app.domain.roles import Role
from app.services import staff_accounts
from app.settings import settings
from app.storage.postgres import staff as accounts

app = typer.Typer(no_args_is_help=True, help="考务人员账户 · accounts of the staff")
Username = Annotated[str, typer.Argument(help="用户名 · the username")]


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("密码 · password", hide_input=True, confirmation_prompt=True))


def _split(names: str) -> list[str]:
    return [part.strip() for part in names.replace("，", ",").split(",") if part.strip()]


@app.command()
def add(
    username: Username,
    *,
    role: Annotated[Role, typer.Option(help="角色 · the role")],
    name: Annotated[str, typer.Option(help="姓名 · the person's name")],
    rooms: Annotated[str, typer.Option(help="负责的考室，以逗号分隔 · rooms, separated by commas")] = "",
    exam: Annotated[str | None, typer.Option(help="考试代码（考室名重复时） · the exam's code")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="从标准输入读密码 · read the password from standard input")
    ] = False,
) -> None:
    """新建账户 · add an account."""
    names = _split(rooms)
    password = _password(password_stdin)

    async def work(engine: AsyncEngine) -> None:
        async with engine.begin() as conn:
            room_ids = await staff_accounts.room_ids_named(conn, names, exam_code=exam)
            await staff_accounts.create(
                conn, username=username, name=name, role=role, password=password, room_ids=room_ids, must_change=True
            )

    with_engine(settings(), work)
    typer.echo(
        f"已新建账户 {username}（{role}），首次登录时须改密码。\n"
        f"Added {username} ({role}); the password has to be changed at the first sign-in."
    )
    if staff_accounts.needs_rooms(role) and not names:
        typer.echo(
            "注意：该账户尚未分配考室，登录后看不到任何考室。\n"
            "Note: no room is assigned to this account; it will see none.",
            err=True,
        )


@app.command("list")
def list_accounts() -> None:
    """列出账户 · list the accounts."""

    async def work(engine: AsyncEngine) -> list[tuple[accounts.Account, int, int]]:
        async with engine.connect() as conn:
            return await accounts.accounts(conn)

    table = Table()
    for heading in ("用户名 username", "姓名 name", "角色 role", "考室 rooms", "登录 logins", "状态 state"):
        table.add_column(heading)
    for account, rooms, live in with_engine(settings(), work):
        state = "停用 disabled" if account.disabled else "演示 demo" if account.is_demo else "正常 active"
        reach = str(rooms) if staff_accounts.needs_rooms(account.role) else "全部 all"
        table.add_row(account.username, account.name, account.role, reach, str(live), state)
    Console().print(table)


def _end(username: str, *, disable: bool) -> int:
    async def work(engine: AsyncEngine) -> int:
        async with engine.begin() as conn:
            return await staff_accounts.revoke(conn, username, disable=disable)

    return with_engine(settings(), work)


@app.command()
def revoke(username: Username) -> None:
    """注销该账户的全部登录 · end every login of an account."""
    ended = _end(username, disable=False)
    typer.echo(f"已注销 {username} 的 {ended} 个登录。\nEnded {ended} logins of {username}.")


@app.command()
def disable(username: Username) -> None:
    """停用账户并注销其登录 · disable an account and end its logins."""
    ended = _end(username, disable=True)
    typer.echo(f"已停用 {username}，注销 {ended} 个登录。\nDisabled {username}, ended {ended} logins.")


@app.command()
def enable(username: Username) -> None:
    """重新启用账户 · let a disabled account sign in again."""

    async def work(engine: AsyncEngine) -> None:
        async with engine.begin() as conn:
            await staff_accounts.enable(conn, username)

    with_engine(settings(), work)
    typer.echo(f"已启用 {username}。\nEnabled {username}.")


@app.command()
def password(
    username: Username,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="从标准输入读密码 · read the password from standard input")
    ] = False,
) -> None:
    """更换密码并注销其登录 · set a new password and end the account's logins."""
    chosen = _password(password_stdin)

    async def work(engine: AsyncEngine) -> int:
        async with engine.begin() as conn:
            return await staff_accounts.set_password(conn, username, chosen)

    ended = with_engine(settings(), work)
    typer.echo(
        f"已更换 {username} 的密码，注销 {ended} 个登录；下次登录时须改密码。\n"
        f"Changed the password of {username}, ended {ended} logins; it has to be changed at the next sign-in."
    )


@app.command("rooms")
def set_rooms(
    username: Username,
    rooms: Annotated[str, typer.Argument(help="考室，以逗号分隔 · rooms, separated by commas")],
    exam: Annotated[str | None, typer.Option(help="考试代码 · the exam's code")] = None,
) -> None:
    """改派考室 · give an account other rooms."""
    names = _split(rooms)

    async def work(engine: AsyncEngine) -> None:
        async with engine.begin() as conn:
            room_ids = await staff_accounts.room_ids_named(conn, names, exam_code=exam)
            await staff_accounts.assign(conn, username, room_ids)

    with_engine(settings(), work)
    typer.echo(f"{username} 现负责：{'、'.join(names) or '无'}。\n{username} now has: {', '.join(names) or 'no room'}.")
