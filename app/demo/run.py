"""``holdfast demo``: the whole product on one machine, from nothing to a running exam, and back again after a stop.

Order of starting (stopping is the reverse, whatever happened): the directory, the stores, the schema, the exam if
there is none yet, the server's processes, the simulated candidates. The exam is made, and its first session started,
while no server runs: the service counter stands until the first process ticks, so nobody loses a second of the 90
minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.demo import build, day, simulate
from app.demo.accounts import ACCOUNTS
from app.demo.people import Hall, hall
from app.demo.place import Place
from app.demo.refusals import DemoRefused
from app.demo.screen import Screen
from app.domain.errors import Refused
from app.embedded.places import log_file
from app.embedded.stores import Urls, stores
from app.logs import configure
from app.secrets import site_secret
from app.settings import Settings
from app.storage.postgres.engine import create_engine, migrate
from app.supervise import Supervisor, listen

READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    port: int
    data_dir: Path
    simulate: int
    workers: int
    fresh: bool
    json: bool
    candidates: int


class Stop:
    """SIGINT, SIGTERM and SIGHUP: while the demo starts they interrupt, once it runs they end the wait."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._asked = threading.Event()
        self._running = False

    @contextmanager
    def heard(self) -> Iterator[Stop]:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._hear) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, _number: int, _frame: object) -> None:
        again = self._asked.is_set()
        self._asked.set()
        # A second Ctrl-C must not cut short the stopping that the first one began.
        if not self._running and not again:
            raise KeyboardInterrupt

    def wait(self, simulated: subprocess.Popen[bytes] | None) -> None:
        """Until asked to stop."""
        self._running = True
        while not self._asked.wait(0.5):
            if simulated is not None and simulated.poll() is not None:
                self._screen.say("模拟考生已停止", "the simulated candidates have stopped")
                simulated = None
        self._screen.say("正在停止，答案和时钟都已保存", "stopping; answers and clocks are kept")


def run(options: Options) -> None:
    """Run the demo until it is told to stop. DemoRefused, EmbeddedError or Refused when it cannot start."""
    began = time.monotonic()
    # What the shell says about a real server's stores must never reach the demo.
    settings = Settings(
        data_dir=options.data_dir.absolute(),
        port=options.port,
        workers=options.workers,
        database_url=None,
        redis_url=None,
        demo=True,
        log_format="console",
    )
    configure(settings)
    screen = Screen(json_on_stdout=options.json)
    _refuse_busy_port(settings)
    place = Place(settings.data_dir)
    with Stop(screen).heard() as stop, ExitStack() as stack:
        stack.enter_context(place.hold())
        is_new, size = place.begin(fresh=options.fresh, candidates=options.candidates)
        people = hall(size)
        # No simulated candidate is ever a listed one.
        simulated_n = min(options.simulate, simulate.most(people))
        with screen.step("启动 PostgreSQL 与 Redis", "start PostgreSQL and Redis"):
            urls = stack.enter_context(stores(settings))
        with screen.step("建立数据库结构", "bring the database to this version"):
            migrate(urls.database_url)
        if is_new:
            asyncio.run(_make(settings, urls.database_url, people, screen))
        with screen.step(f"启动 {settings.workers} 个服务进程", f"start {settings.workers} server processes"):
            last_term = asyncio.run(_term(settings, urls.database_url))
            server = _serve(settings, urls, stack)
            url = f"http://{settings.host}:{server.port}"
            _wait_until_ready(url, settings.data_dir)
            clocks = asyncio.run(_look_at_the_day(settings, urls.database_url, last_term))
        place.mark(candidates=len(people.people), ready=True)
        simulated = _simulate(url, simulated_n, people, settings.data_dir, stack)
        screen.ready(
            url=url,
            people=people.listed(),
            sessions=clocks,
            simulated=simulated_n,
            data_dir=settings.data_dir,
            took_s=time.monotonic() - began,
        )
        if options.json:
            _tell(sys.stdout, url, people, server, urls)
        stop.wait(simulated)


def _refuse_busy_port(settings: Settings) -> None:
    """Say so at once, not after a minute of work."""
    if settings.port:
        try:
            listen(settings.host, settings.port).close()
        except Refused as refusal:
            other = settings.port + 1 if settings.port < 65535 else 8080
            raise DemoRefused(
                "demo-port-busy", port=settings.port, reason=refusal.params["fault"], other=other
            ) from refusal


