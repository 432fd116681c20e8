"""For load balancers, monitors and people: is it alive, is it ready, what is it."""

from __future__ import annotations

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.deps import get_deps
from app.domain.errors import ClockUnconfirmed
from app.storage.redis.client import RedisAway


async def livez(_request: Request) -> Response:
    """The process answers; no I/O."""
    return Response(b"ok", media_type="text/plain")


async def _look(request: Request) -> dict[str, object]:
    site = get_deps(request).site
    try:
        service_ms: int | None = site.service_time.now_ms()
    except ClockUnconfirmed:
        service_ms = None
    try:
        # Not a probe: while the breaker is open this fails at once, and what is known is told.
        buffered: int | None = await site.backlog.count(site.keys)
    except (RedisAway, ClockUnconfirmed):
        buffered = None
    seen: dict[str, object] = {
        "postgres": site.writer.postgres_up,
        "redis": site.store.trouble is None,
        "service_ms": service_ms,
        "buffered": buffered,
        "queue": len(site.writer.queue),
        "shedding": site.writer.queue.shedding,
        "disk_free_mb": site.disk.free_mb,
    }
    for store, away in (("postgres", site.writer.away), ("redis", site.store.trouble)):
        if away is not None:
            seen |= {f"{store}_why": away[0], f"{store}_away_s": int(away[1])}
    return seen


async def readyz(request: Request) -> Response:
    """200 when a candidate can be served: the clock is confirmed and one store takes writes. The detail says which, and
    of one that does not why and for how long."""
    seen = await _look(request)
    ready = seen["service_ms"] is not None and bool(seen["postgres"] or seen["redis"])
    body = {"ready": ready, **seen}
    return Response(orjson.dumps(body), 200 if ready else 503, media_type="application/json")


async def role(request: Request) -> Response:
    """`leader` while PostgreSQL takes writes, `buffered-only` while it is away, else `standby`."""
    seen = await _look(request)
    name = "leader" if seen["postgres"] else "buffered-only" if seen["redis"] else "standby"
    return Response(orjson.dumps({"role": name}), media_type="application/json")


async def metrics(_request: Request) -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


ROUTES = [
    Route("/livez", livez),
    Route("/readyz", readyz),
    Route("/role", role),
    Route("/metrics", metrics),
]
