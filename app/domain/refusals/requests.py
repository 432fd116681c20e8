"""Refusals: the request itself."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
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
}
