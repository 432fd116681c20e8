"""Instants at the edges of time and numbers beyond any use are answered in words, and never by a fault."""

from __future__ import annotations

import secrets

import pytest

from tests.doors import hall
from tests.staff import signed_in

__all__ = ["hall"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, LAST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
MOST = 2**63 - 1


async def test_the_edges_of_time_and_of_numbers(hall):
    made, _, _ = await hall.at(1_800_000)
    admin = await signed_in(hall.client, hall.engine, "admin")
    here = {"session": made.session_id}
    ill = {**here, "plan": "12"}
    asked = [admin.get("/audit", **{edge: at, "limit": 1}) for edge in ("from", "to") for at in (FIRST, LAST)]
    scope = {**here, "kind": "room", "rooms": [made.room_id]}
    for begin, end in ((FIRST, LAST), (FIRST, FIRST), (LAST, LAST)):
        credit = {"scope": scope, "from_at": begin, "to_at": end, "reason": "power"}
        asked += [admin.post("/time/preview", {**credit, "action": "credit"}), admin.post("/time/proposals", credit)]
    for ms in (MOST, -MOST):
        credit = {"action": "credit", "scope": scope, "from_ms": ms, "to_ms": ms, "reason": "power"}
        extend = {"action": "extend", "scope": scope, "ms": ms, "reason": "power"}
        asked += [admin.post("/time/preview", body) for body in (credit, extend)]
    asked += [
        admin.post("/incidents", {**ill, "scope": {"kind": "room", "rooms": [made.room_id]}, "from_ms": MOST}),
        admin.post("/incidents", {**ill, "scope": {"kind": "room", "rooms": [MOST]}}),
        admin.get("/discrepancies/about", **here, room=MOST, ticket="x"),
        admin.get("/discrepancies/about", **here, room=MOST + 1, ticket="x"),
    ]  # fmt: skip
    for start in ("0001-01-01T00:00:00", "9999-12-31T23:59:00"):
        session = {"name": secrets.token_hex(3), "start": start, "minutes": 60}
        asked.append(admin.post(f"/site/exams/{made.exam_id}/sessions", session))
    replies = [await one for one in asked]
    assert [(reply.request.url.path, reply.text) for reply in replies if reply.status_code >= 500] == []
