"""A draw in a process of its own: seconds of computing that neither candidates nor the exam clock are to wait for.

A thread would do for the event loop, but not for its process: they share one interpreter, and the draw of one exam may
come while another one sits. What to do comes as one line of JSON on standard input; on standard output go lines of
progress and, last, the result or the refusal. Standard input stays open: when it ends, whoever asked is gone, and so is
this process, with its transaction undone.

    python -m app.services.site_draw
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import Refused
from app.services.drawing import Drawn, draw_session
from app.settings import Settings
from app.storage.postgres.engine import create_engine

COMMAND = (sys.executable, "-m", "app.services.site_draw")
SECRETS = {"database_url", "redis_url", "secret_key"}
POLITE = 5


def order(settings: Settings, database_url: str, session_id: int, asked: dict[str, Any]) -> bytes:
    """The line that says what to do; the settings go along, because a process may have others than the environment."""
    told = {
        "settings": settings.model_dump(mode="json", exclude=SECRETS),
        "database_url": database_url,
        "session_id": session_id,
        "asked": {key: asked[key] for key in ("seed", "columns", "redraw", "by", "staff_id")},
    }
    return json.dumps(told).encode() + b"\n"


def result_of(drawn: Drawn) -> dict[str, Any]:
    return {
        "session": drawn.session, "papers": drawn.papers, "items": drawn.items, "seed": drawn.seed,
        "digest": drawn.digest, "replaced": drawn.replaced, "bytes": drawn.bytes,
        "ms": int(sum(drawn.seconds.values()) * 1000),
    }  # fmt: skip


async def _draw(told: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
    settings, asked = Settings(**told["settings"]), told["asked"]
    engine = create_engine(told["database_url"], settings, name="holdfast-site-draw", pool_size=1)
    try:
        drawn = await draw_session(
            engine, told["session_id"], seed=asked["seed"], columns=asked["columns"], redraw=asked["redraw"],
            actor=asked["by"], staff_id=asked["staff_id"], job_timeout=settings.job_timeout,
            progress=lambda stage, done, total: say({"stage": stage, "done": done, "total": total}),
        )  # fmt: skip
        say({"result": result_of(drawn)})
    except Refused as refused:
        say({"refused": {"code": refused.code, "zh": refused.text("zh"), "en": refused.text("en")}})
    except (SQLAlchemyError, OSError, TimeoutError) as fault:
        say({"undone": repr(fault)})
    finally:
        await engine.dispose()


def main() -> None:
    # Whatever else is printed here is for the log.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    os.nice(POLITE)
    told = json.loads(sys.stdin.buffer.readline())

    def until_alone() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=until_alone, daemon=True).start()

    def say(what: dict[str, Any]) -> None:
        out.write(json.dumps(what, ensure_ascii=False).encode() + b"\n")

    asyncio.run(_draw(told, say))
    # The reading thread holds standard input: leave without waiting for it.
    os._exit(0)


if __name__ == "__main__":
    main()
