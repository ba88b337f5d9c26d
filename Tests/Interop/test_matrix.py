"""Every kind of segmentation that can be written, with random masks of known truth, is read alike by everybody.

`DICOMObjectsTests/InteropObjects` writes the objects when HSPSAM_INTEROP_OUT names a folder: variants of sources (slices,
enhanced, one picture, a stack; with synthetic geometry too) × sizes × one or five segments × arrangements of the slices.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import readers
from interop_objects import FOLDER, cases, places, truth
from placement import TOLERANCE_MM, differences, is_even


@pytest.mark.parametrize("case", cases("cases.json"))
def test_every_reader_finds_the_masks_where_they_belong(case: dict, tmp_path: Path) -> None:
    path = FOLDER / case["name"] / "seg.dcm"
    assert readers.dciodvfy_errors(path) == []

    planes = readers.planes(path)
    known = truth(case, "masks.bin") != 0
    index = places(case)
    has_place = case["variant"] in ("slices", "enhanced")
    for plane in planes:
        segment = int(plane.label.removeprefix("Part ")) - 1
        at = index[plane.source, plane.source_frame or 1]
        assert np.array_equal(plane.mask, known[segment, at]), f"segment {segment}, frame {at}"
        assert (plane.source_frame is None) == (case["variant"] not in ("enhanced", "stack", "stackSynthetic"))
        if has_place:
            wanted = readers.plane_corners(case["positions"][at], case["orientation"], case["spacing"], plane.mask.shape)
            assert np.abs(wanted - plane.corners).max() <= TOLERANCE_MM
        else:
            assert (plane.corners is not None) == case["variant"].endswith("Synthetic")
    assert sum(int(plane.mask.sum()) for plane in planes) == int(known.sum())

    by_source = readers.highdicom_by_source(path, planes)
    assert all(np.array_equal(mask, plane.mask) for mask, plane in zip(by_source, planes, strict=True))
    # A block of voxels holds neither sheared nor unevenly spaced slices.
    if is_even(planes):
        assert differences(planes, readers.highdicom_volumes(path)) == []
        assert differences(planes, readers.dcmqi_volumes(path, tmp_path / "dcmqi")) == []
    if len({plane.source_frame or plane.source for plane in planes}) > 1:
        block = readers.simpleitk(path)
        assert readers.same_bits(block.voxels != 0, np.array([plane.mask for plane in planes]))
        # It counts frames from the first on: a gap, of which it cannot know, it does not place.
        first = [plane for plane in planes if plane.segment == planes[0].segment]
        if is_even(planes) and case["arrangement"] != "gap":
            theirs = block._replace(voxels=np.array([plane.mask for plane in first]))
            assert differences(first, {first[0].segment: theirs}) == []
