"""The migrations make exactly the tables the code knows, and the database itself refuses what must not be."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.storage.postgres import hall_tables
from app.storage.postgres.engine import MIGRATIONS, alembic_config
from app.storage.postgres.tables import IMMUTABLE, metadata
from tests.candidates import SECRET
from tests.factories import world


def test_there_is_one_head_and_every_file_is_dated():
    script = ScriptDirectory.from_config(alembic_config("postgresql://unused"))
    assert len(script.get_heads()) == 1
    names = [path.name for path in (MIGRATIONS / "versions").glob("*.py")]
    assert names
    assert [name for name in names if not re.fullmatch(r"\d{4}_\d\d_\d\d_\d{4}_[a-z_]+\.py", name)] == []


async def test_the_migrations_and_the_tables_in_the_code_are_the_same(db):
    def differences(connection: sa.Connection) -> list:
        options = {
            "compare_type": True,
            "compare_server_default": False,
            # Partitions of the history are made per session, not by the model.
            "include_name": lambda name, kind, _: not (kind == "table" and str(name).startswith("response_history_")),
        }
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert await db.run_sync(differences) == []


def test_the_long_work_of_a_migration_is_done_before_it_holds_what_everybody_waits_for():
    said = io.StringIO()
    options = {"as_sql": True, "output_buffer": said}
    script = ScriptDirectory.from_config(alembic_config("postgresql://unused"))
    with Operations.context(MigrationContext.configure(dialect_name="postgresql", opts=options)):
        script.get_revision("8c41d7b95e02").module.upgrade()
    statements = [one.strip() for one in said.getvalue().split(";\n")]
    first = next(n for n, one in enumerate(statements) if one.startswith(("CREATE TABLE", "ALTER TABLE")))
    held = next(n for n, one in enumerate(statements) if re.match("ALTER TABLE (allocation|staff) ", one))
    builds = [n for n, one in enumerate(statements) if re.match("CREATE INDEX .* ON audit_entry ", one)]
    assert (len(builds), max(builds) < first) == (4, True)
    assert [one for one in statements[held:] if one.startswith("CREATE")] == []


async def test_nothing_refers_to_a_file_that_is_looked_for_row_by_row(db):
    """Whoever opens a file is asked about by the records it is attached to."""
    rows = await db.execute(
        sa.text(
            "SELECT c.conrelid::regclass::text FROM pg_constraint c WHERE c.confrelid = 'evidence_file'::regclass"
            " AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])"
        )
    )
    assert list(rows.scalars()) == []


@pytest.fixture
async def made(fresh_db):
    return await world(fresh_db, SECRET.encode(), candidates=2)


async def refused(engine, sql: str, **values) -> str:
    """The constraint that refuses the statement."""
    with pytest.raises(IntegrityError) as caught:
        async with engine.begin() as conn:
            await conn.execute(sa.text(sql), values)
    return str(caught.value.orig)


async def test_one_seat_holds_one_candidate_in_a_session(fresh_db, made):
    one, two = made.people
    said = await refused(
        fresh_db, "UPDATE allocation SET seat_id = :s WHERE candidate_id = :c", s=one.seat_id, c=two.candidate_id
    )
    assert "uq_allocation_session_id_seat_id" in said


async def test_an_attempt_has_one_live_lease(fresh_db, made):
    grant = (
        "INSERT INTO lease (attempt_id, epoch, device_id, secret_hash, seat_id, granted_ms)"
        " VALUES (:a, :e, 'pc', '', :s, 0)"
    )
    person = made.people[0]
    async with fresh_db.begin() as conn:
        await conn.execute(sa.text(grant), {"a": person.attempt, "e": 1, "s": person.seat_id})
    assert "uq_lease_live" in await refused(fresh_db, grant, a=person.attempt, e=2, s=person.seat_id)


async def test_a_ticket_is_unique_in_its_exam(fresh_db, made):
    said = await refused(fresh_db, "UPDATE candidate SET ticket = :t", t="SAME")
    assert "uq_candidate_exam_id_ticket" in said


async def test_a_spare_seat_is_promised_to_one_candidate(fresh_db, made):
    async with fresh_db.begin() as conn:
        await conn.execute(
            sa.text("INSERT INTO staff (username, name, role, password_hash) VALUES ('i', 'i', 'invigilator', '')")
        )
    promise = (
        "INSERT INTO relog (attempt_id, session_id, from_seat_id, to_seat_id, reason, staff_id, opened_ms)"
        " SELECT :a, :s, :f, :t, 'x', id, 0 FROM staff"
    )
    one, two = made.people
    values = {"s": made.session_id, "t": made.spares[0]}
    async with fresh_db.begin() as conn:
        await conn.execute(sa.text(promise), {"a": one.attempt, "f": one.seat_id, **values})
    assert "uq_relog_seat" in await refused(fresh_db, promise, a=two.attempt, f=two.seat_id, **values)
    values["t"] = made.spares[1]
    assert "uq_relog_attempt" in await refused(fresh_db, promise, a=one.attempt, f=one.seat_id, **values)


async def test_nothing_hangs_in_the_air(fresh_db, made):
    for sql in (
        "UPDATE allocation SET planned_seat_id = -1",
        "UPDATE paper SET draw_id = -1",
        "UPDATE paper_item SET item_version_id = -1 WHERE position = 1",
        "DELETE FROM exam",
    ):
        assert "foreign key" in await refused(fresh_db, sql)


async def test_an_attempt_cannot_be_half_ended(fresh_db, made):
    assert "ck_attempt_ended" in await refused(fresh_db, "UPDATE attempt SET state = 'ended'")
    assert "ck_attempt_final" in await refused(fresh_db, "UPDATE attempt SET state = 'final', ended_ms = 1")


@pytest.mark.parametrize("table", sorted(IMMUTABLE + hall_tables.IMMUTABLE))
async def test_what_is_written_once_is_never_edited(fresh_db, table):
    async with fresh_db.connect() as conn:
        triggers = await conn.scalar(
            sa.text("SELECT count(*) FROM pg_trigger WHERE tgrelid = CAST(:t AS regclass) AND tgname = 'immutable'"),
            {"t": table},
        )
    assert triggers == 1


async def test_an_item_version_refuses_an_edit_and_a_removal(fresh_db, made):
    for sql in ("UPDATE item_version SET stem = 'other'", "DELETE FROM item_version"):
        with pytest.raises(DBAPIError, match="immutable"):
            async with fresh_db.begin() as conn:
                await conn.execute(sa.text(sql))


async def test_a_fault_never_shows_what_was_written(fresh_db, made):
    with pytest.raises(DBAPIError) as caught:
        async with fresh_db.begin() as conn:
            await conn.execute(sa.text("UPDATE exam SET code = NULL, name = :v"), {"v": "绝密ZQ"})
    assert "绝密ZQ" not in str(caught.value).split("DETAIL")[0]


ENTRY = (
    "INSERT INTO adjustment (kind, session_id, attempt_id, from_ms, to_ms, amount_ms, refers_id, reason, source,"
    " made_ms)"
    " VALUES (:kind, :s, :a, :from, :to, :amount, :refers, 'other', :source, 0) RETURNING id"
)


async def test_an_entry_that_names_its_attempt_has_it_for_a_member(fresh_db, made):
    values = {"kind": "extend", "s": made.session_id, "a": made.people[0].attempt, "from": None, "to": None}
    async with fresh_db.begin() as conn:
        entry = await conn.scalar(sa.text(ENTRY), {**values, "amount": 1, "refers": None, "source": "x"})
        members = (await conn.execute(sa.text("SELECT * FROM adjustment_attempt"))).all()
    assert members == [(entry, made.people[0].attempt)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "extend", "amount": 0},
        {"kind": "postpone", "amount": -1},
        {"kind": "pause", "from": 1, "to": 2},
        {"kind": "credit", "from": 2, "to": 1},
        {"kind": "resume", "to": 2},
        {"kind": "undo"},
        {"kind": "end", "from": 1},
    ],
)
async def test_an_entry_of_the_wrong_shape_is_refused(fresh_db, made, wrong):
    empty = {"s": made.session_id, "a": None, "from": None, "to": None, "amount": None, "refers": None, "source": "x"}
    assert "ck_adjustment_shape" in await refused(fresh_db, ENTRY, **empty | wrong)


async def test_the_cap_is_lifted_by_two_people(fresh_db, made):
    async with fresh_db.begin() as conn:
        staff_id = await conn.scalar(
            sa.text(
                "INSERT INTO staff (username, name, role, password_hash) VALUES ('o', 'o', 'office', '') RETURNING id"
            )
        )
    decision = (
        "INSERT INTO decision (exam_id, session_id, kind, limit_ms, proposed_by, proposed_ms, approved_by, approved_ms,"
        " state) SELECT exam_id, id, 'lift-cap', 1, :staff, 0, CAST(:by AS bigint), CAST(:ms AS bigint), 'approved'"
        " FROM session LIMIT 1"
    )
    assert "ck_decision_approved" in await refused(fresh_db, decision, staff=staff_id, by=staff_id, ms=0)
    assert "ck_decision_approved" in await refused(fresh_db, decision, staff=staff_id, by=None, ms=None)
