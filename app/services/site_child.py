"""A console job in a process of its own: seconds of computing that neither candidates nor the exam clock wait for.

A thread would do for the event loop, but not for its process: they share one interpreter, and the draw or the import of
one exam may come while another one sits. What to do comes as one line of JSON on standard input (the site's secret goes
there too: arguments and the environment can be read by others); on standard output go lines of progress and, last, how
it ended. Standard input stays open: when it ends, whoever asked is gone, and so is this process, with its transaction
undone. What is large, a file or its fault report, goes through the database and not through the pipes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.checkpoints import StoreAway
from app.domain.errors import Refused
from app.settings import Settings
from app.storage.postgres.engine import create_engine

SECRETS = {"database_url", "redis_url", "secret_key"}
POLITE = 5
# The longest line, in bytes: what a file would change is shown with its texts, and 64 KiB would cut that.
LONGEST_LINE = 1 << 25
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class End:
    """How a job ended: a state of ``site_job`` and its result."""

    state: str
    result: dict[str, Any]


# What a child does: (what was asked, settings, engine, progress as (stage, done, total)) → how it ended.
Work = Callable[[Mapping[str, Any], Settings, AsyncEngine, Tell], Awaitable[End]]


class Killed(Exception):  # noqa: N818 -- it names the state of the process
    """The child was ended by a signal, before it had said how its work ended."""


def order(settings: Settings, database_url: str, **asked: Any) -> bytes:
    """The line that says what to do; the settings go along, because a process may have others than the environment."""
    told = {
        "settings": settings.model_dump(mode="json", exclude=SECRETS),
        "database_url": database_url,
        "asked": asked,
    }
    return json.dumps(told).encode() + b"\n"


def said(code: str, zh: str, en: str) -> dict[str, Any]:
    return {"code": code, "zh": zh, "en": en}


def words(refused: Refused) -> dict[str, Any]:
    """A refusal as a result shows it."""
    return said(refused.code, refused.text("zh"), refused.text("en"))


async def ask(module: str, line: bytes, tell: Tell) -> End:
    """Have ``module`` do what the ``line`` orders, and wait for it; the child is gone when this returns or raises.

    ConnectionError: the record was out of reach, or its standby; the outcome of a COMMIT is unknown then (I2). Killed.
    RuntimeError: a fault of the program, which the child has put in the log.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
    )  # fmt: skip
    end: End | None = None
    try:
        if process.stdin is None or process.stdout is None:
            raise OSError("a process without pipes")
        process.stdin.write(line)
        # A child that is gone already is told by how it ended.
        with suppress(BrokenPipeError, ConnectionResetError):
            await process.stdin.drain()
        async for heard in process.stdout:
            if not heard.endswith(b"\n"):
                break  # killed in the middle of a word
            told = json.loads(heard)
            if "undone" in told:
                raise ConnectionError(told["undone"])
            if "state" in told:
                end = End(told["state"], told["result"])
            else:
                tell(told["stage"], told["done"], told["total"])
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if end is not None:
        return end
    if process.returncode is not None and process.returncode < 0:
        raise Killed(f"{module}: signal {-process.returncode}")
    raise RuntimeError(f"{module} ended with {process.returncode}")


def serve(work: Work, name: str) -> None:
    """Be the child: do what standard input orders, and leave. ``name``: of its connection."""
    # Whatever else is printed here is for the log.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    os.nice(POLITE)
    told = json.loads(sys.stdin.buffer.readline())

    def until_alone() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=until_alone, daemon=True).start()

    def say(what: Mapping[str, Any]) -> None:
        out.write(json.dumps(what, ensure_ascii=False).encode() + b"\n")

    # The reading thread holds standard input: leave without waiting for it, however the work ended. An interpreter that
    # shuts down meanwhile aborts, which looks like a kill from outside, and may write its memory to a file.
    try:
        asyncio.run(_work(work, name, told, say))
    except BaseException:  # noqa: BLE001 -- told in the log and by the exit status
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


async def _work(work: Work, name: str, told: Mapping[str, Any], say: Callable[[Mapping[str, Any]], None]) -> None:
    settings = Settings(**told["settings"])
    engine = create_engine(told["database_url"], settings, name=name, pool_size=1)

    def tell(stage: str, done: int, total: int) -> None:
        say({"stage": stage, "done": done, "total": total})

    try:
        end = await work(told["asked"], settings, engine, tell)
        say({"state": end.state, "result": end.result})
    except Refused as refused:
        say({"state": "refused", "result": words(refused)})
    except (IntegrityError, ProgrammingError, DataError):
        # Not the connection: the same again would fail again.
        raise
    except (StoreAway, SQLAlchemyError, OSError, TimeoutError) as fault:
        say({"undone": repr(fault)})
    finally:
        await engine.dispose()
