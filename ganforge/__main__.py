"""`python -m ganforge` is `ganforge`."""

from __future__ import annotations

import sys

from ganforge.cli import main

if __name__ == "__main__":
    sys.exit(main())
