"""Refusals: signing in and sitting."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
    # --- signing in
    "sign-in-failed": Message(
        401,
        "准考证号或证件后六位不正确，请核对后重试。",
        "Ticket or ID digits are wrong. Check and try again.",
    ),
    "too-many-tries": Message(
        429,
        "尝试次数过多，请在 {retry_after} 秒后再试，或举手请监考人员协助。",
        "Too many tries. Wait {retry_after} s, or raise your hand.",
    ),
    "not-allocated": Message(
        403,
        "您没有被编排在当前场次，请举手联系监考人员。",
        "You are not allocated to this session. Raise your hand.",
    ),
    "not-open": Message(
        403, "本场考试尚未开放登录，请稍候。", "Sign-in for this session is not open yet. Please wait."
    ),
    "too-late": Message(
        403, "已超过本场最迟入场时间，请举手联系监考人员。", "Last admission has passed. Raise your hand."
    ),
    "lease-held": Message(
        409,
        "您已在 {seat} 号机位登录（{last_seen_s} 秒前仍在线）。需要换机请举手，由监考人员操作。",
        "You are signed in at seat {seat} (seen {last_seen_s} s ago). To move, raise your hand: staff will do it.",
    ),
    "wrong-seat": Message(
        403,
        "您已被安排到 {expected} 号机位，请到该机位登录。",
        "You were moved to seat {expected}. Please sign in there.",
    ),
    "seat-taken": Message(
        409,
        "{seat} 号机位已有人使用，请举手联系监考人员。",
        "Seat {seat} is in use by someone else. Raise your hand.",
    ),
    # --- sitting
    "bad-token": Message(401, "登录已失效，请重新登录。", "This sign-in is no longer valid. Please sign in again."),
    "grant-lost": Message(
        401,
        "服务器恢复后还没有本机的登录记录，正在自动恢复，请继续作答。",
        "The server was put back and has not heard of this PC yet. It is being told; keep working.",
    ),
    "superseded": Message(
        409,
        "您已在 {seat} 号机位继续考试，本机不再保存答案。",
        "You went on at seat {seat}; this PC no longer saves.",
    ),
    "not-started": Message(
        403, "考试尚未开始，请等待倒计时结束。", "The exam has not started. Wait for the countdown."
    ),
    "paused-at-start": Message(
        403,
        "考试已暂停，您尚未开考；恢复后试题自动显示。",
        "The exam is paused and has not begun for you. The questions come by themselves when it goes on.",
    ),
    "closed": Message(409, "本场考试已结束。", "This session has ended."),
    "attempt-paused": Message(
        409,
        "考试已暂停，答案已保存，恢复后再交卷。",
        "The exam is paused and your answers are saved; hand in when it goes on.",
    ),
    "too-early-to-hand-in": Message(
        403, "未到允许交卷时间，还需等待 {in_ms} 毫秒。", "It is too early to hand in; wait {in_ms} ms more."
    ),
    "not-on-paper": Message(422, "该题不在您的试卷中。", "This item is not on your paper."),
    "not-found": Message(404, "没有这一项。", "There is nothing here."),
    "export-under-way": Message(
        409,
        "您的另一项导出或汇总尚未完成，请稍候再试。",
        "Another export or day report of yours is under way. Wait until it is done.",
    ),
    "export-file-exists": Message(
        409,
        "文件 {file} 已经存在，没有导出；请换一个文件名，或加上 --replace。",
        "The file {file} is there already; nothing was exported. Name another one, or say --replace.",
    ),
    "export-of-what": Message(
        422, "请指明导出一门考试或其中一场。", "Say which exam, or which session of it, is to be exported."
    ),
}
