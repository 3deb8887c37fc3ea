"""Records the histories of third-party contracts: ``python -m tests.support.third_party OUTDIR [NAME ...]``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from tests.support.third_party.catalogue import DRIVERS
from tests.support.third_party.recording import record


def main() -> None:
    """Record the histories asked for, all of them by default, and print how long each took."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.third_party", description=__doc__)
    parser.add_argument(
        "folder", type=Path, metavar="OUTDIR", help="a folder for each contract is written here"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(DRIVERS)}")
    options = parser.parse_args()
    for name in options.names or DRIVERS:
        start = time.monotonic()
        for recording in record(name, options.folder):
            count = sum(1 for _ in recording.transactions())
            print(f"{recording.name}: {count} transactions in {recording.trace_file}")
        print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
