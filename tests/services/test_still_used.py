from __future__ import annotations

import importlib
import pkgutil

from app.services.still_used import USED_BY
from app.storage import postgres
from app.storage.postgres.tables import metadata

# What an import or the office takes away, and so may be told that it is still used.
GOES = {"room", "seat", "session", "candidate", "allocation"}


def test_whatever_may_hold_a_room_or_a_session_has_words():
    for module in pkgutil.iter_modules(postgres.__path__):
        importlib.import_module(f"app.storage.postgres.{module.name}")
    holds = {
        table.name
        for table in metadata.tables.values()
        for key in table.foreign_key_constraints
        if key.referred_table.name in GOES
    }
    assert holds == set(USED_BY)
