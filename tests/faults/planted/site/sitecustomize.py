"""Imported by every Python process that finds this folder on its path (see serve.py): plants the bug that is named."""

import os
from importlib import import_module

if os.environ.get("PLANTED_BUG"):
    import_module(os.environ["PLANTED_BUG"]).plant()
