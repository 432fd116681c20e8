"""Refusals: setting up the site."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
    "exam-exists": Message(409, "代码为“{exam}”的考试已经存在。", "There is an exam with the code “{exam}” already."),
    "timezone-unknown": Message(422, "不认得的时区：{timezone}。", "Unknown time zone: {timezone}."),
    "site-changed": Message(
        409,
        "您查看之后已被 {by} 改动（{what_zh}），没有作任何改动。请看过现在的内容再保存。",
        "{by} has changed this since you looked ({what_en}), so nothing was done. Look at it as it is, then save.",
    ),
    "session-door-late": Message(
        422,
        "最迟入场和最早交卷不能晚于本场结束（{minutes} 分钟）。",
        "Last admission and earliest hand-in cannot come after the session's end ({minutes} min).",
    ),
    "session-drawn": Message(
        409,
        "第 {session} 场的试卷已经抽好，时长不能再改；考试开始后可以延长。",
        "Session {session} is drawn, so its length can no longer be changed; it can be extended once it has begun.",
    ),
    "session-has-people": Message(
        409,
        "第 {session} 场编排了 {people} 名应考人员，不能删除；请先用名单把他们移走。",
        "{people} candidates are allocated to session {session}, so it stays. Move them with a roster first.",
    ),
    "room-exists": Message(409, "已有名为“{room}”的考室。", "There is a room named “{room}” already."),
    "building-exists": Message(409, "已有名为“{building}”的楼宇。", "There is a building named “{building}” already."),
    "room-in-session": Message(
        409,
        "{room}第 {session} 场正在进行，现在只能增加备用机位。",
        "Session {session} is going on in {room}: only spare seats can be added now.",
    ),
    "room-has-people": Message(
        409,
        "{room}编排了 {people} 人次，不能删除；请先用名单把他们移走。",
        "{people} allocations are in {room}, so it stays. Move them with a roster first.",
    ),
    "site-still-used": Message(
        409,
        "要移除的内容仍被使用（{what_zh}），没有作任何改动。",
        "What would go is still in use ({what_en}); nothing was changed.",
    ),
    "blueprint-changed": Message(
        409,
        "您查看之后，第 {session} 场的组卷方案已改为每卷 {items} 题，没有作任何改动。",
        "The blueprint of session {session} is {items} items a paper by now, so nothing was changed.",
    ),
    "draw-changed": Message(
        409,
        "您查看之后，第 {session} 场的试卷已有变动（现有 {papers} 份），没有抽题。请看过再决定。",
        "The papers of session {session} have changed since you looked ({papers} now), so nothing was drawn.",
    ),
    "site-job-open": Message(
        409,
        "{by} 正在处理本考试的“{name}”（{since} 开始），请等其完成，或与其商量后放弃那一项。",
        "{by} is at work on “{name}” of this exam (since {since}). Wait for it, or agree with them to put it away.",
    ),
    "site-job-over": Message(
        409,
        "“{name}”已经处理完毕或已放弃，没有再作改动。",
        "“{name}” has been dealt with or put away; nothing more was done.",
    ),
    "site-job-undone": Message(
        503,
        "与数据库的联系中断，或备用数据库没有确认，这一项有没有完成不得而知。写入是一次性的，不会只写入一部分。"
        "请看过现有内容，再重新开始。",
        "The database was lost on the way, or its standby did not confirm: whether this was done is not known. It is"
        " written at once or not at all, never a part: look at what is there, then begin again.",
    ),
    "site-job-killed": Message(
        503,
        "处理这一项的进程中途被系统终止（例如内存不足），没有完成。写入是一次性的，不会只写入一部分。"
        "请看过现有内容，再重新开始。",
        "The process at work on this was killed before it was done (short of memory, for one). It writes everything at"
        " once or nothing, never a part: look at what is there, then begin again.",
    ),
    "site-job-broken": Message(
        500,
        "处理时出现程序错误，已记入日志。写入是一次性的，不会只写入一部分。请看过现有内容，再决定是否重新开始。",
        "A fault of the program stopped this; it is in the log. It writes everything at once or nothing, never a part:"
        " look at what is there before you begin again.",
    ),
    "import-blocked": Message(
        409,
        "文件与已导入的内容不同，其中有不能修改的，因此什么也没有修改。",
        "The file differs from the record where nothing may be changed any more, so nothing was changed.",
    ),
}
