"""``holdfast check``: the settings as a table, and what was found."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.check.run import Report
from app.check.run import check as run_check
from app.reference import SettingRow
from app.settings import Settings

app = typer.Typer()
_MARK = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "fail": "[red]✗[/]"}


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="供程序读取 · for programs")] = False,
) -> None:
    """列出设置（口令已隐去），测试数据库与缓存的连接，并说明如何修复。

    Print the settings with secrets masked, test every connection, and say what to mend.
    Exit code 1 when something is wrong that would put an exam at risk.
    """
    report = run_check(Settings())
    if as_json:
        print(json.dumps({"ok": report.ok, **asdict(report)}, ensure_ascii=False))
    else:
        _show(report, Console())
    if not report.ok:
        raise typer.Exit(1)


def _show(report: Report, console: Console) -> None:
    table = Table(title="设置 · settings", title_justify="left", show_edge=False)
    table.add_column("")
    table.add_column("变量 · variable", no_wrap=True)
    table.add_column("值 · value", overflow="fold")
    for row in report.settings:
        table.add_row("●" if row.is_set else "", row.variable, _value(row))
    console.print(table)
    console.print("[dim]● 已设置，其余为默认值 · set by you, the others are defaults[/]\n")
    for finding in report.findings:
        console.print(f"{_MARK[finding.level]} {escape(finding.zh)}", highlight=False)
        console.print(f"  [dim]{escape(finding.en)}[/]", highlight=False)
    console.print()
    if report.ok:
        console.print("[green]可以开考。[/] Ready.")
    else:
        console.print("[red]请先修复标 ✗ 的项目。[/] Mend what is marked ✗ first.")


def _value(row: SettingRow) -> str:
    if row.value:
        return escape(row.value)
    return "[dim]内置 · embedded[/]" if row.variable.endswith("_URL") else "[dim]—[/]"
