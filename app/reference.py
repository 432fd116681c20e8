"""What the settings are, as rows: shown by ``holdfast check`` and written into docs/settings.md.

No secret leaves here: a key is only said to be set, and an address loses its password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.settings import Settings


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting: its environment variable, its value as it may be shown, and whether somebody set it."""

    variable: str
    value: str
    is_set: bool
    default: str
    description: str


def setting_rows(settings: Settings) -> list[SettingRow]:
    """Every setting in the order of the model."""
    return [
        SettingRow(
            variable=f"HOLDFAST_{name.upper()}",
            value=shown(getattr(settings, name), is_url=name.endswith("_url")),
            is_set=name in settings.model_fields_set,
            default=shown(field.get_default(call_default_factory=True)),
            description=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def shown(value: Any, *, is_url: bool = False) -> str:
    """``value`` as a person would type it, secrets masked."""
    if value is None or value == []:
        return ""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return masked_url(secret) if is_url else f"*** ({len(secret)})"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value) if not isinstance(value, Path) else value.as_posix()


def masked_url(url: str) -> str:
    """The address without its password, wherever it stands; what does not look like an address is hidden altogether."""
    url = re.sub(r"([?&](?:password|sslpassword)=)[^&]*", r"\1***", url, flags=re.IGNORECASE)
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "***"
    # The last @ ends the credentials: a password may hold one that nobody escaped.
    credentials, at, address = rest.rpartition("@")
    if not at:
        return url
    user, colon, _ = credentials.partition(":")
    return f"{scheme}://{user}{':***' if colon else ''}@{address}"


def without_password(text: str, url: str) -> str:
    """``text`` (an error's words) without the password of ``url``, should a driver have quoted it."""
    credentials = url.partition("://")[2].rpartition("@")[0]
    secrets = [credentials.partition(":")[2], *re.findall(r"[?&](?:password|sslpassword)=([^&]*)", url)]
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text
