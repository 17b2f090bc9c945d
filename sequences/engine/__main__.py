"""``python -m erbia.sequences.engine``: the engine process of one station."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from ...analysis.errors import ErbiaError
from .endpoint import SAYS
from .server import serve


def main() -> int:
    """Runs the engine; 2 when the station is wrong or owned by another."""
    parser = argparse.ArgumentParser(prog="erbia engine", description=__doc__)
    parser.add_argument("--station", default="mock_lab", help="name of a shipped station or path of a station file")
    parser.add_argument("--seed", type=int, help="seed of everything simulated in the station")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of the run files")
    parser.add_argument("--idle-s", type=float, default=60.0, help="leave after this time without run and client")
    parser.add_argument(
        "--pace", type=float, help="lab seconds a second of a simulated lab (default: as fast as it can)"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        serve(options.station, options.seed, options.out.resolve(), options.idle_s, options.pace)
    except ErbiaError as error:
        sys.stderr.write(f"{SAYS}{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
