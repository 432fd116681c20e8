"""The staff's routes, built once for a process.

FastAPI reads the signatures of an included router's routes with the first request that looks for one among them: a
fifth of a second in which nothing else is answered, and of each application again. So the routes are kept, and read
before anybody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from fastapi import APIRouter
from starlette.routing import BaseRoute

from app.api import (
    accounts,
    announcements,
    attendance,
    audit,
    discrepancies,
    evidence,
    exports,
    hall,
    incidents,
    item_reports,
    misconduct,
    office,
    photos,
    printing,
    proposals,
    room_calls,
    room_records,
    rounds,
    site,
    site_jobs,
    staff,
    timing,
)
from app.settings import Settings

MODULES = (
    staff, accounts, audit, attendance, room_records, room_calls, office, rounds, timing, proposals, incidents,
    discrepancies, misconduct, printing, exports, hall, announcements, site, item_reports,
)  # fmt: skip
# What is looked for among all of them and found in none.
NOWHERE = {"type": "http", "method": "GET", "path": "/api/v1/staff/-/-/-", "root_path": "", "headers": []}


def staff_routes(settings: Settings) -> Sequence[BaseRoute]:
    """The routes for these limits of a body's size, ready to answer."""
    return _routes(
        settings.max_body_bytes, settings.max_evidence_bytes, settings.max_import_bytes, settings.max_photos_bytes
    )


@cache
def _routes(body: int, evidence_: int, import_: int, photos_: int) -> Sequence[BaseRoute]:
    found = APIRouter()
    for module in MODULES:
        found.include_router(module.router, max_body_size=body)
    found.include_router(evidence.router, max_body_size=evidence_)
    found.include_router(site_jobs.router, max_body_size=import_)
    found.include_router(photos.router, max_body_size=photos_)
    for route in found.routes:
        route.matches(dict(NOWHERE))
    return tuple(found.routes)
