"""What a command says when it cannot go on: one sentence in Chinese, one in English, a stable code, never a traceback.

The packages an error may come from are asked for only if they are loaded: an error of a package that was never
imported cannot have been raised, and ``holdfast --help`` must not pay for SQLAlchemy.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

MESSAGES: dict[str, tuple[str, str]] = {
    "bad-setting": (
        "设置 {name} 不正确：{reason}",
        "The setting {name} is wrong: {reason}",
    ),
    "weak-secret": (
        "HOLDFAST_SECRET_KEY 至少需要 32 个字符。",
        "HOLDFAST_SECRET_KEY must have at least 32 characters.",
    ),
    "database-unreachable": (
        "无法连接 PostgreSQL：{reason}。请运行 holdfast check。",
        "PostgreSQL cannot be reached: {reason}. Run: holdfast check",
    ),
    "database-refused": (
        "PostgreSQL 拒绝了操作：{reason}",
        "PostgreSQL refused the work: {reason}",
    ),
    "tables-newer": (
        "数据库结构属于更新的版本（{revision}），本版本不能使用；请安装建立它的版本。没有作任何改动。",
        "The tables belong to a newer release ({revision}). Install the one that made them. Nothing was changed.",
    ),
    "redis-unreachable": (
        "无法连接 Redis：{reason}。请运行 holdfast check。",
        "Redis cannot be reached: {reason}. Run: holdfast check",
    ),
    "file-trouble": (
        "无法读写 {path}：{reason}",
        "Cannot read or write {path}: {reason}",
    ),
    "unexpected": (
        "程序内部错误（{reason}）。请加上 --traceback 重新运行，并把输出交给维护人员。",
        "Internal error ({reason}). Run again with --traceback before the command and report what it prints.",
    ),
}

# Alembic has no error of its own for tables at a revision whose file is not there.
_UNKNOWN_REVISION = re.compile(r"Can't locate revision identified by '([^']*)'")


@dataclass(frozen=True, slots=True)
class Failure:
    """A command's last words; ``exit_code`` is never 0."""

    code: str
    zh: str
    en: str
    exit_code: int = 2

    def __str__(self) -> str:
        return f"{self.zh}\n{self.en}\n[{self.code}]"


def failure(error: BaseException) -> Failure:
    """The words for ``error``; anything unknown is ``unexpected`` with exit code 70."""
    words = getattr(error, "text", None)
    code = getattr(error, "code", None)
    if callable(words) and isinstance(code, str):  # Refused and EmbeddedError carry their own table
        return Failure(code, words("zh"), words("en"))
    if _is(error, "pydantic_core", "ValidationError"):
        return _bad_setting(error)
    if _is(error, "app.secrets", "WeakSecret"):
        return _say("weak-secret")
    if _is(error, "redis.exceptions", "RedisError"):
        return _say("redis-unreachable", reason=_first_line(error))
    if _is(error, "sqlalchemy.exc", "DBAPIError"):
        return _database(getattr(error, "orig", None) or error)
    if _is(error, "asyncpg", "PostgresError") or _is(error, "asyncpg", "InterfaceError"):
        return _database(error)
    if _is(error, "alembic.util.exc", "CommandError") and (newer := _UNKNOWN_REVISION.search(str(error))):
        return _say("tables-newer", revision=newer[1])
    if isinstance(error, OSError) and error.filename is not None:
        return _say("file-trouble", path=error.filename, reason=error.strerror or _first_line(error))
    if isinstance(error, ConnectionError | TimeoutError):
        return _say("database-unreachable", reason=_first_line(error))
    return _say("unexpected", exit_code=70, reason=_first_line(error))


def _say(code: str, *, exit_code: int = 2, **params: object) -> Failure:
    zh, en = MESSAGES[code]
    return Failure(code, zh.format_map(params), en.format_map(params), exit_code)


def _is(error: BaseException, module: str, name: str) -> bool:
    loaded = sys.modules.get(module)
    kind = getattr(loaded, name, None)
    return isinstance(kind, type) and isinstance(error, kind)


def _bad_setting(error: BaseException) -> Failure:
    faults = error.errors(include_input=False, include_url=False)  # type: ignore[attr-defined]
    if getattr(error, "title", "") != "Settings":
        return _say("unexpected", exit_code=70, reason=_first_line(error))
    # The value itself stays unsaid: it may be a secret.
    names = ", ".join("HOLDFAST_" + ".".join(map(str, fault["loc"])).upper() for fault in faults)
    return _say("bad-setting", name=names, reason="; ".join(fault["msg"] for fault in faults))


def _database(error: BaseException) -> Failure:
    state = str(getattr(error, "sqlstate", "") or "")
    # 08: connection, 28: authorisation, 3D: no such database, 57P03: starting up, 53300: too many connections.
    away = not state or state.startswith(("08", "28", "3D")) or state in {"57P03", "53300"}
    return _say("database-unreachable" if away else "database-refused", reason=_first_line(error))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".。") if lines else type(error).__name__
