"""Device tokens: what was signed is read again, and nothing else is."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from app.domain.errors import Refused
from app.services.tokens import Claims, Tokens

SECRET = b"a test secret of at least 32 bytes"
CLAIMS = Claims(lineage_n=2, attempt=uuid4(), epoch=2_000_001, device_id="pc-7", seat_id=7)


@pytest.mark.parametrize("jump_s", [-172_800, -1, 1, 172_800])
def test_a_server_whose_wall_clock_jumps_signs_nobody_out(monkeypatch, jump_s):
    token = Tokens(SECRET).sign(CLAIMS)
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + jump_s)
    # Another process of the site, which has not read the token before.
    assert Tokens(SECRET).read(token) == CLAIMS


@pytest.mark.parametrize(
    "change", [lambda token: token[:-2], lambda token: "A" + token[1:], lambda _: "", lambda _: "x"]
)
def test_a_token_that_was_changed_is_refused(change):
    token = Tokens(SECRET).sign(CLAIMS)
    with pytest.raises(Refused) as refusal:
        Tokens(SECRET).read(change(token))
    assert refusal.value.code == "bad-token"


def test_a_token_of_another_site_is_refused():
    with pytest.raises(Refused):
        Tokens(SECRET).read(Tokens(SECRET[::-1]).sign(CLAIMS))
