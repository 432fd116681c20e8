"""Why PostgreSQL cannot be written to, in one word: SQLSTATE or fault → kind.

The word is what `/readyz`, the log and the metrics say, and what docs/operations.md tells a technician to act on.
"""

from __future__ import annotations

import asyncpg

from app.storage.postgres.disk import DiskFull

# The longest matching beginning of a SQLSTATE decides.
KINDS = {
    "08": "unreachable",
    "25006": "read-only",
    "28": "not-permitted",
    "3D000": "no-database",
    "42501": "not-permitted",
    "53": "no-resources",
    "53100": "disk-full",
    "53200": "out-of-memory",
    "53300": "too-many-connections",
    "57P": "shutting-down",
    "57P03": "starting",
    "58": "disk-fault",
}


class ReadOnly(Exception):  # noqa: N818 -- names the state
    """This PostgreSQL answers, and takes no writes."""


def why(fault: BaseException) -> str:
    """One of ``KINDS``' words, `no-answer`, `read-only`, `unreachable`, or the bare SQLSTATE of anything else."""
    if isinstance(fault, ReadOnly | DiskFull):
        return "read-only" if isinstance(fault, ReadOnly) else "disk-full"
    if isinstance(fault, asyncpg.PostgresError):
        state = fault.sqlstate or ""
        for length in (5, 3, 2):
            if state[:length] in KINDS:
                return KINDS[state[:length]]
        return state or "unreachable"
    return "no-answer" if isinstance(fault, TimeoutError) else "unreachable"
