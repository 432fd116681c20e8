"""``holdfast serve``: the exam server, its options over the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.settings import Settings
from app.supervise import serve as run_server

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="监听地址 · address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="端口 · port")] = None,
    workers: Annotated[int | None, typer.Option(help="进程数 · API processes")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="数据目录 · data directory")] = None,
) -> None:
    """启动考试服务，直到 Ctrl-C 或 SIGTERM；SIGHUP 逐个更换进程，考试不中断。选项优先于环境变量。

    Run the exam server until Ctrl-C or SIGTERM. SIGHUP replaces its processes one by one by those of the code that is
    installed now; nobody notices. Options win over HOLDFAST_* variables.
    """
    given: dict[str, Any] = {"host": host, "port": port, "workers": workers, "data_dir": data_dir}
    run_server(Settings(**{name: value for name, value in given.items() if value is not None}))
