"""A draw in a process of its own (``site_child``): ``python -m app.services.site_draw``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import site_child
from app.services.drawing import Drawn, draw_session
from app.services.site_child import End, Tell
from app.settings import Settings

MODULE = "app.services.site_draw"


def order(settings: Settings, database_url: str, session_id: int, asked: Mapping[str, Any]) -> bytes:
    """The line that has a session drawn as a job's params ask."""
    chosen = {key: asked[key] for key in ("seed", "columns", "redraw", "seen", "by", "staff_id")}
    return site_child.order(settings, database_url, session_id=session_id, **chosen)


def result_of(drawn: Drawn) -> dict[str, Any]:
    return {
        "session": drawn.session, "papers": drawn.papers, "items": drawn.items, "seed": drawn.seed,
        "digest": drawn.digest, "replaced": drawn.replaced, "bytes": drawn.bytes,
        "ms": int(sum(drawn.seconds.values()) * 1000),
    }  # fmt: skip


async def _draw(asked: Mapping[str, Any], settings: Settings, engine: AsyncEngine, tell: Tell) -> End:
    drawn = await draw_session(
        engine, asked["session_id"], seed=asked["seed"], columns=asked["columns"], redraw=asked["redraw"],
        seen=asked["seen"], actor=asked["by"], staff_id=asked["staff_id"], job_timeout=settings.job_timeout,
        progress=tell,
    )  # fmt: skip
    return End("done", result_of(drawn))


if __name__ == "__main__":
    site_child.serve(_draw, "holdfast-site-draw")
