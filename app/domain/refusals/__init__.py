"""The words of every refusal, by the area it comes from; a code stands in one of them."""

from __future__ import annotations

from app.domain.refusals import candidates, cases, papers, plans, requests, rooms, service, site, staff, time
from app.domain.refusals.message import Message

AREAS: tuple[dict[str, Message], ...] = (
    candidates.MESSAGES,
    staff.MESSAGES,
    rooms.MESSAGES,
    time.MESSAGES,
    cases.MESSAGES,
    requests.MESSAGES,
    papers.MESSAGES,
    plans.MESSAGES,
    site.MESSAGES,
    service.MESSAGES,
)
