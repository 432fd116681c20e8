"""The site's secret: given by the environment, or made once and kept beside the data with mode 0600."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from app.settings import Settings

MINIMUM = 32


class WeakSecret(ValueError):  # noqa: N818 -- names the fault
    """HOLDFAST_SECRET_KEY must have at least 32 characters."""


def site_secret(settings: Settings) -> bytes:
    """The key that signs device tokens and keys the HMAC of ID tails.

    Two processes that start at once agree on one key: the file is created exclusively and the loser reads it.
    """
    if settings.secret_key is not None:
        value = settings.secret_key.get_secret_value()
        if len(value) < MINIMUM:
            raise WeakSecret(WeakSecret.__doc__)
        return value.encode()
    path = settings.data_dir / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    _create(path)
    return path.read_text().strip().encode()


def _create(path: Path) -> None:
    staged = path.with_name(f"secret_key.{os.getpid()}")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link never replaces an existing key, and never shows half a one.
        os.link(staged, path)
    except FileExistsError:
        return
    finally:
        staged.unlink()
