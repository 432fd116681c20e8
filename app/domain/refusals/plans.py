"""Refusals: imports, the day's plan and its rounds."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
    # --- imports and the day's plan
    "exam-none": Message(404, "还没有考试，请先导入花名册。", "There is no exam yet. Import a roster first."),
    "exam-unclear": Message(
        409,
        "有几场考试，请用 --exam 指明是哪一场（或给出新的代码）：{known}。",
        "It is not clear which exam is meant. Name it (or a new code) with --exam: {known}.",
    ),
    "exam-unknown": Message(
        404, "没有代码为“{exam}”的考试；现有：{known}。", "There is no exam “{exam}”; there are: {known}."
    ),
    "import-outdated": Message(
        409,
        "数据刚刚被别人改过，与显示的不同；没有导入任何内容，请重新导入查看。",
        "The record has changed since the differences were shown; nothing was imported. Import again to see them.",
    ),
    "import-still-used": Message(
        409,
        "要移除的考室、机位或场次仍被使用（{what_zh}）；没有导入任何内容。",
        "A room, seat or session that would go is still in use ({what_en}); nothing was imported.",
    ),
    "session-unknown": Message(
        404, "没有第 {session} 场；现有：{known}。", "There is no session {session}; there are: {known}."
    ),
    "session-unclear": Message(
        409,
        "{ticket} 参加多场考试，请用 --session 指明是哪一场：{known}。",
        "{ticket} sits several sessions. Name one with --session: {known}.",
    ),
    "ticket-unknown": Message(404, "没有准考证号 {ticket}。", "There is no ticket {ticket}."),
    "head-unreadable": Message(
        422,
        "回执上的链条码应为 16 至 64 位十六进制数字（0–9、a–f），空格不计。",
        "The chain code of a receipt has 16 to 64 hexadecimal digits (0–9, a–f); blanks do not count.",
    ),
    "session-begun": Message(
        409,
        "第 {session} 场已经开始，时间不能再改；请用顺延或延长。",
        "Session {session} has begun; its time can no longer be changed. Postpone or extend it instead.",
    ),
    "sessions-overlap": Message(
        409,
        "第 {first} 场要到 {until} 才结束，第 {second} 场 {start} 开始，而有 {count} 名应考人员两场都参加；"
        "请先把第 {second} 场改到 {until} 以后（holdfast session reschedule --session {second} --start …）。",
        "Session {first} runs until {until}, session {second} starts at {start}, and {count} candidates sit both. Move "
        "session {second} to {until} or later first (holdfast session reschedule --session {second} --start …).",
    ),
    "sessions-share-seats": Message(
        409,
        "第 {first} 场要到 {until} 才结束，第 {second} 场 {start} 开始，而有 {count} 个机位两场编给不同的人；"
        "请先把第 {second} 场改到 {until} 以后（holdfast session reschedule --session {second} --start …）。",
        "Session {first} runs until {until}, session {second} starts at {start}, and {count} seats are given to "
        "different people. Move session {second} to {until} or later first "
        "(holdfast session reschedule --session {second} --start …).",
    ),
    "no-session-that-day": Message(
        409,
        "{day} 没有考试；各场日期：{known}。改期请用 holdfast session reschedule --date {day}。",
        "No session is on {day}; they are on: {known}. To move the day: holdfast session reschedule --date {day}.",
    ),
    "sessions-late": Message(
        409,
        "第 {sessions} 场的计划开始时间已过，不会自行迟开；请用 holdfast session start-in 给出新的倒计时，"
        "或加 --start-late 立即开始。",
        "The planned start of session {sessions} has passed, and no session starts late by itself. Give it a fresh "
        "countdown with holdfast session start-in, or start it at once with --start-late.",
    ),
    "clock-standing": Message(
        409,
        "考试时钟已停 {seconds} 秒：服务没有运行，不能定时。请先启动 holdfast serve。",
        "The exam clock has stood for {seconds} s: the service is not running. Start holdfast serve first.",
    ),
    # --- swapping rounds, moving, deferring
    "round-same-session": Message(
        422,
        "两个场次相同（第 {session} 场），没有可调整的。",
        "Both are session {session}: there is nothing to change.",
    ),
    "round-other-exam": Message(
        422,
        "所选场次或考室不属于同一考试，没有作任何改动。",
        "The sessions and rooms do not belong to one exam; nothing was changed.",
    ),
    "round-nobody": Message(409, "所选范围内没有应考人员，没有作任何改动。", "Nobody was chosen; nothing was changed."),
    "round-not-there": Message(
        404,
        "第 {session} 场没有：{names}。没有作任何改动。",
        "Not in session {session}: {names}. Nothing was changed.",
    ),
    "round-begun": Message(
        409,
        "第 {session} 场已经开始，不能再调入或对调；请改用尚未开始的场次。",
        "Session {session} has begun; nobody can be moved to it. Choose one that has not.",
    ),
    "round-both": Message(
        409,
        "有 {count} 人本来就编排在第 {session} 场，没有作任何改动：{who}。",
        "{count} candidates are in session {session} already, so nothing was changed: {who}.",
    ),
    "round-over": Message(
        409,
        "有 {count} 人的本场考试已经结束，没有作任何改动：{who}。误交卷须先恢复作答。",
        "{count} candidates have ended their session, so nothing was changed: {who}. Reopen a mistaken hand-in first.",
    ),
    "round-runs": Message(
        409,
        "有 {count} 人正在作答，没有作任何改动：{who}。请先暂停，再调整场次。",
        "{count} candidates are at work, so nothing was changed: {who}. Pause them first, then move them.",
    ),
    "round-paused": Message(
        409,
        "第 {session} 场有 {count} 个考室仍在暂停，或单独推迟了开考（{rooms}），没有作任何改动。"
        "请先恢复或撤销，再调整场次。",
        "Session {session} is paused, or starts later, in {count} of the rooms concerned ({rooms}), so nothing was"
        " changed. Resume it or undo that first.",
    ),
    "round-overlaps": Message(
        409,
        "第 {session} 场与第 {other} 场时间重叠，有 {count} 人两场都要参加，没有作任何改动：{who}。",
        "Sessions {session} and {other} overlap and {count} candidates would sit both, so nothing was changed: {who}.",
    ),
    "round-no-seats": Message(
        409,
        "第 {session} 场机位不足，没有作任何改动：{lines_zh}。",
        "Session {session} has too few seats, so nothing was changed: {lines_en}.",
    ),
    "round-already-deferred": Message(
        409, "有 {count} 人已办理缓考，没有作任何改动：{who}。", "{count} candidates are deferred already: {who}."
    ),
    "round-not-deferred": Message(
        409,
        "有 {count} 人没有办理缓考，没有作任何改动：{who}。请先办理缓考，或用调场。",
        "{count} candidates are not deferred, so nothing was changed: {who}. Defer them first, or move them.",
    ),
    "round-gone-on": Message(
        409,
        "有 {count} 人缓考后已另行编排场次，没有作任何改动：{who}。",
        "{count} of the deferred have been given another session already, so nothing was changed: {who}.",
    ),
    "round-changed": Message(
        409,
        "您查看之后，编排或考试进展又有变化，没有作任何改动。请重新查看影响再确认。",
        "Seats or attempts have changed since you looked, so nothing was changed. Look again, then confirm.",
    ),
}
