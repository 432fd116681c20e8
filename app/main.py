"""create_app(): the HTTP composition, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from app import background
from app.api import candidate, events, evidence, health, openapi, photos, problems, site_jobs
from app.api.admission import Admission
from app.api.deps import Deps
from app.api.events import Hub
from app.api.middleware import RequestLayer, page_policy
from app.api.staff_routes import staff_routes
from app.domain.checkpoints import Overloaded, StoreAway
from app.domain.errors import ClockUnconfirmed, Refused
from app.services.known import Known
from app.services.notices import Receipts
from app.services.resuming import Resuming
from app.services.room_feed import RoomFeeds
from app.services.site import Site
from app.services.site_work import Jobs
from app.services.sitting import Sitting
from app.services.tokens import Tokens
from app.settings import Settings
from app.worker.ticker import Ticker

log = structlog.get_logger(__name__)
WEB = Path(__file__).parent / "web"
PLANS_EVERY_S = 1.0
STANDBY_S = 1.5
START_WAIT_S = 4.0

# SQLSTATE classes that say "not now": connection, resources, operator, disk, read-only, lock, deadlock.
TRANSIENT = ("08", "53", "57", "58", "25006", "55P03", "40")


def transient(fault: DBAPIError) -> bool:
    """Whether the database could not answer, as against would not."""
    if fault.connection_invalidated:
        return True
    cause = fault.orig.__cause__ if fault.orig is not None else None
    state = getattr(fault.orig, "sqlstate", None) or getattr(cause, "sqlstate", None) or ""
    # A newer release has changed a table under this process: its transaction is undone and its plans are forgotten, so
    # the repeated request goes through.
    again = OSError | asyncpg.InterfaceError | asyncpg.InvalidCachedStatementError
    return state.startswith(TRANSIENT) or isinstance(cause, again)


async def _on_database(request: Request, fault: Exception) -> Response:
    if isinstance(fault, DBAPIError) and not transient(fault):
        raise fault
    return await problems.on_store_fault(request, fault)


async def _on_bug(request: Request, fault: Exception) -> Response:
    request_id = request.scope["state"].get("request_id", "-")
    log.error("bug", request_id=request_id, path=request.url.path, exc_info=fault)
    return problems.problem(Refused("internal", request_id=request_id), problems.language(request))


async def _keep_plans(known: Known, hub: Hub) -> None:
    """Session starts, read once a second; while PostgreSQL is away the last ones hold. Open pages hear of a change."""
    while True:
        try:
            await known.refresh_plans()
            hub.planned(known.plans)
        except (SQLAlchemyError, OSError, TimeoutError) as fault:
            log.debug("session plans not read", fault=repr(fault))
        except Exception:
            log.exception("session plans not read")
        await asyncio.sleep(PLANS_EVERY_S)


def create_app(settings: Settings, *, database_url: str, redis_url: str, standby_s: float = STANDBY_S) -> FastAPI:
    """The application of one process. ``standby_s`` is how long it lets others go first as ticker."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Site.open(settings, database_url, redis_url, name="holdfast-api") as site:
            ticker = Ticker(
                lambda: site.connect_own("ticker"), site.redis_clock, site.service_time, settings, standby_s=standby_s
            )
            known = Known(site)
            rooms = RoomFeeds(site)
            hub = Hub(site, known, rooms)
            receipts = Receipts(site)
            app.state.deps = Deps(
                site, Tokens(site.secret), known, Sitting(site, known), Resuming(site, known), receipts
            )
            app.state.hub, app.state.room_feeds = hub, rooms
            app.state.site_jobs = jobs = Jobs(site)
            app.state.loop = asyncio.get_running_loop()
            await ticker.start()
            await hub.start()
            await receipts.start()
            plans = asyncio.create_task(_keep_plans(known, hub))
            # A process takes connections from the shared socket only when it can answer them, or when nobody can.
            await site.settled(START_WAIT_S)
            try:
                yield
            finally:
                await background.end(plans)
                await jobs.stop()
                await hub.stop()
                await receipts.stop()
                await ticker.stop()

    app = FastAPI(
        title="Holdfast", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/openapi.json"
    )
    # Innermost: also its refusals carry the headers by which a page of another server may read them.
    app.add_middleware(Admission, limit=settings.max_requests)
    if settings.servers:
        # A page loaded from one server talks to the others when its own is gone: listed origins only.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.servers,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Accept-Language", "Idempotency-Key", "Told-By"],
            expose_headers=["Retry-After", "X-Request-Id"],
        )
    app.add_middleware(
        RequestLayer,
        policy=page_policy(settings.servers),
        max_body_bytes=settings.max_body_bytes,
        larger={
            evidence.PATH: settings.max_evidence_bytes,
            photos.PATH: settings.max_photos_bytes,
            site_jobs.PATH: settings.max_import_bytes,
        },
    )
    for known in (Refused, StoreAway, Overloaded, ClockUnconfirmed):
        app.add_exception_handler(known, problems.on_known)
    for away in (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, PoolTimeout, OSError):
        app.add_exception_handler(away, _on_database)
    app.add_exception_handler(HTTPException, problems.on_http)
    app.add_exception_handler(RequestValidationError, problems.on_invalid)
    app.add_exception_handler(Exception, _on_bug)
    app.router.routes.extend(candidate.ROUTES)
    app.router.routes.extend(photos.ROUTES)
    app.router.routes.extend(events.ROUTES)
    app.router.routes.extend(health.ROUTES)
    app.router.routes.extend(
        [
            Route("/", _page("candidate")),
            Route("/console", _page("console")),
            Mount("/web", StaticFiles(directory=WEB, html=False)),
        ]
    )
    # Last: a hundred patterns that no candidate's request has to be held against.
    app.router.routes.extend(staff_routes(settings))
    openapi.install(app)
    return app


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(_request: Request) -> Response:
        return FileResponse(WEB / name / "index.html", headers={"Cache-Control": "no-cache"})

    return page
