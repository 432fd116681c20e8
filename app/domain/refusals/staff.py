"""Refusals: staff: their logins and what they may do."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
    "staff-sign-in-failed": Message(
        401,
        "用户名或密码不正确，还可再试 {attempts_left} 次。",
        "Username or password is wrong; {attempts_left} tries left.",
    ),
    "staff-too-many-tries": Message(
        429,
        "尝试次数过多，请在 {retry_after} 秒后再试，或联系考务办公室。",
        "Too many tries. Wait {retry_after} s, or call the exam office.",
    ),
    "staff-disabled": Message(
        403, "该账号已停用，请联系考务办公室。", "This account is disabled. Call the exam office."
    ),
    "staff-demo-account": Message(
        403, "演示账号不能在正式服务器上登录。", "Demo accounts cannot sign in on a real server."
    ),
    "staff-exists": Message(409, "用户名 {username} 已存在。", "There is an account {username} already."),
    "staff-unknown": Message(404, "没有用户名为 {username} 的账号。", "There is no account {username}."),
    "staff-bad-name": Message(
        422,
        "用户名须为 1 至 64 个可见字符，首尾不能有空格。",
        "A username has 1 to 64 visible characters and no blanks around them.",
    ),
    "staff-weak-password": Message(
        422, "密码至少需要 {shortest} 个字符。", "A password has at least {shortest} characters."
    ),
    "staff-wrong-password": Message(
        403,
        "原密码不正确，还可再试 {attempts_left} 次。",
        "The old password is wrong; {attempts_left} tries left.",
    ),
    "staff-same-password": Message(422, "新密码不能与原密码相同。", "The new password must differ from the old one."),
    "staff-own-account": Message(
        403,
        "不能在此处更改自己的账户；改密码请用右上角的“改密码”。",
        "Your own account cannot be changed here; your password can, at the top of the page.",
    ),
    "staff-last-admin": Message(
        409,
        "{username} 是最后一个可用的管理员账户，不能停用。",
        "{username} is the last administrator's account in use and cannot be disabled.",
    ),
    "staff-already-disabled": Message(
        409, "{username} 已由 {by} 于 {at} 停用。", "{username} was disabled by {by} at {at} already."
    ),
    "staff-already-enabled": Message(
        409, "{username} 已由 {by} 于 {at} 启用。", "{username} was enabled by {by} at {at} already."
    ),
    "staff-rooms-changed": Message(
        409,
        "{username} 的考室已由 {by} 于 {at} 改为：{rooms}。请核对后再保存。",
        "The rooms of {username} were changed by {by} at {at}: {rooms}. Look at them and save again.",
    ),
    "room-unknown": Message(404, "没有名为“{room}”的考室。", "There is no room named “{room}”."),
    "room-ambiguous": Message(
        409, "多个考试都有考室“{room}”，请指明考试。", "Several exams have a room “{room}”: name the exam."
    ),
    "login-ended": Message(401, "登录已失效，请重新登录。", "You are signed out. Please sign in again."),
    "not-permitted": Message(
        403, "您的账号无权进行此操作，请联系考务办公室。", "Your account may not do this. Call the exam office."
    ),
    "password-must-change": Message(
        403,
        "此密码由他人设置，请先改为您自己的密码。",
        "Somebody else chose this password. Choose one of your own first.",
    ),
    "idempotency-key-needed": Message(
        422,
        "请求缺少 Idempotency-Key（1 至 100 个字符）。",
        "The request needs an Idempotency-Key (1 to 100 characters).",
    ),
    "idempotency-mismatch": Message(
        409,
        "同一请求编号已用于另一项操作，请刷新页面后重试。",
        "This request key was used for something else. Reload the page and try again.",
    ),
    "attempt-over": Message(
        409, "{name} 的本场考试已结束，不能再换机登录。", "{name}'s session is over; there is nothing to relog to."
    ),
    "stranded-decided": Message(
        409,
        "其中有答案已由 {by} 作出处置，请刷新后再看。",
        "{by} has already decided on one of these answers. Look again.",
    ),
    "adopt-moved-on": Message(
        409,
        "您查看之后，{name} 的现有答案又有变化，没有作出任何处置。请核对新的答案后再决定。",
        "{name}'s accepted answer has changed since you looked, so nothing was decided. Compare again, then decide.",
    ),
    "session-not-begun": Message(
        403,
        "本场考试尚未开始，试题内容不能查看。",
        "The session has not begun; what its items say cannot be shown.",
    ),
    "relog-open": Message(
        409,
        "{name} 已由 {by} 安排换到 {room} 机位 {seat}，请先撤回。",
        "{by} has already moved {name} to seat {seat} in {room}. Withdraw that first.",
    ),
    "relog-used": Message(
        409,
        "{name} 已在机位 {seat} 登录，不能再撤回。",
        "{name} has signed in at seat {seat}; it can no longer be withdrawn.",
    ),
    "seat-occupied": Message(
        409, "机位 {seat} 已编排给 {name}，请另选机位。", "Seat {seat} belongs to {name}. Choose another seat."
    ),
    "seat-promised": Message(
        409, "机位 {seat} 已留给 {name}，请另选机位。", "Seat {seat} is kept for {name}. Choose another seat."
    ),
    "seat-out-of-order": Message(
        409, "机位 {seat} 已停用（{why}），请另选机位。", "Seat {seat} is out of order ({why}). Choose another seat."
    ),
    "seat-out-of-reach": Message(
        403,
        "{room} 机位 {seat} 不在您负责的范围内，请联系考务办公室。",
        "Seat {seat} in {room} is outside your rooms. Call the exam office.",
    ),
}
