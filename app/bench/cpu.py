"""Which processes the time goes to: CPU seconds of everything this process has started, by role.

Unlike a rate it hardly depends on what else the machine is doing, so the ratio of two sums is the steadiest figure
there is on a shared one.
"""

from __future__ import annotations

import psutil

API, POSTGRES, REDIS, WORKER, CLIENT = "api", "postgres", "redis", "worker", "client"
ROLES = (API, POSTGRES, REDIS, WORKER, CLIENT)


def _role(command: list[str]) -> str | None:
    told = " ".join(command)
    if "app.processes" in told:
        return WORKER if " worker" in told else API
    if "redis-server" in told:
        return REDIS
    return POSTGRES if told.startswith("postgres:") or "/postgres -D" in told else None


def used() -> dict[str, float]:
    """CPU seconds so far, user and system, by role; ``client`` is this process itself."""
    me = psutil.Process()
    seconds = dict.fromkeys(ROLES, 0.0)
    mine = me.cpu_times()
    seconds[CLIENT] = mine.user + mine.system
    for one in me.children(recursive=True):
        try:
            role, times = _role(one.cmdline()), one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        if role is not None:
            seconds[role] += times.user + times.system
    return seconds


def each(before: dict[str, float], after: dict[str, float], n: int) -> dict[str, float]:
    """Microseconds per request between two looks, by role; nan for all when there was no request."""
    return {role: (after[role] - before[role]) / n * 1e6 if n else float("nan") for role in ROLES}
