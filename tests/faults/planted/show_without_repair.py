"""A planted bug: a resume shows Redis' answers beside the record's without committing them first (against §4.7)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from app.services import resuming
from app.services.tokens import Claims
from tests.faults.planted.serve import serve


async def _no_repair(*_: object) -> None:
    return None


def plant() -> None:
    resume = resuming.Resuming.resume

    async def merged(self: resuming.Resuming, claims: Claims) -> dict[str, Any]:
        state = await resume(self, claims)
        hot = await self._site.hot().read(claims.attempt)
        for item, one in hot.responses.items() if hot is not None else ():
            known = state["responses"].get(str(item))
            if known is None or (known["epoch"], known["rev"]) < (one.epoch, one.rev):
                shown = {"epoch": one.epoch, "rev": one.rev, "value": one.value, "status": "durable"}
                state["responses"][str(item)] = shown
        return state

    resuming.recovery = SimpleNamespace(repair=_no_repair)
    resuming.Resuming.resume = merged


if __name__ == "__main__":
    serve("show_without_repair")
