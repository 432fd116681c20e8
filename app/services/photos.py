"""Candidates' photos: a folder or archive of them brought into the record, all of it or nothing.

1. Every file is read, matched and made small, in a thread, outside any transaction: minutes of work hold nothing.
2. Faults are found before anything is written. With one, nothing is: half a hall without photos at the door is found
   out too late. ``skip_faulty`` is for the evening before, when one damaged file of 1,880 must not keep the others out;
   it is said, and what was skipped is in the report and on the audit log.
3. The exam's row is locked and the roster read again: whoever is no longer called what the file was matched by is not
   given somebody's face (import-outdated). Photos and audit entry are one transaction.

A file that matches nobody is no fault: an office has one folder for several exams.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import Refused
from app.domain.photos import Fault, Faulty, People, Person, Report, shown
from app.domain.roles import allows
from app.importers.photos import Found, Source
from app.importers.portrait import CONTENT_TYPE, NotAPortrait, is_picture, portrait
from app.services.staff_requests import Done
from app.storage.postgres import exams, photos
from app.storage.postgres.exams import Exam
from app.storage.postgres.staff import Login

log = structlog.get_logger(__name__)
Progress = Callable[[int, int], None]
# How many tickets an audit entry names; the counts are complete.
NAMED = 200


@dataclass(frozen=True, slots=True)
class Face:
    """What is to be stored for one candidate."""

    person: Person
    sha256: str
    body: bytes
    file: str


@dataclass(slots=True)
class Prepared:
    """Everything that was read, and what of it can be used. ``sha256`` is the digest of all usable pictures."""

    exam: Exam
    source: str
    files: int = 0
    faces: dict[int, Face] = field(default_factory=dict)
    unmatched: list[str] = field(default_factory=list)
    faults: list[Faulty] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for one in sorted(self.faces):
            digest.update(f"{one} {self.faces[one].sha256}\n".encode())
        return digest.hexdigest()


def prepare(exam: Exam, people: list[Person], source: Source, told: Progress) -> Prepared:
    """Read and match everything; takes a core for its time, so never on the event loop."""
    found = People(people)
    prepared = Prepared(exam, source.name)
    told(0, len(source))
    for done, file in enumerate(source, 1):
        prepared.files += 1
        _take(prepared, found, file)
        told(done, len(source))
    return prepared


def _take(prepared: Prepared, people: People, file: Found) -> None:
    who = people.named(file.path)
    name = shown(file.path)
    if not who:
        prepared.unmatched.append(name)
        return
    ticket = who[0].ticket if len(who) == 1 else None

    def fault(what: Fault) -> None:
        prepared.faults.append(Faulty(name, what, ticket))

    if file.body is None:
        fault("large")
    elif len(who) > 1:
        fault("several")
    elif not file.body:
        fault("damaged")
    elif not is_picture(file.body):
        fault("type")
    else:
        try:
            body = portrait(file.body)
        except NotAPortrait as found:
            fault(found.fault)
            return
        face = Face(who[0], hashlib.sha256(body).hexdigest(), body, name)
        known = prepared.faces.setdefault(who[0].id, face)
        if known.sha256 != face.sha256:
            fault("double")


def report(prepared: Prepared, people: list[Person], *, skip_faulty: bool, dry_run: bool) -> Report:
    """What storing it does, to the photos there are now."""
    told = Report(prepared.exam.code, prepared.source, files=prepared.files)
    told.unmatched, told.faults = prepared.unmatched, prepared.faults
    told.people = len(people)
    usable = _usable(prepared)
    kept_out = bool(prepared.faults) and not skip_faulty
    for one in people:
        face = usable.get(one.id)
        if one.sha256 is None and (face is None or kept_out):
            told.missing.append((one.ticket, one.name))
        if face is None:
            continue
        if one.sha256 is None:
            told.added += 1
        elif one.sha256 == face.sha256:
            told.same += 1
        else:
            told.replaced.append(one.ticket)
    if kept_out:
        told.state = "faulty"
    elif told.added or told.replaced:
        told.state = "would-import" if dry_run else "imported"
    return told


def _usable(prepared: Prepared) -> dict[int, Face]:
    """Of two different pictures of one person neither is sure."""
    double = {one.ticket for one in prepared.faults if one.fault == "double"}
    return {one: face for one, face in prepared.faces.items() if face.person.ticket not in double}


async def store(conn: AsyncConnection, prepared: Prepared, *, skip_faulty: bool) -> tuple[Report, Done]:
    """Write it. Refused import-outdated: the roster has changed since the files were matched."""
    await exams.lock(conn, prepared.exam.id)
    people = await photos.people(conn, prepared.exam.id)
    now = {one.id: one for one in people}
    usable = _usable(prepared)
    for face in usable.values():
        one = now.get(face.person.id)
        if one is None or (one.ticket, one.id_number) != (face.person.ticket, face.person.id_number):
            raise Refused("import-outdated")
    told = report(prepared, people, skip_faulty=skip_faulty, dry_run=False)
    if told.state == "faulty":
        raise Refused("photos-faulty", n=len(told.faults))
    fresh = [(one, face.sha256, face.body) for one, face in usable.items() if now[one].sha256 != face.sha256]
    for at in range(0, len(fresh), photos.CHUNK):
        await photos.put(conn, fresh[at : at + photos.CHUNK], CONTENT_TYPE)
    if told.state != "imported":
        return told, Done(told.as_json())
    subject: dict[str, object] = {
        "exam": told.exam, "source": shown(told.source), "sha256": prepared.sha256, "files": told.files,
        "added": told.added, "replaced": len(told.replaced), "same": told.same, "unmatched": len(told.unmatched),
        "skipped": len(told.faults), "missing": len(told.missing),
    }  # fmt: skip
    if told.replaced:
        subject["tickets"] = told.replaced[:NAMED]
    log.info("photos imported", exam=told.exam, added=told.added, replaced=len(told.replaced))
    return told, Done(told.as_json(), "photos.imported", subject)


async def for_staff(conn: AsyncConnection, login: Login, session_id: int, ticket: str) -> int:
    """The candidate's id, for whoever receives them. Refused: not-found, not-permitted."""
    found = await photos.rooms_of(conn, session_id, ticket)
    if found is None:
        raise Refused("not-found")
    candidate_id, rooms = found
    if not any(allows(login.role, "check-in", room_id=one, own_room_ids=login.own_room_ids) for one in rooms):
        raise Refused("not-permitted")
    return candidate_id


async def missing(conn: AsyncConnection, exam_id: int) -> dict[str, object]:
    """``{exam, people, missing: [{ticket, name}]}``: who has no photo. Refused not-found."""
    people = await photos.people(conn, exam_id)
    found = next((one for one in await exams.every(conn) if one.id == exam_id), None)
    if found is None:
        raise Refused("not-found")
    without = [{"ticket": one.ticket, "name": one.name} for one in people if one.sha256 is None]
    return {"exam": found.code, "name": found.name, "people": len(people), "missing": without}
