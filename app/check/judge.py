"""Judge what was seen: pure functions from what ``look`` read to findings."""

from __future__ import annotations

from collections.abc import Iterator

from app.check.look import Machine, Store
from app.check.words import Finding, found
from app.embedded.places import NEED_BYTES
from app.secrets import MINIMUM
from app.settings import Settings

# An acknowledgement waits for the store: beyond this it is no longer felt as instant.
SLOW_MS = 20.0
ROOMY_BYTES = 2 * 1024**3
# One event stream and one request per candidate of a large hall, and what the process itself keeps open.
OPEN_FILES = 4096
# Ordinary pool with its overflow, writer, drain, ticker and listener; and a few for people.
CONNECTIONS_PER_WORKER = 25
CONNECTIONS_BESIDE = 10


def judge_machine(machine: Machine, settings: Settings) -> Iterator[Finding]:
    free_mb = machine.free_bytes >> 20
    if not machine.writable:
        yield found("disk-refuses", path=settings.data_dir)
    elif machine.free_bytes < NEED_BYTES:
        yield found("disk-full", free_mb=free_mb, need_mb=NEED_BYTES >> 20)
    elif machine.free_bytes < ROOMY_BYTES:
        yield found("disk-low", free_mb=free_mb, want_mb=ROOMY_BYTES >> 20)
    else:
        yield found("disk-writable", free_mb=free_mb)
    address = f"{settings.host}:{settings.port}"
    if machine.port in {"free", "taken"}:
        yield found(f"port-{machine.port}", address=address)
    else:
        yield found("port-refused", address=address, reason=machine.port)
    if machine.open_files < OPEN_FILES:
        yield found("open-files-low", limit=machine.open_files, want=OPEN_FILES)
    if settings.secret_key is not None and len(settings.secret_key.get_secret_value()) < MINIMUM:
        yield found("secret-weak", want=MINIMUM)
    if settings.demo:
        yield found("demo-accounts")


def judge_postgres(store: Store, settings: Settings) -> Iterator[Finding]:
    if store.error is not None:
        yield found("postgres-away", reason=store.error)
        return
    facts = store.facts
    code = "postgres-slow" if store.latency_ms > SLOW_MS else "postgres-answers"
    yield found(code, version=facts["version"], latency=store.latency_ms)
    if int(facts["number"]) < 150_000:
        yield found("postgres-old", version=facts["version"])
    if facts["encoding"] != "UTF8":
        yield found("postgres-encoding", encoding=facts["encoding"])
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if facts[name] == "off":
            yield found("postgres-unsafe", name=name)
    if facts["in_recovery"] == "true":
        yield found("postgres-standby")
    want = settings.workers * CONNECTIONS_PER_WORKER + CONNECTIONS_BESIDE
    if int(facts["max_connections"]) < want:
        yield found("postgres-connections", found=facts["max_connections"], workers=settings.workers, want=want)
    if not facts["revision"]:
        yield found("schema-missing")
    elif facts["revision"] != facts["head"]:
        yield found("schema-other", found=facts["revision"], want=facts["head"])
    else:
        yield found("schema-current", found=facts["revision"])


def judge_redis(store: Store) -> Iterator[Finding]:
    if store.error is not None:
        yield found("redis-away", reason=store.error)
        return
    facts = store.facts
    version = facts["redis_version"]
    code = "redis-slow" if store.latency_ms > SLOW_MS else "redis-answers"
    yield found(code, version=version, latency=store.latency_ms)
    if tuple(int(part) for part in version.split(".")[:2]) < (6, 2):
        yield found("redis-old", version=version)
    if facts["role"] != "master":
        yield found("redis-replica")
    if facts["aof_enabled"] != "1":
        yield found("redis-no-aof")
    if "appendfsync" not in facts:
        yield found("redis-config-hidden")
        return
    if facts["appendfsync"] != "always":
        yield found("redis-fsync", found=facts["appendfsync"])
    if facts["maxmemory-policy"] != "noeviction":
        yield found("redis-evicts", found=facts["maxmemory-policy"])
