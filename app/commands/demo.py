"""``holdfast demo``: one command, a running exam."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.demo.people import CANDIDATES, SEATS
from app.demo.refusals import DemoRefused
from app.demo.run import Options, run

app = typer.Typer()
LEAST = 2 * SEATS


@app.command()
def demo(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口（0：任意空闲端口） · port, 0 for any")] = 8080,
    data_dir: Annotated[Path, typer.Option(help="数据目录 · where it keeps its data")] = Path(".holdfast/demo"),
    simulate: Annotated[int, typer.Option(min=0, help="模拟作答的人数 · candidates who answer by themselves")] = 60,
    workers: Annotated[int, typer.Option(min=1, max=64, help="服务进程数 · API processes")] = 2,
    fresh: Annotated[bool, typer.Option("--fresh", help="清除后重新开始 · wipe this demo and begin anew")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="就绪后在标准输出打印一行 JSON · one line of JSON when ready")
    ] = False,
    candidates: Annotated[int, typer.Option(hidden=True)] = CANDIDATES,
) -> None:
    """演示考试：内置数据库、自编题库和虚构的应考人员，第一场已经开考。

    A running exam on this machine, with its own stores, bank and invented candidates; session 1 has already begun.
    Ctrl-C stops it, and starting it again goes on where it was.
    """
    if candidates < LEAST:
        raise DemoRefused("demo-too-few-candidates", least=LEAST)
    run(
        Options(
            port=port,
            data_dir=data_dir,
            simulate=simulate,
            workers=workers,
            fresh=fresh,
            json=json,
            candidates=candidates,
        )
    )
