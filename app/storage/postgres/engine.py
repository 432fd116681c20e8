"""Connections to PostgreSQL: one engine for ordinary work, plain asyncpg for the checkpoint path.

Both speak to the same URL, carry an application name and bound every wait (STYLE 10). A server that says nothing any
more is noticed in three ways, because each misses what another sees:

* ``statement_timeout`` is the server's own, for a statement that takes too long;
* ``line_timeout`` is the kernel's, at both ends: a peer that acknowledges nothing is gone (a cable, a host);
* ``hold_timeout`` is ours: a connection out of the pool for longer is cut, for everything that acknowledges and is
  silent all the same (a frozen server, a proxy). It is cut and no statement is cancelled, so a COMMIT is left to the
  server and its outcome is unknown (I2). Loops with a connection of their own bound each of their steps.

A COMMIT that was not replicated says so in a warning and succeeds all the same. For the checkpoint path the writer and
the drain look for it; everything else commits through the engine, which raises RecordAway (``_mind_replication``).
"""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from alembic import command
from alembic.config import Config
from asyncpg.pgproto import pgproto
from sqlalchemy import URL, event, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from app.domain.checkpoints import RecordAway
from app.settings import Settings

log = structlog.get_logger(__name__)
# A dead line is asked this often, in the last part of its time.
PROBES = 3
# "The transaction has already committed locally, but might not have been replicated to the standby." Told by its
# SQLSTATE: the words depend on the server's language.
SYNC_WARNING = "01000"
# The execution option that carries ``handover_gap``, in milliseconds.
OUTAGE = "outage_ms"
MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
if not MIGRATIONS.is_dir():  # an installed wheel carries them inside the package
    MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def _milliseconds(value: float) -> str:
    return str(int(value * 1000))


