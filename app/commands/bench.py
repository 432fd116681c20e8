"""``holdfast bench``: what this machine does, as ratios against something measured in the same run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(no_args_is_help=True, help="性能测量 · measure this machine")
console = Console()


@app.command()
def checkpoint(
    connections: Annotated[
        str, typer.Option(help="并发连接数，逗号分隔 · connections, comma-separated")
    ] = "1,16,64,256",
    pairs: Annotated[int, typer.Option(min=1, help="每级轮数 · alternating rounds per level")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="每次秒数 · seconds per measurement")] = 3.0,
    write: Annotated[
        Path | None, typer.Option(help="结果追加到此文件 · append the table to this Markdown file")
    ] = None,
) -> None:
    """每秒持久保存点与空接口之比 · durable checkpoints/s against the app's own empty endpoint."""
    from app.bench.checkpoint import machine, run  # noqa: PLC0415 -- heavy, and only this command needs it
    from app.settings import settings  # noqa: PLC0415

    levels = [int(one) for one in connections.split(",")]
    measured = run(settings(), levels=levels, pairs=pairs, seconds=seconds, say=console.print)
    table = Table(title="durable checkpoints")
    head = (
        "connections",
        "durable/s",
        "empty/s",
        "bare ASGI/s",
        "durable : empty",
        "durable : bare",
        "p50 ms",
        "p99 ms",
    )
    for name in (*head, "failures"):
        table.add_column(name, justify="right")
    rows = [
        (
            str(one.connections), f"{one.durable:.0f}", f"{one.empty:.0f}", f"{one.bare:.0f}", f"{one.ratio:.2f}",
            f"{one.of_bare:.2f}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}", str(one.failures),
        )
        for one in measured
    ]  # fmt: skip
    for row in rows:
        table.add_row(*row)
    console.print(table)
    if write is not None:
        lines = [
            f"\n### `holdfast bench checkpoint`, {datetime.now(UTC):%Y-%m-%d}",
            f"\n{machine()}; median of {pairs} alternating rounds of {seconds:g} s, client on the same cores.\n",
            "| " + " | ".join((*head, "failures")) + " |",
            "|" + " ---: |" * 9,
            *("| " + " | ".join(row) + " |" for row in rows),
        ]
        with write.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    if any(one.failures for one in measured):
        raise typer.Exit(1)


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
