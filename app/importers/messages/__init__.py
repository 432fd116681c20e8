"""The words for everything that can be wrong with, or was put right in, an imported file.

One table: a stable code, what it is, and how to mend it, in Chinese and English. ``{name}`` is filled from the fault's
parameters. Codes are what tools and tests hold on to; the words may be improved at any time.
"""

from __future__ import annotations

from app.importers.messages.bank import BANK
from app.importers.messages.cells import CELLS, NOTES
from app.importers.messages.files import FILES, SHEETS
from app.importers.messages.roster import ROSTER
from app.importers.messages.words import Message, Words

MESSAGES: dict[str, Message] = {**FILES, **SHEETS, **CELLS, **ROSTER, **BANK, **NOTES}

__all__ = ["BANK", "CELLS", "FILES", "MESSAGES", "NOTES", "ROSTER", "SHEETS", "Message", "Words"]
