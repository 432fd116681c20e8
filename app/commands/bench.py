"""``holdfast bench``: what this machine does, as ratios against something measured in the same run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from app.bench.checkpoint import Level

app = typer.Typer(no_args_is_help=True, help="性能测量 · measure this machine")
console = Console()


@app.command()
def checkpoint(
    connections: Annotated[
        str, typer.Option(help="并发连接数，逗号分隔 · connections, comma-separated")
    ] = "1,16,64,256",
    pairs: Annotated[int, typer.Option(min=1, help="每级轮数 · alternating rounds per level")] = 5,
    seconds: Annotated[float, typer.Option(min=0.2, help="每次秒数 · seconds per measurement")] = 3.0,
    stores: Annotated[
        str,
        typer.Option(help="both、redis-away、postgres-away，逗号分隔 · both stores, or one of them stopped"),
    ] = "both,redis-away,postgres-away",
    write: Annotated[
        Path | None, typer.Option(help="结果追加到此文件 · append the tables to this Markdown file")
    ] = None,
) -> None:
    """每秒保存点与空接口之比，以及缺少任一存储时的情形 · checkpoints/s against the app's own empty endpoint.

    With both stores, with Redis gone and with PostgreSQL gone; beside it the batch statement alone, and the CPU time
    that each process spends on one request.
    """
    from app.bench.checkpoint import CONDITIONS, machine, run  # noqa: PLC0415 -- heavy, and only this command needs it
    from app.settings import settings  # noqa: PLC0415

    chosen = {one.strip() for one in stores.split(",")}
    if not chosen <= set(CONDITIONS):
        raise typer.BadParameter(", ".join(CONDITIONS), param_hint="--stores")
    try:
        measured = run(
            settings(), levels=[int(one) for one in connections.split(",")], pairs=pairs, seconds=seconds,
            say=console.print, conditions=[one for one in CONDITIONS if one in chosen],
        )  # fmt: skip
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from fault
    rates = [_rates(one) for one in measured]
    spent = [_cpu(one) for one in measured]
    _show("checkpoints", RATES, rates)
    _show("CPU, µs per request", CPU, spent)
    if write is not None:
        head = (
            f"\n### `holdfast bench checkpoint`, {datetime.now(UTC):%Y-%m-%d}\n\n{machine()}; median of {pairs}"
            f" alternating rounds of {seconds:g} s, client on the same cores.\n"
        )
        with write.open("a", encoding="utf-8") as file:
            file.write(f"{head}\n{_markdown(RATES, rates)}\nCPU, µs per request:\n\n{_markdown(CPU, spent)}")
    if any(one.failures for one in measured):
        raise typer.Exit(1)


RATES = (
    "stores", "connections", "checkpoints/s", "empty/s", "bare ASGI/s", "statement alone/s", "to empty", "to bare",
    "p50 ms", "p99 ms", "failures",
)  # fmt: skip
CPU = (
    "stores", "connections", "API", "PostgreSQL", "Redis", "worker", "client", "checkpoint", "empty",
    "empty : checkpoint",
)  # fmt: skip


def _rates(one: Level) -> tuple[str, ...]:
    alone = "–" if one.alone is None else f"{one.alone:.0f}"
    return (
        one.stores, str(one.connections), f"{one.written:.0f}", f"{one.empty:.0f}", f"{one.bare:.0f}", alone,
        f"{one.ratio:.2f}", f"{one.of_bare:.2f}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}", str(one.failures),
    )  # fmt: skip


def _cpu(one: Level) -> tuple[str, ...]:
    by_role = [f"{one.cpu[role]:.0f}" for role in ("api", "postgres", "redis", "worker", "client")]
    totals = (f"{sum(one.cpu.values()):.0f}", f"{sum(one.cpu_empty.values()):.0f}", f"{one.cpu_ratio:.2f}")
    return (one.stores, str(one.connections), *by_role, *totals)


def _show(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    table = Table(title=title)
    for at, name in enumerate(head):
        # A narrow screen may break a heading, never a figure.
        table.add_column(name, justify="right", overflow="fold", min_width=max(len(row[at]) for row in rows))
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _markdown(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---:",) * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


@app.command()
def push(
    streams: Annotated[int, typer.Option(min=1, help="打开的页面数 · open event streams")] = 1880,
    rounds: Annotated[int, typer.Option(min=1, help="轮数 · pauses")] = 5,
    write: Annotated[
        Path | None, typer.Option(help="结果追加到此文件 · append the table to this Markdown file")
    ] = None,
) -> None:
    """全场暂停送达最后一个页面的时间 · from the commit of a pause to the last open page, against a bare fan-out."""
    from app.bench.checkpoint import machine  # noqa: PLC0415 -- heavy, and only this command needs it
    from app.bench.push import run  # noqa: PLC0415
    from app.settings import settings  # noqa: PLC0415

    try:
        measured = run(settings(), count=streams, rounds=rounds, say=console.print)
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from fault
    row = (
        str(measured.streams), str(len(measured.rounds)), f"{measured.median('last'):.0f}", f"{measured.worst:.0f}",
        f"{measured.median('middle'):.0f}", f"{measured.median('first'):.0f}", f"{measured.median('bare'):.0f}",
        f"{measured.ratio:.1f}", f"{measured.median('decided'):.0f}", str(measured.lost),
    )  # fmt: skip
    _show("push", PUSH, [row])
    if write is not None:
        head = f"\n### `holdfast bench push`, {datetime.now(UTC):%Y-%m-%d}\n\n{machine()}; client on the same cores.\n"
        with write.open("a", encoding="utf-8") as file:
            file.write(f"{head}\n{_markdown(PUSH, [row])}")
    if measured.lost:
        raise typer.Exit(1)


PUSH = (
    "streams", "rounds", "last ms", "worst ms", "half ms", "first ms", "bare last ms", "ratio", "click to commit ms",
    "streams lost",
)  # fmt: skip


@app.command()
def watch(
    candidates: Annotated[int, typer.Option(min=1, help="作答人数 · candidates who answer")] = 1880,
    pages: Annotated[int, typer.Option(min=1, help="打开的监考与考务页面数 · open staff pages")] = 81,
    rounds: Annotated[int, typer.Option(min=1, help="轮数 · rounds, each without and with the pages")] = 3,
    seconds: Annotated[float, typer.Option(min=1, help="每次秒数 · seconds per half of a round")] = 20.0,
    write: Annotated[
        Path | None, typer.Option(help="结果追加到此文件 · append the table to this Markdown file")
    ] = None,
) -> None:
    """监考与考务页面的开销 · what the staff's open pages cost while everybody's heartbeats come in, in CPU time.

    Against the same server without the pages, in alternating halves of each round.
    """
    from app.bench.checkpoint import machine  # noqa: PLC0415 -- heavy, and only this command needs it
    from app.bench.watch import run  # noqa: PLC0415
    from app.settings import settings  # noqa: PLC0415

    try:
        measured = run(
            settings(), candidates=candidates, pages=pages, rounds=rounds, seconds=seconds, say=console.print
        )
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from fault
    row = (
        str(measured.candidates), f"{measured.room_pages} + {measured.hall_pages}", str(len(measured.rounds)),
        f"{measured.silent:.1f}", f"{measured.median('cost'):.1f}", f"{measured.median('without'):.1f}",
        f"{measured.median('cost') / measured.median('without'):.2f}", f"{measured.median('events'):.0f}",
        f"{measured.median('kilobytes'):.0f}", f"{measured.median('asked_ms'):.0f}",
        f"{measured.median('beats'):.0f}", str(measured.failures),
    )  # fmt: skip
    _show("watch", WATCH, [row])
    if write is not None:
        head = f"\n### `holdfast bench watch`, {datetime.now(UTC):%Y-%m-%d}\n\n{machine()}; client on the same cores.\n"
        with write.open("a", encoding="utf-8") as file:
            file.write(f"{head}\n{_markdown(WATCH, [row])}")


WATCH = (
    "candidates", "pages: room + hall", "rounds", "silent hall, % of a core", "cost, % of a core",
    "without, % of a core", "ratio", "events/s", "kB/s", "GET hall ms", "heartbeats/s", "failures",
)  # fmt: skip


@app.command()
def draw(
    candidates: Annotated[int, typer.Option(min=2, help="人数 · candidates")] = 1880,
    items: Annotated[int, typer.Option(min=1, help="每卷题数 · items per paper")] = 100,
    sessions: Annotated[int, typer.Option(min=1, max=3, help="场次数 · sessions")] = 1,
) -> None:
    """一个场次抽题组卷的时间 · how long the papers of a session take."""
    from app.bench.draw import bench  # noqa: PLC0415 -- heavy, and only this command needs it
    from app.settings import settings  # noqa: PLC0415

    with console.status("…") as status:
        results = bench(
            settings(), candidates=candidates, items=items, sessions=sessions,
            progress=lambda stage, done, total: status.update(f"{stage} {done}/{total}"),
        )  # fmt: skip
    for number, one in enumerate(results, start=1):
        console.print(
            f"session {number}: {candidates} papers × {items} items in {one.total_s:.1f} s;"
            f" json + gzip alone {one.plain_s:.1f} s; ratio {one.ratio:.1f}"
        )


@app.command()
def export(
    candidates: Annotated[int, typer.Option(min=2, help="人数 · candidates")] = 1880,
    items: Annotated[int, typer.Option(min=1, help="每卷题数 · items per paper")] = 100,
) -> None:
    """导出一个场次的时间，与 COPY 同样的行相比 · a session's lists, against COPY of the same rows."""
    from app.bench.export import bench  # noqa: PLC0415 -- heavy, and only this command needs it
    from app.settings import settings  # noqa: PLC0415

    with console.status("…") as status:
        results = bench(settings(), candidates=candidates, items=items, say=status.update)
    rows: list[tuple[str, ...]] = [
        (
            f"{one.kind} .{one.form}", str(one.rows), f"{one.total_s:.2f}", f"{one.rows / one.total_s:.0f}",
            f"{one.rows / one.plain_s:.0f}", f"{one.ratio:.1f}", f"{one.size / 1e6:.1f}",
        )
        for one in results
    ]  # fmt: skip
    _show("exports", EXPORTS, rows)


EXPORTS = ("list", "rows", "s", "rows/s", "COPY rows/s", "times COPY", "MB")
