"""The candidate's request bodies, decoded by msgspec: shape and size are checked while decoding."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from app.domain.errors import Refused
from app.services.sitting import Answered, Sent
from app.settings import Settings

Count = Annotated[int, Meta(ge=0, le=2**53)]
# No NUL: PostgreSQL cannot hold one in a text.
Short = Annotated[str, Meta(max_length=64, pattern=r"^[^\x00]*$")]


class ResponseIn(Struct, forbid_unknown_fields=True):
    item: Annotated[int, Meta(ge=1, le=2**53)]
    rev: Annotated[int, Meta(ge=1, le=2**53)]
    at_ms: Count
    value: str | list[str] | None = None


class CheckpointIn(Struct):
    seq: Annotated[int, Meta(ge=1, le=2**53)]
    responses: list[ResponseIn] = []
    position: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    marked: Annotated[list[Count], Meta(max_length=2000)] | None = None
    elapsed_ms: Count = 0
    lineage: Short | None = None
    count: Count | None = None
    time_up: bool = False


class LeaseIn(Struct):
    device_id: Short
    lease_secret: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00]*$")]


class EventReceiptsIn(Struct):
    """Notices that the page has shown."""

    notices: Annotated[list[Annotated[int, Meta(ge=1, le=2**53)]], Meta(max_length=50)]


class SeatIn(Struct):
    room: Short | None = None
    seat: Short | None = None


class SignInIn(Struct):
    ticket: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    id_tail: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    device_id: Short | None = None
    lease_secret: Annotated[str, Meta(max_length=128, pattern=r"^[^\x00]*$")] | None = None
    seat: SeatIn | None = None


checkpoint_decoder = msgspec.json.Decoder(CheckpointIn)
sign_in_decoder = msgspec.json.Decoder(SignInIn)
lease_decoder = msgspec.json.Decoder(LeaseIn)
event_receipts_decoder = msgspec.json.Decoder(EventReceiptsIn)
_encoder = msgspec.json.Encoder()


def decode_sign_in(body: bytes) -> SignInIn:
    try:
        return sign_in_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError) as fault:
        raise Refused("bad-body", reason=str(fault)) from fault


def decode_lease(body: bytes) -> LeaseIn:
    try:
        return lease_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError) as fault:
        raise Refused("bad-body", reason=str(fault)) from fault


def decode_event_receipts(body: bytes) -> list[int]:
    try:
        return event_receipts_decoder.decode(body).notices
    except (msgspec.DecodeError, UnicodeError) as fault:
        raise Refused("bad-body", reason=str(fault)) from fault


def decode_checkpoint(body: bytes, settings: Settings) -> Sent:
    """A checkpoint request. Refused `bad-body` or `too-many-responses`.

    A NUL or a lone surrogate cannot be stored as text. Such a response is passed on without its canonical form, which
    the sitting refuses by itself, so that its neighbours in the request are unharmed.
    """
    try:
        data = checkpoint_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError) as fault:
        data = _leniently(body, fault)
    if len(data.responses) > settings.max_responses:
        raise Refused("too-many-responses", limit=settings.max_responses)
    return Sent(
        seq=data.seq,
        responses=[Answered(one.item, one.rev, one.value, one.at_ms, _text(one.value)) for one in data.responses],
        position=data.position,
        marked=None if data.marked is None else _encoder.encode(data.marked).decode(),
        elapsed_ms=data.elapsed_ms,
        lineage=data.lineage,
        count=data.count,
        time_up=data.time_up,
    )


def _text(value: str | list[str] | None) -> bytes:
    """The canonical JSON text, empty when the value holds a character that cannot be stored."""
    parts = [value] if isinstance(value, str) else value or []
    if any("\0" in part for part in parts):
        return b""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return b""


def _leniently(body: bytes, fault: Exception) -> CheckpointIn:
    """The standard library reads escaped lone surrogates, which browsers send when half an emoji was deleted."""
    try:
        return msgspec.convert(json.loads(body), CheckpointIn)
    except (ValueError, msgspec.ValidationError, RecursionError):
        raise Refused("bad-body", reason=str(fault)) from fault
