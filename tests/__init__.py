"""The tests. Their networks are too small for a second thread to be worth its waiting."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
