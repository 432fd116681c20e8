"""Every setting of a Holdfast server, in one model.

Each field is read from ``HOLDFAST_<NAME>`` or a ``.env`` file. Every timeout is a ``timedelta`` (ISO 8601 or seconds).
No secret has a working default: the demo makes its own and writes them into its data directory.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HOLDFAST_", env_file=".env", extra="ignore", frozen=True)

    # --- stores
    data_dir: Path = Field(Path(".holdfast"), description="Where embedded stores and generated secrets live.")
    database_url: SecretStr | None = Field(
        None,
        description="postgresql://user:password@host:port/name. Unset: an embedded PostgreSQL under data_dir.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="redis://[:password@]host:port/0 or unix:///path. Unset: an embedded Redis under data_dir.",
    )

    # --- the server
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(2, ge=1, le=64, description="API processes.")
    secret_key: SecretStr | None = Field(
        None, description="Signs device tokens and keys the HMAC of ID tails. At least 32 characters."
    )
    servers: list[str] = Field(
        default_factory=list, description="Addresses of all servers of the site, given to every browser."
    )
    trusted_proxies: list[str] = Field(default_factory=list, description="Proxies whose X-Forwarded-For is believed.")
    demo: bool = Field(False, description="Allow the demo's accounts with fixed passwords.")
    log_format: Literal["json", "console"] = Field("json", description="Structured log lines or coloured ones.")

    # --- checkpoint path (DESIGN §4)
    commit_deadline: timedelta = Field(_seconds(1), description="A commit that takes longer counts as away.")
    lock_timeout: timedelta = Field(_seconds(0.1), description="Longest wait for an attempt's row inside a batch.")
    batch_limit: int = Field(256, ge=1, description="Most requests in one batch.")
    queue_limit: int = Field(20_000, ge=1, description="Most requests waiting for a batch before 503.")
    queue_patience: timedelta = Field(_seconds(2), description="Longest wait for a batch before 503.")
    disk_reserve_mb: int = Field(
        64, ge=0, description="MB under data_dir that stay free: below it an embedded PostgreSQL is not written to."
    )
    redis_timeout: timedelta = Field(_seconds(0.25), description="Longest wait for one Redis call.")
    breaker_cooldown: timedelta = Field(_seconds(0.5), description="Pause before a store that failed is tried again.")
    buffer_keep: timedelta = Field(timedelta(minutes=15), description="How long drained entries stay in the buffer.")

    # --- exam clock (DESIGN §5)
    tick: timedelta = Field(_seconds(0.5), description="How often the ticker advances the counter.")
    max_step: timedelta = Field(_seconds(1), description="Largest single step of the counter.")
    clock_lead: timedelta = Field(_seconds(1), description="How far past the last confirmed value anyone may count.")
    clock_poll: timedelta = Field(_seconds(0.1), description="How often a process reads the counter.")
    reconnect_credit: timedelta = Field(_seconds(60), description="Most that a new term credits one attempt.")
    handover_gap: timedelta = Field(
        _seconds(2), description="A gap between terms shorter than this was nobody's outage."
    )
    frozen_after: timedelta = Field(
        _seconds(2), description="A ticker that asks nothing for this long while the clock stands loses its connection."
    )
    silent_after: timedelta = Field(_seconds(25), description="Seat shown as silent after this long unheard.")
    sweep_every: timedelta = Field(_seconds(1), description="How often ended attempts are looked for.")

    # --- the room
    spare_low: int = Field(1, ge=0, description="A room warns when no more spare seats than this are left.")

    # --- the office's decisions on time (DESIGN I8)
    time_cap: timedelta = Field(
        timedelta(minutes=60), description="Most that one candidate may lose in a session without a recorded decision."
    )
    longest_change: timedelta = Field(
        timedelta(hours=6), description="A single postponement, extension, credit or limit longer than this is a slip."
    )
    changeover: timedelta = Field(
        timedelta(minutes=15), description="Least time between two sessions for the same people or seats."
    )

    # --- evidence of a loss (domain/silence.py; a seat is silent after silent_after)
    loss_every: timedelta = Field(_seconds(3), description="How often silent seats are looked for.")
    loss_share: float = Field(
        0.6, gt=0.5, le=1, description="Share of a room's seats (of a building's rooms, of buildings) that is most."
    )
    loss_least: int = Field(5, ge=2, description="Fewer silent seats than this are no room's loss, whatever the share.")
    loss_onset: timedelta = Field(_seconds(15), description="Seats that fall silent within this have one cause.")
    loss_settle: timedelta = Field(
        _seconds(15), description="After the first seat is heard again the others have this long to end with it."
    )

    # --- limits
    max_connections: int = Field(10_000, ge=1, description="Most open connections of one API process; 503 beyond.")
    max_requests: int = Field(
        4_000, ge=1, description="Most candidates' requests in work at once in one API process before 503."
    )
    max_body_bytes: int = Field(262_144, ge=1024, description="Largest request body.")
    max_evidence_bytes: int = Field(10_485_760, ge=1024, description="Largest photo, scan or text kept as evidence.")
    max_evidence_total_bytes: int = Field(
        10_737_418_240, ge=1024, description="All evidence of one exam together; nothing more is taken beyond."
    )
    max_photos_bytes: int = Field(
        1_073_741_824, ge=1024, description="Largest archive of candidates' photos sent by a browser."
    )
    max_import_bytes: int = Field(33_554_432, ge=1024, description="Largest roster or bank sent by a browser.")
    max_responses: int = Field(200, ge=1, description="Most responses in one checkpoint.")
    max_text_chars: int = Field(20_000, ge=1, description="Longest text response.")
    ticket_failures: int = Field(5, ge=1, description="Failed sign-ins per ticket and window.")
    address_failures: int = Field(1000, ge=1, description="Failed sign-ins per address and window.")
    failure_window: timedelta = Field(timedelta(minutes=5), description="Window for failed sign-ins.")
    login_life: timedelta = Field(timedelta(hours=14), description="How long a staff login lasts.")
    stream_life: timedelta = Field(timedelta(minutes=15), description="An event stream is reopened this often.")
    shutdown_grace: timedelta = Field(_seconds(5), description="Time for requests in flight at SIGTERM.")

    # --- timeouts of ordinary database work
    connect_timeout: timedelta = Field(_seconds(5), description="Opening a database connection.")
    hold_timeout: timedelta = Field(
        _seconds(5), description="Longest use of a pooled connection by a request; then it is cut and 503 answered."
    )
    line_timeout: timedelta = Field(
        _seconds(10), description="A network line to PostgreSQL without any acknowledgement for this long is dead."
    )
    statement_timeout: timedelta = Field(_seconds(30), description="One ordinary statement.")
    job_timeout: timedelta = Field(timedelta(minutes=10), description="One statement or pause of a draw.")

    @field_validator("*", mode="before")
    @classmethod
    def _bare_seconds(cls, value: object, info: ValidationInfo) -> object:
        # From text pydantic reads ISO 8601 only, and everyone writes HOLDFAST_HEARTBEAT=10.
        length = info.field_name is not None and cls.model_fields[info.field_name].annotation is timedelta
        if length and isinstance(value, str):
            with suppress(ValueError):
                return float(value)
        return value


@cache
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
