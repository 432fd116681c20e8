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
        "You are signed in at seat {seat} (seen {last_seen_s} s ago). To move, raise your hand: the invigilator does it.",
    ),
    "wrong-seat": Message(
        403,
        "您已被安排到 {expected} 号机位，请到该机位登录。",
        "You were moved to seat {expected}. Please sign in there.",
    ),
    # --- sitting
    "bad-token": Message(401, "登录已失效，请重新登录。", "This sign-in is no longer valid. Please sign in again."),
    "superseded": Message(
        409,
        "您已在 {seat} 号机位继续考试，本机不再保存答案。",
        "You went on at seat {seat}; this PC no longer saves.",
    ),
    "not-started": Message(
        403, "考试尚未开始，请等待倒计时结束。", "The exam has not started. Wait for the countdown."
    ),
    "closed": Message(409, "本场考试已结束。", "This session has ended."),
    "too-early-to-hand-in": Message(
        403, "未到允许交卷时间，还需等待 {in_ms} 毫秒。", "It is too early to hand in; wait {in_ms} ms more."
    ),
    "not-on-paper": Message(422, "该题不在您的试卷中。", "This item is not on your paper."),
    "not-found": Message(404, "没有这一项。", "There is nothing here."),
    # --- the request itself
    "bad-body": Message(422, "请求格式不正确：{reason}。", "The request is malformed: {reason}."),
    "body-too-large": Message(413, "请求内容超过 {limit} 字节。", "The request is larger than {limit} bytes."),
    "too-many-responses": Message(
        422, "一次提交的答案超过 {limit} 条。", "More than {limit} responses in one request."
    ),
    "text-too-long": Message(422, "答案超过 {limit} 个字符。", "The response is longer than {limit} characters."),
    "bad-value": Message(422, "答案格式与题型不符。", "The response does not fit the item's type."),
    # --- the service
    "unavailable": Message(
        503,
        "服务器正在恢复，请在 {retry_after} 秒后重试；您的答案保存在本机。",
        "The server is recovering. Try again in {retry_after} s; your answers are kept on this PC.",
    ),
    "overloaded": Message(
        503,
        "服务器繁忙，请在 {retry_after} 秒后重试；您的答案保存在本机。",
        "The server is busy. Try again in {retry_after} s; your answers are kept on this PC.",
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
