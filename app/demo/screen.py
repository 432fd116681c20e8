"""What the demo shows: its steps with their times, then where to go and who may sign in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.demo.accounts import ACCOUNTS, ROLE_NAMES
from app.demo.day import SessionClock
from app.demo.people import Person
from app.domain.clock import duration_text

Say = Callable[[str], None]


class Screen:
    """Steps go to standard error, the panel to standard output unless that carries JSON."""

    def __init__(self, *, json_on_stdout: bool) -> None:
        self._steps = Console(stderr=True, highlight=False)
        self._panel = self._steps if json_on_stdout else Console(highlight=False)

    @contextmanager
    def step(self, zh: str, en: str) -> Iterator[Say]:
        """One step; the value is a function that says how far it is."""
        began = time.monotonic()
        title = f"{zh} · {en}"
        with self._steps.status(title) as status:
            yield lambda detail: status.update(f"{title}  {detail}")
        self._steps.print(f"  [green]✓[/green] {title}  [dim]{time.monotonic() - began:.1f} s[/dim]")

    def say(self, zh: str, en: str) -> None:
        self._steps.print(f"  {zh} · {en}")

    def ready(
        self,
        *,
        url: str,
        people: Sequence[Person],
        sessions: Sequence[SessionClock],
        simulated: int,
        data_dir: Path,
        took_s: float,
    ) -> None:
        where = Table.grid(padding=(0, 2))
        where.add_row("考生端 Candidates", Text(url + "/", style="bold cyan"))
        where.add_row("监考端 Console", Text(url + "/console", style="bold cyan"))
        for session in sessions:
            where.add_row(session.name, told(session))
        if simulated:
            where.add_row("模拟考生 Simulated", f"{simulated} 人正在作答 · candidates answer at human pace")
        where.add_row("数据目录 Data", str(data_dir))
        last = Text.from_markup(
            "Ctrl-C 停止；再次运行即从原处继续，考试时钟不走；[bold]--fresh[/bold] 重新开始。\n"
            "Ctrl-C stops everything; run it again to go on with clocks unmoved; [bold]--fresh[/bold] begins anew.",
            style="dim",
        )
        self._panel.print(
            Panel(
                Group(where, Text(), _candidates(people), _staff(people), last),
                title=f"Holdfast 演示考试 · demo exam  [dim]{took_s:.0f} s[/dim]",
                border_style="green",
                padding=(1, 2, 0, 2),
                expand=False,
            )
        )


def told(session: SessionClock) -> str:
    """The state of a session in a few words."""
    if session.starts_in_ms is None:
        return "等待考务办公室 · waits for the office"
    if session.starts_in_ms > 0:
        length = duration_text(session.starts_in_ms)
        return f"{length} 后开始 · starts in {length}"
    if session.remaining_ms > 0:
        length = duration_text(session.remaining_ms)
        return f"进行中，剩余 {length} · running, {length} left"
    return "已结束（--fresh 重新开始） · over (--fresh begins anew)"


def _candidates(people: Sequence[Person]) -> Table:
    table = _table("考生登录 · sign in as one of these candidates")
    for zh, en in (
        ("准考证号", "ticket"),
        ("证件后六位", "ID digits"),
        ("姓名", "name"),
        ("考室", "room"),
        ("机位", "seat"),
    ):
        table.add_column(f"{zh}\n{en}", no_wrap=True)
    for person in people:
        table.add_row(person.ticket, person.id_tail, person.name, person.room, str(person.seat))
    return table


def _staff(people: Sequence[Person]) -> Table:
    table = _table("考务登录 · staff")
    for zh, en in (("角色", "role"), ("用户名", "username"), ("密码", "password")):
        table.add_column(f"{zh}\n{en}", no_wrap=True)
    for account in ACCOUNTS:
        where = f"（{people[0].room}）" if account.role == "invigilator" and people else ""
        table.add_row(ROLE_NAMES[account.role] + where, account.username, account.password)
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
