"""Refusals: the service and its stores."""

from __future__ import annotations

from app.domain.refusals.message import Message

MESSAGES: dict[str, Message] = {
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
