"""A supervisor as a process of its own: starts both stores, says so in one JSON line, stops at the end of input."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from app.embedded.errors import EmbeddedError
from app.embedded.stores import stores
from app.settings import Settings


def main() -> int:
    try:
        with stores(Settings(data_dir=Path(sys.argv[1]))) as urls:
            found = {"database_url": urls.database_url, "redis_url": urls.redis_url, "pids": urls.pids}
            print(json.dumps(found | {"uid": os.getuid()}), flush=True)
            sys.stdin.read()
    except EmbeddedError as error:
        print(json.dumps({"code": error.code, "zh": error.text("zh"), "en": error.text("en")}), flush=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
