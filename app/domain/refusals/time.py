"""Refusals: the office's decisions on time."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
    "scope-malformed": Message(
        422,
        "范围“{scope}”没有指明对象：楼宇、考室、准考证或作答须与范围相符。",
        "The scope “{scope}” does not say whom it means: name buildings, rooms, tickets or one attempt to fit it.",
    ),
    "scope-unknown": Message(
        404, "本场考试中没有：{names}。没有作任何改动。", "Not in this session: {names}. Nothing was changed."
    ),
    "scope-empty": Message(
        409,
        "所选范围内没有应考人员，没有作任何改动。",
        "Nobody is in the chosen scope; nothing was changed.",
    ),
    "reason-unknown": Message(
        422, "没有原因代码“{reason}”，可用：{known}。", "There is no reason “{reason}”; use one of {known}."
    ),
    "note-missing": Message(
        422,
        "原因为“其他”、立即结束或恢复作答时，必须写明说明。",
        "A note is needed for the reason “other”, for ending and for reopening.",
    ),
    "duration-missing": Message(422, "请给出时长。", "Say for how long."),
    "duration-not-positive": Message(
        422,
        "时长必须大于零；要收回已给的时间，请撤销那一条调整。",
        "A length of time must be positive. To take time back, undo the entry that gave it.",
    ),
    "duration-too-short": Message(
        422,
        "时长至少一秒；请核对单位，ms 为毫秒。",
        "Give a second at least; check the unit, ms is milliseconds.",
    ),
    "duration-absurd": Message(
        422,
        "时长超过 {most_min} 分钟，不合常理，请核对。",
        "That is longer than {most_min} min, which cannot be meant. Check it.",
    ),
    "interval-missing": Message(422, "请给出起止时间。", "Say from when to when."),
    "interval-backwards": Message(
        422, "结束时间必须晚于开始时间。", "The end of the interval must be later than its begin."
    ),
    "interval-in-future": Message(
        422,
        "时间还没有到：只能补已经过去的时间，将来的时间请用暂停、推迟或延长。",
        "That time has not come yet. Credit what has passed; for what is to come pause, postpone or extend.",
    ),
    "wall-time-zone": Message(422, "时间 {at} 没有写明时区。", "The time {at} does not say its zone."),
    "entry-missing": Message(422, "请指明要撤销的那一条调整。", "Say which entry is to be undone."),
    "entry-unknown": Message(404, "本场没有编号为 {entry} 的时间调整。", "The session has no entry {entry}."),
    "entry-undone": Message(409, "第 {entry} 条调整已经撤销过。", "Entry {entry} has been undone already."),
    "entry-not-undoable": Message(
        409,
        "“立即结束”和“恢复作答”不能撤销：请用恢复作答或立即结束。",
        "Ending and reopening cannot be undone: reopen, or end, instead.",
    ),
    "undo-too-late": Message(
        409,
        "收回这段时间后，有 {count} 人的结束时间会落在过去（最早在 {ago_min} 分钟前），他们仍在作答，"
        "此后所答会被判为迟交；没有作任何改动。要让他们停止作答，请改用“立即结束”。",
        "With this time taken back the end of {count} candidates would lie in the past (up to {ago_min} min ago): they "
        "are still writing, and what they wrote since would be late. Nothing was changed. To stop them, end them now "
        "instead.",
    ),
    "undo-start-passed": Message(
        409,
        "撤销推迟后，有 {count} 人的开考时间会早于现在，他们会因此少掉时间；没有作任何改动，推迟后的开考时间不变。",
        "With the postponement undone the start of {count} candidates would lie in the past and cost them time. "
        "Nothing was changed: the postponed start stands.",
    ),
    "day-not-opened": Message(
        409,
        "本场考试还没有定时，请先开考日（holdfast session open-day）。",
        "The session has no start yet: open the day first (holdfast session open-day).",
    ),
    "start-passed": Message(
        409,
        "{count} 人已经开考，不能再推迟开考；请用延长或补时。",
        "{count} candidates have begun, so their start cannot be postponed. Extend or credit instead.",
    ),
    "not-begun": Message(409, "{count} 人尚未开考，不能立即结束。", "{count} candidates have not begun."),
    "already-paused": Message(
        409, "{count} 人已被同一范围暂停，不能重复暂停。", "{count} candidates are paused by this scope already."
    ),
    "not-paused": Message(409, "{count} 人没有被暂停，无须恢复。", "{count} candidates are not paused."),
    "held-otherwise": Message(
        409,
        "{count} 人由其他范围的暂停保持，不由这一操作恢复；请按该暂停的范围恢复。",
        "{count} candidates are held by a pause of another scope, which this does not end. Resume that scope.",
    ),
    "paused-by-office": Message(
        409,
        "{count} 人由考务办公室暂停，只能由办公室恢复，请联系考务办公室。",
        "{count} candidates were paused by the exam office, and only the office resumes them. Call the exam office.",
    ),
    "attempt-ended": Message(409, "{count} 人的考试已经结束。", "{count} candidates have ended."),
    "handed-in": Message(
        409,
        "{count} 人已经交卷；误交卷须由考务办公室恢复作答。",
        "{count} candidates have handed in. If that was a mistake, the office reopens the attempt.",
    ),
    "ended-by-staff": Message(
        409,
        "{count} 人由工作人员结束考试；须由考务办公室恢复作答。",
        "Staff ended the attempts of {count} candidates. The office has to reopen them.",
    ),
    "absent": Message(
        409,
        "{count} 人缺考，本场对他们已经结束；确需补时的，请按准考证号指定。",
        "{count} candidates never came and their time is over. If they are to have more, name them by their tickets.",
    ),
    "attempt-deferred": Message(
        409, "{count} 人已办理缓考，时间不能再改。", "{count} candidates are deferred; their time cannot be changed."
    ),
    "attempt-open": Message(
        409, "{count} 人仍在作答，无须恢复。", "{count} attempts are open; there is nothing to reopen."
    ),
    "no-time-left": Message(
        409,
        "{count} 人的时间已经用完，恢复作答没有意义；需要时请改用延长。",
        "{count} candidates have no time left, so reopening gives them none. Extend their time instead.",
    ),
    "reopen-by-name": Message(
        422,
        "恢复作答只能按准考证号逐人指定，不能用于整个考室、楼宇或考点。",
        "Reopen attempts by name, one ticket each; not for a whole room, building or site.",
    ),
    "reopen-seat-taken": Message(
        409,
        "{count} 人的机位现由他人使用：{who}。没有作任何改动；请待机位空出后再恢复作答。",
        "Somebody else sits at the seat of {count} candidates: {who}. Nothing was changed; reopen when it is free.",
    ),
    "runs-elsewhere": Message(
        409,
        "{count} 人正在参加另一场考试，不能同时进行两场。",
        "{count} candidates are sitting another session now and cannot sit two at once.",
    ),
    "credit-before-start": Message(
        409,
        "这段时间在 {count} 人开考之前，没有可补的时间。",
        "That interval lies before {count} candidates began; there is nothing to credit.",
    ),
    "preview-needed": Message(
        428,
        "请先查看影响再确认：seen 须为 /time/preview 给出的值。没有作任何改动。",
        "Look at the effect first, then confirm with the seen of /time/preview. Nothing was changed.",
    ),
    "time-changed": Message(
        409,
        "您查看之后，本场的时间安排已被别人改动，没有作任何改动。请重新查看影响再确认。",
        "Somebody changed this session's time since you looked, so nothing was changed. Look again, then confirm.",
    ),
    "nothing-gained": Message(
        409,
        "这段时间已经全部计入，{count} 人中没有人会因此多得时间，没有作任何改动。",
        "All of this interval is credited already: none of the {count} candidates would gain anything, so nothing was"
        " changed.",
    ),
    "cap-exceeded": Message(
        409,
        "有 {count} 人在本场的顺延、暂停和补时合计将超过上限，没有作任何改动：{who}{idle_zh}。"
        "须先有考务办公室的书面决定。",
        "{count} candidates would lose more than the cap in this session, so nothing was changed: {who}{idle_en}. The "
        "office's recorded decision is needed first.",
    ),
    "cap-held": Message(
        409,
        "有 {count} 人已到本场时间上限，须经考务办公室决定并由另一人批准后才能恢复：{who}。",
        "{count} candidates are held at the cap. They go on when the office has decided so and a second person has "
        "approved it: {who}.",
    ),
    "decision-unknown": Message(404, "没有编号为 {decision} 的决定。", "There is no decision {decision}."),
    "decision-incomplete": Message(422, "决定须有文号和内容。", "A decision needs its number and its text."),
    "decision-limit": Message(
        422,
        "新的上限须大于 {least_min} 分钟且不超过 {most_min} 分钟。",
        "The new limit must be more than {least_min} min and at most {most_min} min.",
    ),
    "decision-same-person": Message(
        403,
        "决定须由提出者以外的另一人批准；姓名相同的两个账号视为同一人。",
        "A decision is approved by somebody other than who proposed it; accounts of the same name are one person.",
    ),
    "wrong-password": Message(403, "{username} 的密码不正确。", "That is not the password of {username}."),
    "decision-closed": Message(409, "第 {decision} 号决定已{state_zh}。", "Decision {decision} is {state_en} already."),
    "decision-not-approved": Message(
        409,
        "第 {decision} 号决定尚未批准，或不适用于所选的全部人员。",
        "Decision {decision} is not approved, or does not cover everybody in the scope.",
    ),
    "proposal-decided": Message(
        409, "{by} 已对这一提议作出处置，请刷新后再看。", "{by} has already decided on this proposal. Look again."
    ),
    "proposal-same-person": Message(
        403,
        "这是您自己提出的建议，须由另一人批准。",
        "You made this proposal yourself: somebody else approves it.",
    ),
    "proposal-unneeded": Message(
        409,
        "引起这一提议的延误已不存在，或已另行处理，无须推迟；请不予采纳。",
        "The delay behind this proposal is gone or was dealt with, so nothing need be postponed. Leave it aside.",
    ),
    "proposal-note-missing": Message(422, "不采纳提议时必须写明理由。", "Say why the proposal is not followed."),
}
