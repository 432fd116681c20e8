"""The arguments and options that several commands of ``holdfast time`` take."""

from __future__ import annotations

from typing import Annotated

import typer

from app.domain.adjustments import ENTERED, reason_words

Session = Annotated[int, typer.Argument(metavar="SESSION", help="场次号 · the session's number")]
Length = Annotated[str, typer.Argument(metavar="LENGTH", help="分钟，或 分:秒 · minutes, or minutes:seconds")]
By = Annotated[str, typer.Option(help="作出决定的考务人员用户名 · the username of who decides")]
Whole = Annotated[bool, typer.Option("--site", help="全场 · everybody of the session")]
Buildings = Annotated[str, typer.Option(help="楼宇，以逗号分隔 · buildings, separated by commas")]
Rooms = Annotated[str, typer.Option(help="考室，以逗号分隔 · rooms, separated by commas")]
Tickets = Annotated[str, typer.Option(help="准考证号，以逗号分隔 · tickets, separated by commas")]
Reason = Annotated[
    str, typer.Option(help="原因 · the reason: " + ", ".join(f"{code} {reason_words(code)[0]}" for code in ENTERED))
]
Note = Annotated[str, typer.Option(help="说明 · a note")]
Incident = Annotated[str, typer.Option(help="所属突发事件 · the incident it belongs to")]
Decision = Annotated[int | None, typer.Option(help="依据的决定编号 · the decision it rests on")]
Exam = Annotated[str | None, typer.Option(help="考试代码；只有一场考试时可省略 · the exam's code")]
Piped = Annotated[
    bool, typer.Option("--password-stdin", help="从标准输入读密码 · read the password from standard input")
]
Yes = Annotated[bool, typer.Option("--yes", help="不再询问 · do not ask")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON · print JSON")]
