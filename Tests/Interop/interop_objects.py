"""What `DICOMObjectsTests/InteropObjects` wrote into the folder that HSPSAM_INTEROP_OUT names, and the truth of it."""
from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from hspsam_run import ROOT

FOLDER = Path(os.environ.get("HSPSAM_INTEROP_OUT", ROOT / ".build/interop"))


def cases(listing: str) -> list:
    listed = FOLDER / listing
    if not listed.exists():
        why = f"no objects in {FOLDER}: HSPSAM_INTEROP_OUT={FOLDER} swift test --filter InteropObjects"
        return [pytest.param(None, marks=pytest.mark.skip(reason=why))]
    return [pytest.param(case, id=case["name"]) for case in json.loads(listed.read_text())]


def truth(case: dict, name: str) -> np.ndarray:
    """[segments, frames, rows, columns]."""
    shape = (case["segments"], case["frames"], case["rows"], case["columns"])
    return np.fromfile(FOLDER / case["name"] / name, np.uint8).reshape(shape)


def places(case: dict) -> dict[tuple[str, int], int]:
    """The volume's frame of each instance and frame number."""
    return {key: at for at, key in enumerate(zip(case["instances"], case["frameNumbers"], strict=True))}
