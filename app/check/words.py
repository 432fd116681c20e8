"""What a check can find: by code, how bad it is and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Level = Literal["ok", "warn", "fail"]


class Words(NamedTuple):
    """``fail`` means that an exam must not start like this."""

    level: Level
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, in words."""

    code: str
    level: Level
    zh: str
    en: str


WORDS: dict[str, Words] = {
    # --- this machine
    "disk-writable": Words(
        "ok", "数据目录可写，剩余 {free_mb} MB。", "The data directory is writable, {free_mb} MB left."
    ),
    "disk-low": Words(
        "warn",
        "数据目录所在磁盘剩余 {free_mb} MB，建议不少于 {want_mb} MB。",
        "{free_mb} MB left on the disk of the data directory; {want_mb} MB or more is advised.",
    ),
    "disk-full": Words(
        "fail",
        "数据目录所在磁盘只剩 {free_mb} MB（至少 {need_mb} MB），请清理。",
        "Only {free_mb} MB left on the disk of the data directory ({need_mb} MB needed): make room.",
    ),
    "disk-refuses": Words(
        "fail",
        "无法写入数据目录 {path}，请检查权限。",
        "The data directory {path} is not writable: mend its permissions.",
    ),
    "port-free": Words("ok", "{address} 可用。", "{address} is free."),
    "port-taken": Words(
        "warn", "{address} 已被占用（可能服务正在运行）。", "{address} is taken (perhaps by the running server)."
    ),
    "port-refused": Words(
        "fail",
        "无法监听 {address}（{reason}）。请核对 HOLDFAST_HOST 与 HOLDFAST_PORT。",
        "Cannot listen on {address} ({reason}). Check HOLDFAST_HOST and HOLDFAST_PORT.",
    ),
    "open-files-low": Words(
        "warn",
        "可打开文件数上限为 {limit}，请用 ulimit -n 提高到 {want} 以上。",
        "At most {limit} open files: raise the limit (ulimit -n) to {want} or more.",
    ),
    "secret-weak": Words(
        "fail",
        "HOLDFAST_SECRET_KEY 短于 {want} 个字符，请换一个。",
        "HOLDFAST_SECRET_KEY has under {want} characters: replace it.",
    ),
    "demo-accounts": Words(
        "warn",
        "演示账户已启用，正式考试前请去掉 HOLDFAST_DEMO。",
        "Demo accounts are allowed: unset HOLDFAST_DEMO before a real exam.",
    ),
    # --- PostgreSQL
    "postgres-answers": Words(
        "ok",
        "PostgreSQL {version}，往返 {latency:.1f} 毫秒。",
        "PostgreSQL {version}, {latency:.1f} ms there and back.",
    ),
    "postgres-slow": Words(
        "warn",
        "PostgreSQL {version}，往返 {latency:.1f} 毫秒，偏慢，请检查网络与负载。",
        "PostgreSQL {version}, {latency:.1f} ms there and back: slow, look at the network and its load.",
    ),
    "postgres-away": Words(
        "fail",
        "无法连接 PostgreSQL（{reason}）。请核对 HOLDFAST_DATABASE_URL、服务是否启动、网络与口令。",
        "PostgreSQL cannot be reached ({reason})."
        " Check HOLDFAST_DATABASE_URL, that the server runs, the network and the password.",
    ),
    "postgres-old": Words(
        "fail", "PostgreSQL {version} 过旧，需要 15 或更高。", "PostgreSQL {version} is too old: 15 or later is needed."
    ),
    "postgres-encoding": Words(
        "fail",
        "数据库编码为 {encoding}，请用 UTF8 重新建库。",
        "The database is encoded in {encoding}: create it again in UTF8.",
    ),
    "postgres-unsafe": Words(
        "fail",
        "PostgreSQL 的 {name} = off，断电会丢失已确认的答案。请改为 on。",
        "PostgreSQL's {name} is off: a power cut would lose acknowledged answers. Turn it on.",
    ),
    "postgres-standby": Words(
        "fail",
        "HOLDFAST_DATABASE_URL 指向只读备库，请改连主库。",
        "HOLDFAST_DATABASE_URL points at a read-only standby: use the primary.",
    ),
    "postgres-connections": Words(
        "warn",
        "max_connections = {found}，{workers} 个进程建议不少于 {want}。",
        "max_connections is {found}; {workers} workers want {want} or more.",
    ),
    "schema-missing": Words(
        "warn", "尚未建表，请运行 holdfast migrate。", "There are no tables yet: run holdfast migrate."
    ),
    "schema-other": Words(
        "fail",
        "数据库结构为 {found}，本版本需要 {want}。请运行 holdfast migrate。",
        "The tables are at {found}, this version needs {want}: run holdfast migrate.",
    ),
    "schema-current": Words("ok", "数据库结构为最新（{found}）。", "The tables are up to date ({found})."),
    # --- Redis
    "redis-answers": Words(
        "ok", "Redis {version}，往返 {latency:.1f} 毫秒。", "Redis {version}, {latency:.1f} ms there and back."
    ),
    "redis-slow": Words(
        "warn",
        "Redis {version}，往返 {latency:.1f} 毫秒，偏慢，请检查网络与负载。",
        "Redis {version}, {latency:.1f} ms there and back: slow, look at the network and its load.",
    ),
    "redis-away": Words(
        "fail",
        "无法连接 Redis（{reason}）。请核对 HOLDFAST_REDIS_URL、服务是否启动、网络与口令。",
        "Redis cannot be reached ({reason})."
        " Check HOLDFAST_REDIS_URL, that the server runs, the network and the password.",
    ),
    "redis-old": Words("fail", "Redis {version} 过旧，需要 6.2 或更高。", "Redis {version} is too old: 6.2 is needed."),
    "redis-replica": Words(
        "fail",
        "HOLDFAST_REDIS_URL 指向只读副本，请改连主节点。",
        "HOLDFAST_REDIS_URL points at a read-only replica: use the master.",
    ),
    "redis-no-aof": Words(
        "fail",
        "Redis 未开启 AOF，断电会丢失已缓存的答案。请设 appendonly yes。",
        "Redis' append-only file is off: a power cut would lose buffered answers. Set appendonly yes.",
    ),
    "redis-fsync": Words(
        "warn",
        "Redis 的 appendfsync = {found}，断电可能丢失最近一秒的缓存。请设为 always。",
        "Redis' appendfsync is {found}: a power cut may lose the last second of the buffer. Set always.",
    ),
    "redis-evicts": Words(
        "fail",
        "Redis 的 maxmemory-policy = {found}，内存不足时会丢弃答案。请设为 noeviction。",
        "Redis' maxmemory-policy is {found}: answers would be evicted. Set noeviction.",
    ),
    "redis-config-hidden": Words(
        "warn",
        "Redis 拒绝 CONFIG，无法核对 appendfsync 与 maxmemory-policy（应为 always 与 noeviction）。",
        "Redis refuses CONFIG: appendfsync and maxmemory-policy cannot be seen (always and noeviction are needed).",
    ),
}


def found(code: str, **params: object) -> Finding:
    """The finding ``code`` with its words filled in."""
    words = WORDS[code]
    return Finding(code, words.level, words.zh.format_map(params), words.en.format_map(params))
