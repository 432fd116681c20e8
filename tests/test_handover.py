"""Connections that go from one process to another: no byte of a client is lost on the way."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager

import pytest

from app import handover
from app.handover import Handover


@contextmanager
def shared():
    """The pair, as two processes hold it."""
    give, take = handover.pair()
    with give, take:
        yield Handover(give, take), Handover(give, take), give


async def until(condition) -> None:
    for _ in range(1200):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("never")


async def test_what_a_client_has_sent_already_is_read_by_the_other_process():
    client, connection = socket.socketpair()
    taken: list[socket.socket] = []
    with shared() as (old, new, _), client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        # Nobody listens yet: it waits.
        assert old.pass_on(connection.fileno())
        connection.close()
        client.sendall(b"\r\n")
        new.listen(taken.append)
        await until(lambda: taken)
        new.deafen()
        with taken[0] as adopted:
            assert adopted.recv(100) == b"GET / HTTP/1.1\r\n\r\n"
            adopted.sendall(b"ok")
            assert client.recv(10) == b"ok"


async def test_nobody_to_take_is_told_apart_from_not_now():
    client, connection = socket.socketpair()
    with shared() as (old, new, give), client, connection:
        given = 0
        while old.pass_on(connection.fileno()):
            given += 1
            assert given < 100_000
        assert old.open, "full is not closed"
        taken: list[socket.socket] = []
        new.listen(taken.append)
        await until(lambda: len(taken) == given)
        assert old.pass_on(connection.fileno())
        give.shutdown(socket.SHUT_RDWR)
        assert not old.pass_on(connection.fileno())
        assert not old.open
        await until(lambda: not new.open)
        for one in taken:
            one.close()
