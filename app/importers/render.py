"""A report as people read it: a table on a terminal, lines of text anywhere else. Chinese first, English below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.importers.faults import Fault, Report

# Notes are shown by kind with a few places each; the JSON report has every one.
PLACES_SHOWN = 5

_COUNT_NAMES = {
    "candidates": ("应考人员", "candidates"),
    "allocations": ("编排", "allocations"),
    "sessions": ("场次", "sessions"),
    "buildings": ("楼宇", "buildings"),
    "rooms": ("考室", "rooms"),
    "seats": ("机位", "seats"),
    "spare_seats": ("备用机位", "spare seats"),
    "items": ("试题", "items"),
    "single": ("单选", "single"),
    "multiple": ("多选", "multiple"),
    "true_false": ("判断", "true/false"),
    "blank": ("填空", "fill-in"),
    "text": ("简答", "text"),
    "media": ("图片", "pictures"),
}


def headline(report: Report) -> tuple[str, str]:
    """The outcome in one sentence, in Chinese and English."""
    if not report.ok:
        count = report.fault_count
        faults = "1 fault" if count == 1 else f"{count:,} faults"
        return (
            f"“{report.file}”有 {count} 处错误，没有导入任何内容；请按下列说明改正后重新导入。",
            f"“{report.file}” has {faults}; nothing was imported. Mend what is listed and import again.",
        )
    zh = "，".join(f"{_COUNT_NAMES[key][0]} {count}" for key, count in report.counts.items() if count)
    en = ", ".join(f"{count:,} {_COUNT_NAMES[key][1]}" for key, count in report.counts.items() if count)
    return f"“{report.file}”没有错误：{zh}。", f"“{report.file}” has no faults: {en}."


def fault_line(fault: Fault) -> str:
    """'考场编排!E8 身份证号“…”：校验码不对…。改法：….' with the English below it."""
    place = fault.place
    value = f"“{fault.shown}”" if fault.shown else ""
    row = f"第 {place.row} 行" if place.row else ""
    where_zh = " ".join(filter(None, (place.reference, row, f"{place.column}{value}")))
    where_en = " ".join(filter(None, (f"row {place.row}" if place.row else "", place.column, fault.shown)))
    what, mend = fault.what, fault.mend
    return (
        f"[{fault.code}] {where_zh}：{what.zh}。改法：{mend.zh}。\n"
        f"    {where_en}{': ' if where_en else ''}{what.en}. To mend: {mend.en}."
    )


def note_lines(report: Report) -> Iterator[str]:
    """One line per kind of note: how many, what, where the first ones are."""
    for code, notes in report.notes_by_code().items():
        what = notes[0].what
        yield f"[{code}] {what.zh}：{len(notes)} 处（{_places(notes)}） / {what.en}: {len(notes)}"


def _places(notes: Sequence[Fault]) -> str:
    shown = [note.place.reference for note in notes[:PLACES_SHOWN]]
    return "、".join(shown) + ("……" if len(notes) > PLACES_SHOWN else "")


def text(report: Report) -> str:
    """The report as plain text: every fault, then notes by kind; '' where there is neither."""
    lines = [fault_line(fault) for fault in report.faults]
    notes = list(note_lines(report))
    if notes:
        lines += ["已自动处理或请留意 / put right or worth a look:", *(f"  {line}" for line in notes)]
    return "\n".join(lines)


def table(report: Report) -> RenderableType:
    """The report for a terminal: a table of faults, one of notes."""
    parts: list[RenderableType] = []
    if not report.ok:
        parts.append(_fault_table(report))
    if report.notes:
        parts.append(_note_table(report))
    return Group(*parts)


def _fault_table(report: Report) -> Table:
    grid = Table(box=ROUNDED, show_lines=True, title="错误 / Faults", title_justify="left", title_style="bold")
    for header, style, wrap in (
        ("工作表\nSheet", "cyan", True),
        ("行\nRow", "cyan", False),
        ("列\nColumn", "cyan", True),
        ("值\nValue", "yellow", True),
        ("问题\nWhat is wrong", "", True),
        ("改法\nHow to mend it", "", True),
    ):
        grid.add_column(header, style=style, no_wrap=not wrap, overflow="fold")
    for fault in report.faults:
        place, what, mend = fault.place, fault.what, fault.mend
        column = f"{place.column} {place.cell}".strip() if place.column else place.cell
        grid.add_row(
            Text(place.sheet),
            Text(str(place.row or "")),
            Text(column),
            Text(fault.shown),
            Text.assemble(what.zh, "\n", (what.en, "dim")),
            Text.assemble(mend.zh, "\n", (mend.en, "dim")),
        )
    return grid


def _note_table(report: Report) -> Table:
    grid = Table(box=ROUNDED, title="已自动处理或请留意 / Put right or worth a look", title_justify="left")
    grid.add_column("说明\nWhat", overflow="fold")
    grid.add_column("处\nCount", justify="right")
    grid.add_column("位置\nWhere", overflow="fold", style="cyan")
    grid.add_column("例\nExample", overflow="fold", style="yellow")
    for notes in report.notes_by_code().values():
        what, first = notes[0].what, notes[0]
        example = f"{first.shown} → {first.shown_after}" if first.shown_after else first.shown
        grid.add_row(
            Text.assemble(what.zh, "\n", (what.en, "dim")), str(len(notes)), Text(_places(notes)), Text(example)
        )
    return grid
