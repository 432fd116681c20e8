"""What can be refused, and in which words.

One exception, one table. A refusal is an answer, not a failure: it has a stable code, an HTTP status, and a sentence
in Chinese and English that says what to do next. ``{name}`` in a sentence is filled from the refusal's parameters.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    status: int
    zh: str
    en: str


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
    # --- staff
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
    # --- at the door and in the room
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
    # --- the office's decisions on time
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
    # --- incidents
    "plan-unknown": Message(404, "没有预案 {plan}。", "There is no plan {plan}."),
    "plan-malformed": Message(
        422, "步骤编号重复，或不属于此预案，请刷新后重新编辑。", "A step is there twice or of another plan. Reload."
    ),
    "plan-changed": Message(
        409,
        "{by} 已把预案 {plan} 改为第 {version} 版，没有作任何改动。请刷新后重新编辑。",
        "{by} has made version {version} of plan {plan}, so nothing was changed. Reload and edit that.",
    ),
    "step-unknown": Message(404, "此事件的预案没有步骤“{step}”。", "The incident's plan has no step “{step}”."),
    "step-decided": Message(
        409, "这一步骤已由 {by} 于 {at} 登记，请刷新。", "{by} wrote this step down at {at}. Look again."
    ),
    "entry-empty": Message(422, "没有填写内容。", "There is nothing to write down."),
    "incident-over": Message(
        409,
        "事件 {number} 已由 {by} 于 {at} 关闭或签署；需要更改请先重新打开。",
        "{by} closed or signed incident {number} at {at}. Reopen it first.",
    ),
    "incident-open": Message(409, "事件 {number} 仍未关闭。", "Incident {number} is open."),
    "incident-not-closed": Message(
        409, "事件 {number} 尚未关闭，不能签署。", "Incident {number} is not closed yet, so it cannot be signed."
    ),
    "incident-changed": Message(
        409,
        "您查看之后，{by} 于 {at} 又有登记，没有作任何改动。请重新查看事件 {number} 再确认。",
        "{by} wrote into incident {number} at {at}, after you looked, so nothing was changed. Look again.",
    ),
    # --- discrepancies and corrections
    "discrepancy-malformed": Message(
        422,
        "“{field_zh}”的实际值不成立，请对照证件重新填写。",
        "This cannot be the {field_en}. Compare with the document and type it again.",
    ),
    "discrepancy-same": Message(
        409,
        "“{field_zh}”与编排数据一致，没有不符，请去掉此项。",
        "The {field_en} is what the record says already. Leave this field out.",
    ),
    "discrepancy-open": Message(
        409,
        "{by} 已于 {minutes} 分钟前为 {name} 登记过：{fields_zh}，不必重复登记。",
        "{by} wrote this down for {name} {minutes} min ago already: {fields_en}.",
    ),
    "discrepancy-decided": Message(
        409,
        "{name} 的“{field_zh}”已由 {by} 于 {at} 处理：{state_zh}。没有作任何改动。",
        "{by} has decided on the {field_en} of {name} at {at}: {state_en}. Nothing was changed.",
    ),
    "discrepancy-same-person": Message(
        403,
        "{name} 的信息不符是您本人登记的，更正须由另一人核准。",
        "You wrote down yourself that the data of {name} differ: somebody else approves the correction.",
    ),
    "discrepancy-moved": Message(
        409,
        "{name} 的“{field_zh}”在您查看之后已变为：{now_zh}。没有作任何改动，请重新核对。",
        "The {field_en} of {name} changed since you looked; it is {now_en} now. Nothing was changed; compare again.",
    ),
    "discrepancy-id-taken": Message(
        409,
        "更正后的证件号码与他人相同（准考证号 {tickets}）。没有作任何改动；若两人互换，请一并处理。",
        "The corrected document number is somebody else's (ticket {tickets}). Nothing was changed. If two were"
        " exchanged, decide on both together.",
    ),
    # --- misconduct
    "misconduct-changed": Message(
        409,
        "{by} 于 {at} 又补充了这条登记，没有作任何改动，请看过再操作。",
        "{by} wrote into this record at {at}, after you looked, so nothing was changed. Look again.",
    ),
    "misconduct-removed": Message(
        409,
        "{name} 已由 {by} 令其退场。",
        "{by} has removed {name} from the exam already.",
    ),
    # --- evidence
    "evidence-empty": Message(422, "文件是空的，请重新选择。", "The file is empty. Choose it again."),
    "evidence-type": Message(
        422,
        "只能保存照片（JPEG、PNG、WebP）、PDF 或纯文本文件；此文件不是。",
        "Evidence is a photo (JPEG, PNG, WebP), a PDF or plain text. This file is none of them.",
    ),
    "evidence-full": Message(
        409,
        "本次考试的证据材料已达 {most} 字节的上限，文件没有保存。请告知系统管理员（max_evidence_total_bytes）。",
        "The evidence of this exam has reached its limit of {most} bytes; the file was not kept."
        " Tell an administrator (max_evidence_total_bytes).",
    ),
    "item-position-unknown": Message(
        422,
        "该考生的试卷没有第 {position} 题，共 {count} 题。",
        "There is no question {position} on this candidate's paper; it has {count}.",
    ),
    "item-report-early": Message(
        409, "该考生尚未开考，还没有看到试题。", "The exam has not begun for this candidate: no question has been seen."
    ),
    "photos-missing": Message(404, "找不到 {file}。", "There is no {file}."),
    "photos-not-an-archive": Message(
        422,
        "{file} 不是 .zip 压缩包，或已损坏；请用文件夹或 .zip。",
        "{file} is not a .zip, or is damaged. Give a folder or a .zip.",
    ),
    "photos-encrypted": Message(
        422,
        "{file} 设有密码，请取消密码后重新压缩。",
        "{file} is protected with a password. Pack it again without one.",
    ),
    "photos-too-many": Message(
        422,
        "文件过多或过大（{files} 个）：最多 {most} 个，解压后最多 {gb} GB。请分批导入。",
        "Too many files, or too large ({files} of them): at most {most}, and {gb} GB unpacked. Import them in parts.",
    ),
    "photos-faulty": Message(
        409,
        "有 {n} 个文件不能使用，没有导入任何照片；请改正，或选择跳过这些文件。",
        "{n} files cannot be used, and no photo was imported. Mend them, or choose to skip them.",
    ),
    "photos-under-way": Message(
        409, "正在导入另一批照片，请稍候再试。", "Photos are being imported already. Try again in a while."
    ),
    "evidence-unknown": Message(
        404, "附件不存在，或不是您上传的，请重新上传。", "No such file, or not sent by you. Send it again."
    ),
    "evidence-attached": Message(
        409, "附件已经用于另一条记录，请重新上传。", "The file belongs to a record already. Send it again."
    ),
    # --- the request itself
    "bad-body": Message(422, "请求格式不正确：{reason}。", "The request is malformed: {reason}."),
    "bad-method": Message(405, "此地址不支持这种请求方法。", "This address does not take that method."),
    "body-too-large": Message(413, "请求内容超过 {limit} 字节。", "The request is larger than {limit} bytes."),
    "too-many-responses": Message(
        422, "一次提交的答案超过 {limit} 条。", "More than {limit} responses in one request."
    ),
    "text-too-long": Message(422, "答案超过 {limit} 个字符。", "The response is longer than {limit} characters."),
    "bad-characters": Message(
        422,
        "答案含有无法保存的字符，请删除后重新输入。",
        "The response holds a character that cannot be stored; retype it.",
    ),
    "bad-value": Message(422, "答案格式与题型不符。", "The response does not fit the item's type."),
    # --- papers
    "already-drawn": Message(
        409,
        "第 {session} 场已经抽题（{papers} 份）；如需重抽，请加 --redraw。",
        "Session {session} is drawn already ({papers} papers). To draw again, add --redraw.",
    ),
    "bank-too-small": Message(
        409, "题库题量不足，无法组卷：{lines_zh}。", "The bank is too small for the blueprint: {lines_en}."
    ),
    "blueprint-bad-count": Message(
        422,
        "组卷方案 {where}：题数 {value} 应为 1 至 {most} 的整数。",
        "Blueprint, {where}: the count {value} should be a whole number from 1 to {most}.",
    ),
    "blueprint-bad-points": Message(
        422,
        "组卷方案 {where}：分值 {value} 应为 1 至 {most} 的整数（千分之一分）。",
        "Blueprint, {where}: the points {value} should be a whole number from 1 to {most} (thousandths).",
    ),
    "blueprint-malformed": Message(
        422,
        "组卷方案格式有误：{where} 缺失、多余或类型不对。",
        "The blueprint is malformed: {where} is missing, unknown or of the wrong type.",
    ),
    "blueprint-missing": Message(
        409,
        "第 {session} 场还没有组卷方案，请先执行 holdfast papers blueprint set {session}。",
        "Session {session} has no blueprint. Run first: holdfast papers blueprint set {session}.",
    ),
    "blueprint-not-json": Message(
        422, "{file} 不是 UTF-8 编码的 JSON 文件：{fault}。", "{file} is not a JSON file in UTF-8: {fault}."
    ),
    "blueprint-one-source": Message(
        422, "请用 --file 或 --items 之一给出组卷方案。", "Give the blueprint by either --file or --items."
    ),
    "blueprint-overlap": Message(
        422,
        "组卷方案 {where}：知识点 {topic}、题型 {type} 与前面的条目重叠，请合并。",
        "Blueprint, {where}: topic {topic}, type {type} overlaps an earlier stratum. Merge them.",
    ),
    "blueprint-too-long": Message(
        422, "组卷方案共 {count} 题，超过上限 {most} 题。", "The blueprint holds {count} items; at most {most} fit."
    ),
    "blueprint-unknown-type": Message(
        422,
        "组卷方案 {where}：没有题型 {value}，可用的有 {types}。",
        "Blueprint, {where}: there is no type {value}; use one of {types}.",
    ),
    "draw-faulty": Message(
        500,
        "抽题结果未通过核对，未保存任何试卷：{faults}。请报告此问题。",
        "The drawn papers failed their check and nothing was stored: {faults}. Please report this.",
    ),
    "draw-uneven": Message(
        409,
        "知识点 {topic}、题型 {type}：{candidates} 人每卷 {count} 题，题库 {available} 题，扣除各人其他场次的题后，"
        "有 {items} 题无法使抽中次数保持在 {least} 至 {most} 次。请增加试题、减少题数，或用 --redraw 重抽其他场次。",
        "Topic {topic}, type {type}: {candidates} candidates, {count} of {available} items each. With what they have "
        "in other sessions, {items} items cannot be used {least} to {most} times. Add items, lower the count, or draw "
        "the other sessions again with --redraw.",
    ),
    "item-unknown": Message(404, "题库中没有题号 {item}。", "There is no item {item} in the bank."),
    "neighbours-alike": Message(
        409,
        "无法使相邻机位同一位置的试题不同：涉及 {candidates} 人，位置 {positions}。请增加该部分试题或合并大题。",
        "Neighbours cannot all have different items at the same position: {candidates} candidates, positions "
        "{positions}. Add items there or merge sections.",
    ),
    "nobody-allocated": Message(
        409,
        "第 {session} 场没有编排应考人员，请先导入编排表。",
        "Nobody is allocated to session {session}. Import the roster first.",
    ),
    "not-drawn": Message(409, "第 {session} 场还没有抽题。", "Session {session} has not been drawn."),
    "papers-in-use": Message(
        409,
        "第 {session} 场已有 {count} 人登录，不能重新抽题。",
        "{count} candidates have signed in to session {session}; its papers cannot be drawn again.",
    ),
    "session-started": Message(
        409, "第 {session} 场已经开始，不能抽题。", "Session {session} has started; no papers can be drawn."
    ),
    "uneven-points": Message(
        409,
        "知识点 {topic}、题型 {type} 的试题分值不一（{points}），各卷总分会不同；请在组卷方案中写明分值。",
        "Topic {topic}, type {type}: items carry different points ({points}), so papers would differ in their total. "
        "Give the points in the blueprint.",
    ),
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
    # --- setting up the site
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
        "与数据库的联系中断，这一项没有完成，没有写入任何内容。请重新开始。",
        "The database was lost on the way, so this was undone and nothing was written. Begin again.",
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
        "处理时出现程序错误，没有写入任何内容；已记入日志。",
        "A fault of the program stopped this; nothing was written, and it is in the log.",
    ),
    "import-blocked": Message(
        409,
        "文件与已导入的内容不同，其中有不能修改的，因此什么也没有修改。",
        "The file differs from the record where nothing may be changed any more, so nothing was changed.",
    ),
    # --- the service
    "unavailable": Message(
        503,
        "服务器正在恢复，请在 {retry_after} 秒后重试；您的答案保存在本机。",
        "The server is recovering. Try again in {retry_after} s; your answers are kept on this PC.",
    ),
    "record-away": Message(
        503,
        "数据库暂时不可用，登录、换机、刷新和监考操作须等待，请在 {retry_after} 秒后重试；已打开的答题页面不受影响。",
        "The database is away. Signing in, moving seats, reloading and staff actions wait for it: try again in "
        "{retry_after} s. Pages that are open go on.",
    ),
    "overloaded": Message(
        503,
        "服务器繁忙，请在 {retry_after} 秒后重试；您的答案保存在本机。",
        "The server is busy. Try again in {retry_after} s; your answers are kept on this PC.",
    ),
    "port-taken": Message(
        503,
        "无法监听 {host}:{port}（{fault}），请换一个端口。",
        "Cannot listen on {host}:{port} ({fault}); choose another port.",
    ),
    "no-service": Message(
        503,
        "考试服务没有运行，服务时间未知；请先启动 holdfast serve。",
        "The exam server is not running, so the service time is not known; start holdfast serve first.",
    ),
    "demo-accounts": Message(
        503,
        "数据库中有演示账号，正式服务不会启动；请先停用它们，或使用 holdfast demo。",
        "The database holds demo accounts, so a real server does not start; remove them, or use holdfast demo.",
    ),
    "internal": Message(
        500,
        "服务器内部错误，编号 {request_id}，已记录。",
        "Internal error {request_id}; it has been recorded.",
    ),
}


class Refused(Exception):  # noqa: N818 -- a refusal is an answer, not an error
    """The request was understood and is not carried out; ``code`` is a key of MESSAGES."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        return self.text("en")

    def text(self, language: str) -> str:
        """The sentence in ``zh`` or ``en``, parameters filled in."""
        message = MESSAGES[self.code]
        template = message.zh if language.startswith("zh") else message.en
        return template.format_map(self.params)


class ClockUnconfirmed(Exception):  # noqa: N818 -- DESIGN §5: past the confirmed value nobody may count
    """The service clock has not been confirmed for more than a second; nothing may be stamped."""