def _serve(settings: Settings, urls: Urls, stack: ExitStack) -> Supervisor:
    output = stack.enter_context(log_file(settings.data_dir, "app").open("ab"))
    environment = {
        "HOLDFAST_DATA_DIR": str(settings.data_dir),
        "HOLDFAST_DATABASE_URL": urls.database_url,
        "HOLDFAST_REDIS_URL": urls.redis_url,
        "HOLDFAST_HOST": settings.host,
        "HOLDFAST_WORKERS": str(settings.workers),
        "HOLDFAST_DEMO": "1",
        "HOLDFAST_LOG_FORMAT": "json",
    }
    server = Supervisor(settings, environment, output=output)
    stack.callback(server.stop)
    server.start()
    return server


def _wait_until_ready(url: str, data_dir: Path) -> None:
    """Return once the server can serve. Refused `demo-not-ready` after a minute."""
    deadline = time.monotonic() + READY_S
    seen = "no answer"
    # No proxy of the environment stands between the demo and its own loopback.
    with httpx.Client(trust_env=False, timeout=2.0) as client:
        while time.monotonic() < deadline:
            try:
                reply = client.get(f"{url}/readyz")
                seen = f"{reply.status_code} {reply.text}"
                if reply.status_code == 200 and reply.json()["postgres"]:
                    return
            except httpx.TransportError as fault:
                seen = str(fault)
            time.sleep(0.1)
    raise DemoRefused("demo-not-ready", seconds=round(READY_S), seen=seen, logs=data_dir / "logs")


async def _make(settings: Settings, database_url: str, people: Hall, screen: Screen) -> None:
    """The exam, up to the moment at which its first session starts."""
    async with _engine(settings, database_url) as engine:
        count = len(people.people)
        with screen.step(f"导入 {count} 名应考人员与题库", f"import {count} candidates and the bank") as tell:
            await build.import_files(engine, people, site_secret(settings), tell)
        with screen.step("抽题组卷，一人一卷", "draw a paper for each of them") as tell:
            await build.draw(engine, tell)
        with screen.step("建立考务账户", "add the staff's accounts"):
            await build.add_staff(engine, people)
        await day.open_day(engine)


async def _term(settings: Settings, database_url: str) -> int:
    async with _engine(settings, database_url) as engine:
        return await day.term(engine)


async def _look_at_the_day(settings: Settings, database_url: str, last_term: int) -> list[day.SessionClock]:
    """Where every session stands; one that missed its start while the demo was down starts a new countdown.

    Only the beginning of the new term says which ones missed it, and the server is ready a moment earlier.
    """
    async with _engine(settings, database_url) as engine:
        try:
            async with asyncio.timeout(READY_S):
                while await day.term(engine) == last_term:  # noqa: ASYNC110 -- it lies in the database
                    await asyncio.sleep(0.05)
        except TimeoutError as fault:
            logs = settings.data_dir / "logs"
            raise DemoRefused("demo-not-ready", seconds=round(READY_S), seen="no term", logs=logs) from fault
        await day.release_held(engine)
        return await day.clocks(engine)


@asynccontextmanager
async def _engine(settings: Settings, database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, settings, name="holdfast-demo", pool_size=2)
    try:
        yield engine
    finally:
        await engine.dispose()


def _simulate(url: str, count: int, people: Hall, data_dir: Path, stack: ExitStack) -> subprocess.Popen[bytes] | None:
    if count == 0:
        return None
    output = stack.enter_context(log_file(data_dir, "simulate").open("ab"))
    given = {"url": url, "count": count, "candidates": len(people.people), "data-dir": data_dir}
    child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
        [sys.executable, "-m", "app.demo.simulate", *(f"--{name}={value}" for name, value in given.items())],
        # Its end of this pipe closes with us, however we end, and that is its sign to go.
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    stack.callback(_end, child)
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _tell(out: TextIO, url: str, people: Hall, server: Supervisor, urls: Urls) -> None:
    """The one line of ``--json``."""
    line: dict[str, Any] = {
        "url": url,
        "candidates": [
            {
                "ticket": person.ticket,
                "id_tail": person.id_tail,
                "seat": str(person.seat),
                "room": person.room,
                "session": person.session,
            }
            for person in people.listed()
        ],
        "staff": [
            {"role": account.role, "username": account.username, "password": account.password} for account in ACCOUNTS
        ],
        "pids": {"app": server.pids, **urls.pids},
    }
    out.write(json.dumps(line, ensure_ascii=False) + os.linesep)
    out.flush()
