"""Who a person is, as documents say it: ticket, ID number, its last six characters, its mask.

Pure functions on text. The resident ID is checked for length, date and check digit only (GB 11643): region codes come
and go, and rehearsals use regions that do not exist. What is signed in with is the *tail*, the last six letters or
digits of whatever document the candidate has; the tail and the ticket are folded the same way when they are imported
and when they are typed (full-width digits, blanks, a lower-case x), so that both sides meet.
"""

from __future__ import annotations

import hmac
import unicodedata
from datetime import date
from hashlib import sha256
from typing import Literal

RESIDENT = "resident"

# Kinds of document: the spelling stored, and its names in Chinese and English.
ID_KINDS: dict[str, tuple[str, str]] = {
    RESIDENT: ("居民身份证", "resident ID card"),
    "hmt_residence": ("港澳台居民居住证", "residence permit for Hong Kong, Macao and Taiwan residents"),
    "hk_macao": ("港澳居民来往内地通行证", "mainland travel permit for Hong Kong and Macao residents"),
    "taiwan": ("台湾居民来往大陆通行证", "mainland travel permit for Taiwan residents"),
    "passport": ("护照", "passport"),
    "foreigner": ("外国人永久居留身份证", "foreign permanent resident ID card"),
    "officer": ("军官证", "officer's card"),
    "other": ("其他", "other"),
}

# Kinds whose number is built like a resident ID: 18 characters, a date, a check digit.
CHECKED_KINDS = (RESIDENT, "hmt_residence")

TAIL_LENGTH = 6

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_EARLIEST_BIRTH = 1900
# Control and format characters, and halves of surrogate pairs.
_INVISIBLE = ("Cc", "Cf", "Cs")
_UPPER = {ord(lower): ord(lower) - 32 for lower in "abcdefghijklmnopqrstuvwxyz"}
_MULTIPLICATION_SIGNS = str.maketrans("×✕✖╳", "XXXX")

IdFault = Literal["length", "form", "date", "check"]


def fold(text: str) -> str:
    """``text`` as numbers are compared: half-width, no blanks or invisible characters, ASCII letters upper case."""
    plain = unicodedata.normalize("NFKC", text)
    seen = (char for char in plain if not char.isspace() and unicodedata.category(char) not in _INVISIBLE)
    # Composed once more: what stood around a character that went may belong together now.
    return unicodedata.normalize("NFC", "".join(seen).translate(_UPPER))


def ticket_key(ticket: str) -> str:
    """The ticket as it is stored and looked up."""
    return fold(ticket)


def fold_id(number: str) -> str:
    """The ID number as it is stored; a multiplication sign typed for the X becomes one."""
    return fold(number.translate(_MULTIPLICATION_SIGNS))


def check_digit(first17: str) -> str:
    """The eighteenth character that belongs to seventeen digits. ValueError unless they are ASCII digits."""
    if len(first17) != 17 or not (first17.isascii() and first17.isdigit()):
        raise ValueError("seventeen digits are needed")
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first17, strict=True))
    return _CHECK_DIGITS[total % 11]


def resident_fault(number: str, *, on: date | None = None) -> IdFault | None:
    """What is wrong with a folded resident ID number, or None.

    ``on`` is a day by which the holder must have been born (the exam's day); without it any date from 1900 on passes.
    """
    if len(number) != 18:
        return "length"
    if not (number.isascii() and number[:17].isdigit() and (number[17].isdigit() or number[17] == "X")):
        return "form"
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "date"
    if born.year < _EARLIEST_BIRTH or (on is not None and born > on):
        return "date"
    return None if check_digit(number[:17]) == number[17] else "check"


def says_male(number: str) -> bool:
    """Whether a well-formed resident ID number was given to a man (odd seventeenth digit)."""
    return int(number[16]) % 2 == 1


def id_tail(id_number: str) -> str:
    """The last six ASCII letters or digits of a document number, upper case; fewer if it has fewer."""
    return "".join(char for char in fold_id(id_number) if char.isascii() and char.isalnum())[-TAIL_LENGTH:]


def id_tail_hmac(key: bytes, tail: str) -> bytes:
    """What is stored instead of a hash of the tail: HMAC-SHA256 under the site's key, 32 bytes.

    Six characters are too few for any hash to hide; the key, which is not in the database, is what hides them.
    """
    return hmac.new(key, b"id-tail:" + fold_id(tail).encode(), sha256).digest()


def mask_id(id_number: str) -> str:
    """The number as screens and logs show it: never the tail that signs in, never the whole birthday.

    >>> mask_id("99000119780905532X")
    '9900************2X'
    """
    number = fold_id(id_number)
    if len(number) < 8:
        return number[:1] + "*" * (len(number) - 1)
    head, end = (4, 2) if len(number) >= 15 else (2, 1)
    return number[:head] + "*" * (len(number) - head - end) + number[-end:]
