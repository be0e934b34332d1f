"""Writes the data file of the bundled `digits` data set from scikit-learn's copy of it.

Needs scikit-learn, which ganforge itself does not:

    python scripts/make_digits.py

The same input gives the same bytes, whenever the script is run.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "plugins" / "ganforge_datasets" / "data" / "digits.npz"
# The earliest time that a zip file can hold; the time of the run would change the bytes.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """What `numpy.savez_compressed` writes, with nothing in it that depends on when and where."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", TIMESTAMP)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(member, content.getvalue(), compresslevel=9)


def main() -> None:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        sys.exit("this script needs scikit-learn: pip install scikit-learn")
    digits = load_digits()
    images = digits.images.astype(np.uint8)
    if images.shape != (1797, 8, 8) or images.max() != 16 or (images != digits.images).any():
        sys.exit(f"unexpected data: {images.shape}, largest value {digits.images.max()}")
    write_npz(TARGET, {"images": images, "labels": digits.target.astype(np.uint8)})
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
