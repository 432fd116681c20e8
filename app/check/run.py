"""The whole check: settings, machine, both stores."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass

from pydantic import SecretStr

from app.check.judge import judge_machine, judge_postgres, judge_redis
from app.check.look import look_at_machine, look_at_postgres, look_at_redis
from app.check.words import Finding
from app.embedded.errors import EmbeddedError
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.reference import SettingRow, setting_rows
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Report:
    settings: list[SettingRow]
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        """Nothing that was looked at is a reason not to start an exam."""
        return all(finding.level != "fail" for finding in self.findings)


def check(settings: Settings) -> Report:
    """Look at everything. An embedded store is started for it, unless the running server has it already."""
    findings = list(judge_machine(look_at_machine(settings), settings))
    with ExitStack() as stack:
        try:
            database_url = _external(settings.database_url) or _start_or_join(
                stack, EmbeddedPostgres(settings.data_dir)
            )
            findings += judge_postgres(asyncio.run(look_at_postgres(database_url, settings)), settings)
        except EmbeddedError as error:
            findings.append(_refused(error))
        try:
            redis_url = _external(settings.redis_url) or _start_or_join(stack, EmbeddedRedis(settings.data_dir))
            findings += judge_redis(asyncio.run(look_at_redis(redis_url, settings)))
        except EmbeddedError as error:
            findings.append(_refused(error))
    return Report(setting_rows(settings), findings)


def _external(url: SecretStr | None) -> str | None:
    return None if url is None else url.get_secret_value()


def _refused(error: EmbeddedError) -> Finding:
    return Finding(error.code, "fail", error.text("zh"), error.text("en"))


def _start_or_join(stack: ExitStack, store: EmbeddedPostgres | EmbeddedRedis) -> str:
    try:
        stack.enter_context(store)
    except EmbeddedError as error:
        # Held by the running server: that one is what should be looked at, and its address is known.
        if error.code != "embedded-in-use":
            raise
    return store.url
