"""What an import did or would do, for people: a sentence, then the differences."""

from __future__ import annotations

import sys

import typer

from app.services.changes import ACTIONS, SUBJECTS, Outcome

# The rest is in the JSON report.
LINES_SHOWN = 60

_SENTENCES: dict[str, tuple[str, str]] = {
    "imported": ("已导入考试“{name}”（{code}）。", "Imported into the exam “{name}” ({code})."),
    "unchanged": (
        "考试“{name}”（{code}）与文件完全一致，无需导入。",
        "The exam “{name}” ({code}) is exactly what the file says; there was nothing to do.",
    ),
    "would-import": ("将导入考试“{name}”（{code}）。", "Would be imported into the exam “{name}” ({code})."),
    "would-change": (
        "文件与考试“{name}”（{code}）已导入的内容有 {count} 处不同，没有修改；确认后加 --apply-changes 重新运行。",
        "The file differs from the exam “{name}” ({code}) in {count} places; apply them with --apply-changes.",
    ),
    "changed": (
        "已按文件修改考试“{name}”（{code}），共 {count} 处。",
        "The exam “{name}” ({code}) was changed in {count} places.",
    ),
    "blocked": (
        "文件与考试“{name}”（{code}）有 {count} 处不同，其中有不能修改的，因此什么也没有修改：",
        "The file differs from the exam “{name}” ({code}) in {count} places, some of them fixed; nothing was changed:",
    ),
}


def print_outcome(outcome: Outcome) -> None:
    """The differences on stdout; the sentence there too, or on stderr with its code where nothing was done."""
    if outcome.state in ("would-change", "changed", "blocked"):
        _print_changes(outcome)
    zh, en = _SENTENCES[outcome.state]
    said = {"name": outcome.exam_name, "code": outcome.exam_code, "count": len(outcome.changes)}
    lines = [zh.format_map(said), en.format_map(said)]
    refused = outcome.state in ("would-change", "blocked")
    if refused:
        lines += [f"  {line}" for blocked in outcome.blocked[:LINES_SHOWN] for line in blocked.line()]
        if len(outcome.blocked) > LINES_SHOWN:
            lines.append(f"  …… {len(outcome.blocked) - LINES_SHOWN} 处未列出 / more")
        lines.append("[import-blocked]" if outcome.state == "blocked" else "[import-differs]")
    else:
        lines += [line for note in outcome.notes for line in note]
    print("\n".join(lines), file=sys.stderr if refused else sys.stdout)


def _print_changes(outcome: Outcome) -> None:
    for kind, count in outcome.summary().items():
        action, subject = kind.split(" ")
        typer.echo(f"{ACTIONS[action][0]}{SUBJECTS[subject][0]} {count} · {action} {SUBJECTS[subject][1]}: {count}")
    for change in outcome.changes[:LINES_SHOWN]:
        zh, en = change.line()
        typer.echo(f"  {zh}\n    {en}")
    more = len(outcome.changes) - LINES_SHOWN
    if more > 0:
        typer.echo(f"  …… 还有 {more} 处，用 --json 查看全部 / {more} more, all of them with --json")
    for zh, en in outcome.notes:
        typer.echo(f"  {zh}\n    {en}")
