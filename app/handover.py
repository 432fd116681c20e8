"""Open connections go from an API process that ends to one that stays.

A client that keeps its connection open may send its next request at the very moment at which the server closes it. The
request then meets a reset, and nobody can tell the client beforehand: that is a hole in HTTP/1.1 keep-alive, not in a
server. So a connection on which nothing is under way is not closed. Its descriptor is passed on (``SCM_RIGHTS``)
through a socket that all API processes share, and what the client sends, or has sent already, lies in the kernel until
the other process reads it.

The shared socket is a connected pair of the supervisor's: every process may put descriptors in, and whichever is first
takes one out. While nobody takes (a single process between its end and its successor's start) they wait there. When the
whole server stops, the supervisor shuts the pair down and everybody closes their connections themselves.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


def pair() -> tuple[socket.socket, socket.socket]:
    """(give, take), to be inherited by every API process."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
        end.set_inheritable(True)
    return ends


class Handover:
    """One process's hold of the pair. ``adopt`` is given each connection that is taken, as a non-blocking socket."""

    def __init__(self, give: socket.socket, take: socket.socket) -> None:
        self._give = give
        self._take = take
        self._adopt: Callable[[socket.socket], None] | None = None
        self.open = True

    def listen(self, adopt: Callable[[socket.socket], None]) -> None:
        self._adopt = adopt
        asyncio.get_running_loop().add_reader(self._take.fileno(), self._arrived)

    def deafen(self) -> None:
        """Take no more."""
        if self._adopt is not None:
            asyncio.get_running_loop().remove_reader(self._take.fileno())
            self._adopt = None

    def pass_on(self, descriptor: int) -> bool:
        """Put a copy of the connection in. False: not now, the pair is full; or never again, then ``open`` is False."""
        if not self.open:
            return False
        try:
            socket.send_fds(self._give, [b"c"], [descriptor])
        except BlockingIOError:
            return False
        except OSError as fault:
            self.open = False
            log.info("connections are not passed on", fault=str(fault))
            return False
        return True

    def _arrived(self) -> None:
        # One at a turn: the other processes are woken by the same news, and should have their share.
        try:
            said, descriptors, _flags, _address = socket.recv_fds(self._take, 1, 1)
        except BlockingIOError:
            return
        except OSError as fault:
            log.warning("no connection taken", fault=str(fault))
            return
        if not said:
            self.open = False
            self.deafen()
            return
        for descriptor in descriptors:
            taken = socket.socket(fileno=descriptor)
            taken.setblocking(False)
            if self._adopt is not None:
                self._adopt(taken)
