"""One export: read in one snapshot, written to a file that has no name, audited, and only then given away.

It is one call that answers with its progress and then with the file, and no job to be asked after: the answer may come
from any process of the site without anything shared between them, a page that goes away ends the work at once, and
nothing is left behind to be found, downloaded by somebody else or forgotten. The file is there in full before its first
byte leaves, because the audit entry, committed before it, says how many rows it has and what its hash is.

1. A REPEATABLE READ, READ ONLY transaction on a connection of its own (the pool's are cut after ``hold_timeout``).
2. In it the person's turn: a second export of theirs is refused until this transaction ends, however it ends.
3. Chunks of rows by key; each is put into the file in a thread, off the loop that answers candidates.
4. The hash, the audit entry, COMMIT. Then the bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.documents.rows import Form, writer
from app.domain.errors import Refused
from app.services import export_rows
from app.services.export_columns import COLUMNS, KIND_WORDS, Kind
from app.services.export_rows import Asked
from app.settings import Settings
from app.storage.postgres import audit, exports
from app.storage.postgres.engine import create_engine
from app.storage.postgres.exports import Sitting
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
T = TypeVar("T")
BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: of an exam or of one session of it (exactly one is named)."""

    kind: Kind
    form: Form
    language: str
    exam_id: int | None = None
    session_id: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Made:
    """The file is whole, and on the audit log."""

    name: str
    rows: int
    size: int
    sha256: str


@asynccontextmanager
async def own_engine(settings: Settings, database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections for one export: the snapshot's, and the audit entry's beside it."""
    engine = create_engine(database_url, settings, name="holdfast-export", pool_size=1)
    try:
        yield engine
    finally:
        await engine.dispose()


async def export(
    settings: Settings, engine: AsyncEngine, login: Login, order: Order, out: IO[bytes], *, now_ms: int
) -> AsyncGenerator[Progress | Made, None]:
    """Write the list to ``out``; progress as it goes, ``Made`` last. A login without an id (a command) takes no turn.

    Refused: not-found (no such exam or session), export-under-way.
    """
    async with engine.connect() as conn:
        await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        if login.staff_id and not await exports.take_turn(conn, login.staff_id):
            raise Refused("export-under-way")
        sittings = await exports.sessions(conn, exam_id=order.exam_id, session_id=order.session_id)
        if not sittings:
            raise Refused("not-found")
        source = await export_rows.source(
            settings, conn, Asked(order.kind, sittings, login, order.form, order.language, now_ms)
        )
        yield Progress(0, source.total)
        rows = 0
        pen = writer(order.form, out, COLUMNS[order.kind], order.language, title=_title(order))
        async for chunk in source.chunks:
            await apart(lambda some=chunk: pen.write(some))  # type: ignore[misc]
            rows += len(chunk)
            yield Progress(rows, source.total)
        await apart(pen.close)
        size, digest = await apart(lambda: _weigh(out))
        made = Made(file_name(order, sittings), rows, size, digest)
        await _enter(engine, login, order, sittings, made, now_ms)
        log.info("export", staff=login.username, kind=order.kind, form=order.form, rows=rows, size=size)
        yield made


async def apart(work: Callable[[], T]) -> T:
    """``work`` in a thread; whoever gives up waits until it has let go of the file."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def scratch() -> IO[bytes]:
    """A file without a name: whatever ends this process takes it along."""
    return tempfile.TemporaryFile(prefix="holdfast-export-")


async def blocks(out: IO[bytes]) -> AsyncIterator[bytes]:
    """``out`` from its beginning, read in a thread."""
    await apart(lambda: out.seek(0))
    while block := await apart(lambda: out.read(BLOCK)):
        yield block


def _title(order: Order) -> str:
    # In JSON it is the key of the list, which is the same in both languages.
    return order.kind if order.form == "json" else KIND_WORDS[order.kind][0 if order.language == "zh" else 1]


def file_name(order: Order, sittings: list[Sitting]) -> str:
    """``attendance-2026A-1.xlsx``: what it is, of which exam, of which session."""
    number = "" if order.session_id is None else f"-{sittings[0].number}"
    code = re.sub(r"[^A-Za-z0-9._-]+", "_", sittings[0].exam_code).strip("._-") or "exam"
    return f"{order.kind}-{code}{number}.{order.form}"


def _weigh(out: IO[bytes]) -> tuple[int, str]:
    digest = hashlib.sha256()
    out.seek(0)
    size = 0
    while block := out.read(BLOCK):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()


async def _enter(
    engine: AsyncEngine, login: Login, order: Order, sittings: list[Sitting], made: Made, now_ms: int
) -> None:
    subject = {
        "kind": order.kind,
        "form": order.form,
        "language": order.language,
        "exam": sittings[0].exam_code,
        "session_id": order.session_id,
        "session": sittings[0].name if order.session_id is not None else None,
        "file": made.name,
        "rows": made.rows,
        "size": made.size,
        "sha256": made.sha256,
    }
    async with engine.begin() as conn:
        await audit.append(
            conn, actor=login.username, action="export.made", subject=subject, staff_id=login.staff_id or None,
            service_ms=now_ms,
        )  # fmt: skip
