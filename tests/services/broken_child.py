"""A child of a console job that runs into a fault of the program."""

from __future__ import annotations

from typing import Any

from app.services.site_child import End, serve


async def _breaks(asked: dict[str, Any], *_: object) -> End:
    return End("done", asked["what was never asked"])


if __name__ == "__main__":
    serve(_breaks, "holdfast-test")
