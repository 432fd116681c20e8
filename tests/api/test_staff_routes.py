"""What a process has done before its first request comes."""

from __future__ import annotations

import pytest
from fastapi import routing

from app.api import staff_routes
from app.main import create_app
from tests.candidates import test_settings


def test_no_request_waits_for_the_routes_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    staff_routes._routes.cache_clear()
    app = create_app(test_settings(), database_url="postgresql:///-", redis_url="redis://-/0")
    read = []
    monkeypatch.setattr(routing, "get_dependant", lambda **given: read.append(given))
    for route in app.routes:
        route.matches({**staff_routes.NOWHERE, "path": "/api/v1/staff/audit"})
    assert read == []
    again = create_app(test_settings(), database_url="postgresql:///-", redis_url="redis://-/0")
    shared = staff_routes.staff_routes(test_settings())
    assert again.routes[-len(shared) :] == list(shared)
