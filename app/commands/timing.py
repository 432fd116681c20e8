"""holdfast time: pause, postpone, extend, credit, end, reopen, and why an end is what it is.

For the day the console cannot be reached: the same decisions with the same effect shown, confirmed once. The stores
are enough: where the service does not run its clock stands, and the decision is made at that instant.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.commands import timing_looks, timing_proposals, timing_records
from app.commands import timing_work as work
from app.commands.timing_options import (
    Buildings,
    By,
    Decision,
    Exam,
    Incident,
    Json,
    Length,
    Note,
    Reason,
    Rooms,
    Session,
    Tickets,
    Whole,
    Yes,
)
from app.commands.timing_work import Meant, Wanted
from app.domain.adjustments import Change, Kind, Scope

app = typer.Typer(no_args_is_help=True, help="考试时间：暂停、推迟、延长、补时 · time: pause, postpone, extend, credit")
NOBODY = Scope(0, "site")


@app.command()
def pause(
    session: Session, *, by: By, reason: Reason, site: Whole = False, buildings: Buildings = "", rooms: Rooms = "",
    tickets: Tickets = "",
    since: Annotated[str, typer.Option(help="从何时起，如 09:12:40 · since when, like 09:12:40")] = "",
    note: Note = "", incident: Incident = "", exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """暂停：不计时，页面停止作答 · pause: clocks stand and the questions are covered."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("pause", reason, note, incident)
    work.decide(Wanted(meant, change, begins=since), by, yes=yes, as_json=as_json)


@app.command()
def resume(
    session: Session, *, by: By, site: Whole = False, buildings: Buildings = "", rooms: Rooms = "",
    tickets: Tickets = "",
    entry: Annotated[int | None, typer.Option(help="只结束这一次暂停 · end this pause only")] = None,
    note: Note = "", decision: Decision = None, exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """恢复：时钟继续 · resume: clocks go on."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("resume", "", note, "", entry=entry, decision=decision)
    work.decide(Wanted(meant, change), by, yes=yes, as_json=as_json)


@app.command()
def postpone(
    session: Session, length: Length, *, by: By, reason: Reason, site: Whole = False, buildings: Buildings = "",
    rooms: Rooms = "", tickets: Tickets = "", note: Note = "", incident: Incident = "", decision: Decision = None,
    exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """推迟开考，结束同样顺延 · postpone the start; the end moves with it."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("postpone", reason, note, incident, ms=work.length_ms(length), decision=decision)
    work.decide(Wanted(meant, change), by, yes=yes, as_json=as_json)


@app.command()
def extend(
    session: Session, length: Length, *, by: By, reason: Reason, site: Whole = False, buildings: Buildings = "",
    rooms: Rooms = "", tickets: Tickets = "", note: Note = "", incident: Incident = "", decision: Decision = None,
    exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """延长考试时间 · extend the time."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("extend", reason, note, incident, ms=work.length_ms(length), decision=decision)
    work.decide(Wanted(meant, change), by, yes=yes, as_json=as_json)


@app.command()
def credit(
    session: Session,
    begins: Annotated[str, typer.Argument(metavar="FROM", help="从，如 09:12:40 · from, like 09:12:40")],
    ends: Annotated[str, typer.Argument(metavar="TO", help="到，如 09:15:10 · to, like 09:15:10")],
    *, by: By, reason: Reason, site: Whole = False, buildings: Buildings = "", rooms: Rooms = "",
    tickets: Tickets = "", note: Note = "", incident: Incident = "", decision: Decision = None, exam: Exam = None,
    yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """补时：这段时间不计，重叠的只计一次 · credit an interval; what overlaps counts once."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("credit", reason, note, incident, decision=decision)
    work.decide(Wanted(meant, change, begins, ends), by, yes=yes, as_json=as_json)


@app.command()
def end(
    session: Session, *, by: By, reason: Reason, note: Note, site: Whole = False, buildings: Buildings = "",
    rooms: Rooms = "", tickets: Tickets = "", incident: Incident = "", exam: Exam = None, yes: Yes = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """立即结束考试 · end attempts now."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    work.decide(Wanted(meant, _change("end", reason, note, incident)), by, yes=yes, as_json=as_json)


@app.command()
def reopen(
    session: Session, *, by: By, reason: Reason, note: Note, site: Whole = False, buildings: Buildings = "",
    rooms: Rooms = "", tickets: Tickets = "", incident: Incident = "", decision: Decision = None, exam: Exam = None,
    yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """恢复作答（误交卷），结束后的时间补回 · reopen attempts; the time since they ended is given back."""
    meant = Meant(exam, session, site, buildings, rooms, tickets)
    change = _change("reopen", reason, note, incident, decision=decision)
    work.decide(Wanted(meant, change), by, yes=yes, as_json=as_json)


@app.command()
def undo(
    session: Session,
    entry: Annotated[int, typer.Argument(metavar="ENTRY", help="调整编号，见 show · the entry's number, see show")],
    *, by: By, note: Note = "", decision: Decision = None, exam: Exam = None, yes: Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """撤销一条时间调整 · take back an entry."""
    change = _change("undo", "", note, "", entry=entry, decision=decision)
    work.decide(Wanted(Meant(exam, session), change), by, yes=yes, as_json=as_json)


def _change(kind: Kind, reason: str, note: str, incident: str, **more: Any) -> Change:
    return Change(kind, NOBODY, reason=reason, note=note, incident=incident, **more)


for _name, _command in {**timing_proposals.COMMANDS, **timing_records.COMMANDS, **timing_looks.COMMANDS}.items():
    app.command(_name)(_command)
