"""The command ``holdfast``: a table of what there is. An area's module is imported only when it is called."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module, metadata
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from app.commands.failures import failure


class Area(NamedTuple):
    """Where a command lives. ``is_group``: it has commands of its own, also when there is only one."""

    module: str
    is_group: bool
    help: str


AREAS: dict[str, Area] = {
    "demo": Area("app.commands.demo", False, "演示考试：一条命令即可运行 · a running exam on this machine"),
    "serve": Area("app.commands.serve", False, "启动考试服务 · run the exam server"),
    "migrate": Area("app.commands.migrate", False, "升级数据库结构 · bring the database to this version"),
    "check": Area("app.commands.check", False, "检查设置与连接 · print the settings and test every connection"),
    "import": Area("app.commands.importing", True, "导入花名册与题库 · import rosters and banks"),
    "photos": Area("app.commands.photos", True, "应考人员照片：导入、缺照片名单 · candidates' photos"),
    "export": Area("app.commands.export", False, "导出考勤、作答、时间等名单 · export lists of the exam"),
    "session": Area("app.commands.session", True, "场次：改期、开考日 · sessions: reschedule, open the day"),
    "time": Area("app.commands.timing", True, "考试时间：暂停、推迟、延长 · pause, postpone, extend, explain"),
    "rounds": Area("app.commands.rounds", True, "轮次：对调、调场、缓考 · rounds: swap, move, defer"),
    "papers": Area("app.commands.papers", True, "抽题组卷 · draw the papers"),
    "staff": Area("app.commands.staff", True, "考务人员账户 · accounts of the staff"),
    "audit": Area("app.commands.audit", True, "审计：日志与作答历史 · the audit log, and the history of an attempt"),
    "lineage": Area("app.commands.lineage", True, "恢复备份后声明新谱系 · after a restore: begin a new lineage"),
    "bench": Area("app.commands.bench", True, "性能测量 · measure this machine"),
}


def load(name: str) -> Any:
    """The command or group of an area, its module imported now."""
    area = AREAS[name]
    app = import_module(area.module).app
    group = get_group(app)
    found = group if area.is_group else next(iter(group.commands.values()))
    found.name = name
    return found


class Areas(TyperGroup):
    """Lists the table without importing what is in it."""

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- the framework's signature
        return list(AREAS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- the framework's signature
        if cmd_name not in AREAS:
            return None
        if self._listing:
            return TyperCommand(cmd_name, help=AREAS[cmd_name].help)
        return load(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


cli = typer.Typer(
    name="holdfast",
    cls=Areas,
    no_args_is_help=True,
    add_completion=False,
    help="Holdfast：断电、断网、换机，都不丢一个答案、一秒时间。 · Holds on to every answer and every second.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(metadata.version("holdfast-exam"))
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="版本 · the version")
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="出错时显示完整调用栈 · show where an internal error came from")
    ] = False,
) -> None:
    """Options that stand before the command; ``--traceback`` is read in ``main``, which also sees what fails early."""


def main() -> None:
    """Run the command line; every failure ends in one sentence per language on stderr and an exit code that is not 0.

    Exit codes: 1 something checked is not well, 2 refused or wrongly called, 70 an error of ours, 130 Ctrl-C.
    """
    try:
        get_command(cli)(prog_name="holdfast")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 -- the outermost edge: what is not known here is said to be unexpected
        if "--traceback" in sys.argv[1:]:
            traceback.print_exc()
        said = failure(error)
        print(said, file=sys.stderr)
        sys.exit(said.exit_code)


if __name__ == "__main__":
    main()
