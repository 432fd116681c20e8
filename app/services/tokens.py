"""Device tokens: who may write for which attempt under which epoch, signed by the site.

A token says what was granted; whether it still holds is decided under the attempt's row lock. It carries no time: it
ends with its epoch and with its attempt, and a wall clock that jumps signs nobody out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer

from app.domain.errors import Refused
from app.storage.postgres.engine import attempt_id

REMEMBERED = 8192


@dataclass(frozen=True, slots=True)
class Claims:
    lineage_n: int
    attempt: UUID
    epoch: int
    device_id: str
    seat_id: int


class Tokens:
    """Signs and reads tokens. Reading is remembered: one device sends the same token all session long."""

    def __init__(self, secret: bytes) -> None:
        self._serializer = URLSafeSerializer(
            secret, salt="device-token", signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )
        self.read = lru_cache(maxsize=REMEMBERED)(self._read)

    def sign(self, claims: Claims) -> str:
        return self._serializer.dumps(
            [claims.lineage_n, claims.attempt.hex, claims.epoch, claims.device_id, claims.seat_id]
        )

    def _read(self, token: str) -> Claims:
        try:
            lineage_n, attempt, epoch, device_id, seat_id = self._serializer.loads(token)
            return Claims(lineage_n, attempt_id(attempt), epoch, device_id, seat_id)
        except (BadData, ValueError, TypeError) as fault:
            raise Refused("bad-token") from fault