def sqlalchemy_url(url: str) -> URL:
    """The SQLAlchemy form of a plain ``postgresql://`` URL (``?host=/socket/dir`` is kept)."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def asyncpg_arguments(url: str) -> dict[str, Any]:
    """Keyword arguments of ``asyncpg.connect`` for a plain URL, sockets and several hosts included.

    asyncpg reads libpq's multi-host and ``target_session_attrs`` forms itself, so the URL goes through unchanged.
    """
    return {"dsn": url.replace("postgresql+asyncpg://", "postgresql://")}


def _line(settings: Settings) -> dict[str, str]:
    """The server's end of ``line_timeout``: what a vanished client holds (locks, the ticker's place) is given free."""
    whole = settings.line_timeout.total_seconds()
    every = max(1, int(whole / (2 * PROBES)))
    return {
        "tcp_keepalives_idle": str(max(1, int(whole / 2))),
        "tcp_keepalives_interval": str(every),
        "tcp_keepalives_count": str(PROBES),
        "tcp_user_timeout": _milliseconds(whole),
    }


def watch_line(connection: asyncpg.Connection[Any], settings: Settings) -> None:
    """Our end of ``line_timeout``. Nothing to do on a unix socket, which cannot lose its other end unnoticed."""
    # asyncpg opens its socket itself and has no public way to it.
    raw = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
    if raw is None or raw.family == socket.AF_UNIX:
        return
    given = _line(settings)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, int(given["tcp_keepalives_idle"]))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, int(given["tcp_keepalives_interval"]))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(given["tcp_user_timeout"]))


class BoundedPool(AsyncAdaptedQueuePool):
    """Cuts a connection that is out for longer than ``limit_s``, from before its first ping to after its rollback."""

    limit_s: float

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._timers: dict[ConnectionPoolEntry, asyncio.TimerHandle] = {}

    def _do_get(self) -> ConnectionPoolEntry:
        entry = super()._do_get()
        self._arm(entry)
        return entry

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        timer = self._timers.pop(record, None)
        if timer is not None:
            timer.cancel()
        super()._do_return_conn(record)

    def _arm(self, entry: ConnectionPoolEntry) -> None:
        self._timers[entry] = asyncio.get_running_loop().call_later(self.limit_s, self._cut, entry)

    def _cut(self, entry: ConnectionPoolEntry) -> None:
        # Armed again: the entry may get another connection before it is returned.
        self._arm(entry)
        connection = entry.driver_connection
        if connection is not None:
            log.warning("connection cut: no answer", after_s=self.limit_s)
            connection.terminate()


def outage_ms_of(conn: AsyncConnection) -> int:
    """``handover_gap`` of whoever opened this connection: a shorter gap between two terms is a change of leader and no
    outage. It goes with the engine, so that a preview, a decision and what is stored cannot mean different ones."""
    return int(conn.engine.get_execution_options()[OUTAGE])


def create_engine(
    url: str, settings: Settings, *, name: str = "holdfast", pool_size: int = 10, bounded: bool = False
) -> AsyncEngine:
    """An engine whose every connection has a name and every statement a limit. Dispose of it after use.

    ``bounded``: for a server's processes, whose work with a connection is short; see ``hold_timeout``.
    """
    limit_s = settings.hold_timeout.total_seconds()
    engine = create_async_engine(
        sqlalchemy_url(url),
        poolclass=type("BoundedPool", (BoundedPool,), {"limit_s": limit_s}) if bounded else None,
        # A fault's text must never carry an answer or an ID number into a log.
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=settings.connect_timeout.total_seconds(),
        pool_pre_ping=True,
        pool_recycle=1800,
        execution_options={OUTAGE: int(settings.handover_gap.total_seconds() * 1000)},
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        connect_args={
            "timeout": settings.connect_timeout.total_seconds(),
            "server_settings": {
                "application_name": name,
                "statement_timeout": _milliseconds(settings.statement_timeout.total_seconds()),
                "idle_in_transaction_session_timeout": "60000",
                "timezone": "UTC",
                **_line(settings),
            },
        },
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _entry: ConnectionPoolEntry) -> None:
        watch_line(connection.driver_connection, settings)

    _mind_replication(engine)
    return engine


def _mind_replication(engine: AsyncEngine) -> None:
    """Make a COMMIT with a sync-wait warning an unknown outcome (I2): RecordAway, so 503, and the repeated request
    settles it. The notice comes before the end of its COMMIT, so the listener is called before whoever waits for it."""
    warned: set[int] = set()

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _entry: ConnectionPoolEntry) -> None:
        def noticed(of: object, message: asyncpg.PostgresLogMessage) -> None:
            if message.sqlstate == SYNC_WARNING:
                warned.add(id(of))

        connection.driver_connection.add_log_listener(noticed)

    commit = engine.sync_engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        driver = id(connection.driver_connection)
        warned.discard(driver)
        commit(connection)
        if driver in warned:
            warned.discard(driver)
            raise RecordAway("committed here, not on the standby")

    engine.sync_engine.dialect.do_commit = do_commit  # type: ignore[assignment]


async def connect(url: str, settings: Settings, *, name: str, **server_settings: str) -> asyncpg.Connection[Any]:
    """One plain asyncpg connection, for the writer, the ticker and the drain, which own theirs and bound each step."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        **asyncpg_arguments(url),
        timeout=settings.connect_timeout.total_seconds(),
        server_settings={"application_name": name, "timezone": "UTC", **_line(settings), **server_settings},
    )
    watch_line(connection, settings)
    return connection


async def connect_writer(url: str, settings: Settings, *, name: str) -> asyncpg.Connection[Any]:
    """A connection as the checkpoint writer's statement needs it."""
    return await connect(
        url,
        settings,
        name=name,
        lock_timeout=_milliseconds(settings.lock_timeout.total_seconds()),
        synchronous_commit="on",
        # The statement's plan does not depend on its arrays; planning it anew for each batch costs more than it.
        plan_cache_mode="force_generic_plan",
        jit="off",
        # The statement looks into the history only for what comes late, and then by its whole key: a few partitions
        # more cost nothing. PostgreSQL 18.4 has died in ``perform_pruning_base_step`` (a null expression, three times
        # in a day of tests, never on demand), and this is the one statement that prunes while it runs.
        enable_partition_pruning="off",
    )


def attempt_id(text: str) -> UUID:
    """An attempt's id in asyncpg's own UUID, which it sends without another conversion; equal to ours, and hashed
    like it."""
    known: UUID = pgproto.UUID(text)
    return known


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` to ``revision``. Safe to run twice and by two at once (advisory lock)."""
    command.upgrade(alembic_config(url), revision)
