"""The disk of PostgreSQL fills up: refused loudly before data is at risk, and back without a restart."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.candidates import Candidate
from tests.faults.own import (
    answered,
    caught_up,
    hall,
    own_postgres,
    place,
    says_what_cannot_work,
    seat,
    until_answered,
    until_ready,
)

pytestmark = pytest.mark.faults
MB = 1 << 20


@pytest.fixture
def small_disk():
    """A disk of its own, small enough to be filled."""
    with place() as at:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=420m,mode=755", "holdfast-test", at],
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            pytest.skip(f"a disk to fill needs the right to mount one: {made.stderr.strip() or made.returncode}")
        try:
            yield at
        finally:
            subprocess.run(["umount", "-l", at], check=True)


def fill(disk: Path, leave: int) -> Path:
    """A file that leaves ``leave`` bytes free."""
    ballast = disk / "ballast"
    seen = os.statvfs(disk)
    with ballast.open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, seen.f_bavail * seen.f_frsize - leave))
    return ballast


@pytest.mark.parametrize(
    ("reserve_mb", "leave"), [(64, 40 * MB), (0, 0)], ids=["below the reserve", "to the last byte"]
)
async def test_a_full_disk_is_refused_loudly_and_survived(small_disk, redis_url, redis, reserve_mb, leave):
    """With the reserve PostgreSQL never meets the end of its disk; without it, it does (53100) and survives it."""
    with own_postgres(small_disk, shared_buffers="32MB", max_wal_size="64MB") as own:
        async with hall(own.url, redis_url, data_dir=small_disk, disk_reserve_mb=reserve_mb) as (
            app,
            client,
            engine,
            made,
        ):
            one, stranger = await seat(client, made.people[0]), Candidate(client, made.people[1])
            essay = "水" * 6000
            assert await answered(one, made.items[0], "A") == "durable"
            pid, ballast = own.pid, fill(small_disk, leave)
            await until_answered(one, made.items[4], essay, "buffered")
            seen = await until_ready(client, postgres=False, postgres_why="disk-full", ready=True)
            assert seen["disk_free_mb"] <= leave // MB
            await says_what_cannot_work(one, stranger)
            # It stays so while it is full, and is not flapping: no answer is the probe.
            for n in range(8):
                assert await answered(one, made.items[3], [str(n)]) == "buffered"
            assert own.pid == pid
            assert own.running
            ballast.unlink()
            await until_ready(client, postgres=True)
            await caught_up(app, one, {made.items[0]: "A", made.items[4]: essay, made.items[3]: ["7"]})
            assert (await stranger.sign_in()).status_code == 200
            async with engine.connect() as conn:
                assert await conn.scalar(text("SELECT count(*) FROM response")) == 3
