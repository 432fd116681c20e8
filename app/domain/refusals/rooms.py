"""Refusals: at the door and in the room."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
    "other-session": Message(
        409,
        "{ticket} 不在本场次，编排的场次：{sessions}。",
        "{ticket} is not in this session but in: {sessions}.",
    ),
    "other-room": Message(
        409,
        "{name} 编排在 {room} 机位 {seat}，请引导到该考室。",
        "{name} belongs to seat {seat} in {room}. Show them the way there.",
    ),
    "room-signed": Message(
        409,
        "{by} 已在 {minutes} 分钟前签署本考室情况。如需更改，请先撤回签署。",
        "{by} signed this room off {minutes} min ago. Take the signature back first.",
    ),
    "last-admission-passed": Message(
        409,
        "已过最迟入场时间，{name} 须由主考或考务办公室准许入场。",
        "Last admission has passed: {name} needs a chief or the exam office to be let in.",
    ),
    "admission-open": Message(
        409,
        "尚未到最迟入场时间，{name} 直接签到即可。",
        "Last admission has not passed yet: just check {name} in.",
    ),
    "candidate-ended": Message(409, "{name} 的本场考试已结束。", "{name}'s session is over."),
    "candidate-deferred": Message(
        409,
        "{name} 已办理缓考，不参加本场考试。",
        "{name} is deferred and does not sit this session.",
    ),
    "admitted-late": Message(
        409,
        "{by} 已准许 {name} 迟到入场，只能由主考或考务办公室撤销。",
        "{by} admitted {name} late; only a chief or the exam office can take that back.",
    ),
    "signed-in-already": Message(
        409, "{name} 已经登录，就在考室里。", "{name} has signed in already, so they are here."
    ),
    "not-signed-in": Message(409, "{name} 还没有登录。", "{name} has not signed in yet."),
    "not-left": Message(409, "{name} 没有离场记录。", "{name} was not written down as having left."),
    "absent-too-early": Message(
        409,
        "尚未到最迟入场时间，还可能入场：{names}。",
        "Last admission has not passed; they may still come: {names}.",
    ),
    "attendance-changed": Message(
        409,
        "您查看之后情况有变，没有作任何改动。已到：{came}；也未到：{missing}。",
        "This has changed since you looked, and nothing was done. Came: {came}; missing as well: {missing}.",
    ),
    "attendance-moved": Message(
        409,
        "您查看之后人数有变：应考 {expected}，实考 {present}，缺考 {absent}，另有缓考 {deferred}。请核对后重新签署。",
        "The numbers have changed: expected {expected}, present {present}, absent {absent}, and {deferred} deferred."
        " Check them and sign again.",
    ),
    "not-balanced": Message(
        409,
        "人数不平：应考 {expected}，实考 {present}，缺考 {absent}（另有缓考 {deferred}），"
        "还有 {unaccounted} 人未确认：{names}。",
        "Expected {expected}, present {present}, absent {absent} (and {deferred} deferred): {unaccounted} to settle:"
        " {names}.",
    ),
    "signed-numbers": Message(
        409,
        "{by} 签署时为应考 {signed_expected}，实考 {signed_present}，缺考 {signed_absent}；现在是应考 {expected}，"
        "实考 {present}，缺考 {absent}。请撤回签署，核对后重新签署，再放行。",
        "{by} signed for expected {signed_expected}, present {signed_present}, absent {signed_absent}; now it is"
        " expected {expected}, present {present}, absent {absent}. Take the signature back and sign again first.",
    ),
    "not-signed": Message(409, "本考室情况尚未签署。", "This room has not been signed off yet."),
    "room-released": Message(
        409,
        "本考室已由 {by} 放行，只有考务办公室可以撤回。",
        "{by} has released this room; only the exam office can take that back.",
    ),
    "attempts-open": Message(
        409,
        "还有 {n} 人的作答没有最终结束：{names}。",
        "{n} attempts are not final yet: {names}.",
    ),
    "outbox-open": Message(
        409,
        "还有 {n} 批答案正在写入，请稍候再放行。",
        "{n} batches of answers are still being written. Wait a moment, then release.",
    ),
    "spare-asked": Message(
        409,
        "{by} 已为 {name} 向 {room} 请求备用机位，请等待答复或先撤回。",
        "{by} has asked {room} for a seat for {name}. Wait for the answer, or take it back first.",
    ),
    "spare-taken": Message(
        409,
        "该考室已没有可用的备用机位（已请求：{by}）。下一个可询问的考室：{next}。",
        "That room has no free spare seat left (asked for: {by}). The next room to ask: {next}.",
    ),
    "spare-gone": Message(
        409, "{room} 的备用机位已全部占用，请答复没有机位。", "The spare seats of {room} are all taken. Answer no."
    ),
    "spare-answered": Message(
        409, "该请求已由 {by} 处理（{state}）。", "{by} has answered this request already ({state})."
    ),
    "roll-call-nobody": Message(409, "{room} 无人在场，无须点名。", "Nobody is present in {room}."),
    "roll-call-closed": Message(409, "点名已由 {by} 结束。", "{by} has ended this roll call."),
    "swap-one-person": Message(
        422,
        "两处填的是同一张准考证：{ticket}。请填写两名应考人员。",
        "Both say the same ticket: {ticket}. Name two candidates.",
    ),
    "seats-changed": Message(
        409,
        "您查看之后座位已变，没有作任何改动。现在：{seats}。",
        "The seats have changed since you looked, and nothing was done. Now: {seats}.",
    ),
    "swap-too-late": Message(
        409,
        "{name} 的考试已经开始，不能再调换座位，请使用换机登录。",
        "{name} has begun; seats can no longer be exchanged. Use a relog.",
    ),
    "duty-not-watching": Message(
        409, "{name} 的账号不是监考人员或主考。", "{name}'s account is neither an invigilator's nor a chief's."
    ),
    "duty-changed": Message(
        409,
        "您查看之后已有变动，没有作任何改动。现在值守：{names}。",
        "This has changed since you looked, and nothing was done. On duty now: {names}.",
    ),
}
