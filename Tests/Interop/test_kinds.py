"""Every kind of object beside the BINARY segmentation is read alike by others: LABELMAP, FRACTIONAL, report, pictures, contours,
annotations.

`DICOMObjectsTests/InteropObjects` writes the objects when HSPSAM_INTEROP_OUT names a folder.
"""
from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

import readers
from interop_objects import FOLDER, cases, places, truth


def source(groups: pydicom.Dataset) -> tuple[str, int]:
    image = groups.DerivationImageSequence[0].SourceImageSequence[0]
    return str(image.ReferencedSOPInstanceUID), int(image.get("ReferencedFrameNumber", 1))


def frames(file: pydicom.Dataset) -> np.ndarray:
    pixels = file.pixel_array
    return pixels[None] if pixels.ndim == 2 else pixels


@pytest.mark.parametrize("case", cases("kinds.json"))
def test_dciodvfy_finds_no_error_and_dcentvfy_one_study(case: dict) -> None:
    folder = FOLDER / case["name"]
    written = [folder / f"{name}.dcm" for name in ("binary", "labelmap", "fractional", "sr", "sc")]
    written += sorted(folder.glob("instances.dcm")) + sorted(folder.glob("regular.dcm")) + sorted(folder.glob("*rtstruct.dcm")) + sorted(folder.glob("*.ann.dcm"))
    assert {path.name: readers.dciodvfy_errors(path) for path in written} == {path.name: [] for path in written}
    told = subprocess.run(
        ["dcentvfy", *written, *sorted((folder / "source").glob("*.dcm"))], capture_output=True, text=True, check=False)
    assert [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")] == []


@pytest.mark.parametrize("case", cases("kinds.json"))
def test_a_labelmap_holds_the_masks(case: dict, tmp_path: Path) -> None:
    path = FOLDER / case["name"] / "labelmap.dcm"
    known, index = truth(case, "masks.bin") != 0, places(case)
    labels = sum(known[number] * (number + 1) for number in range(case["segments"]))
    file = pydicom.dcmread(path)
    for frame, groups in zip(frames(file), file.PerFrameFunctionalGroupsSequence, strict=True):
        assert np.array_equal(frame, labels[index[source(groups)]])
    read = highdicom.seg.segread(path)
    assert read.segmentation_type == highdicom.seg.SegmentationTypeValues.LABELMAP
    assert [item.segment_label for item in (read.get_segment_description(n) for n in (1, 2, 3))] == ["Part 1", "Part 2", "Part 3"]
    if case["variant"] in ("slices", "enhanced") and case["arrangement"] in ("even", "sagittal"):
        volume = read.get_volume(combine_segments=True)
        assert int((volume.array != 0).sum()) == int((labels != 0).sum())
        told = subprocess.run(
            ["segimage2itkimage", "--inputDICOM", path, "--outputDirectory", tmp_path, "--prefix", "s", "--outputType", "nrrd"],
            capture_output=True, text=True, errors="replace", check=False)
        assert told.returncode == 0, told.stdout + told.stderr
    assert path.stat().st_size < (FOLDER / case["name"] / "fractional.dcm").stat().st_size


@pytest.mark.parametrize("case", cases("kinds.json"))
def test_each_object_has_its_number(case: dict) -> None:
    path = FOLDER / case["name"] / "instances.dcm"
    if not path.exists():
        pytest.skip("slices")
    file, index = pydicom.dcmread(path), places(case)
    known = np.fromfile(path.with_suffix(".bin"), dtype="<u2").reshape(-1, file.Rows, file.Columns)
    for frame, groups in zip(frames(file), file.PerFrameFunctionalGroupsSequence, strict=True):
        assert np.array_equal(frame, known[index[source(groups)]])
    read = highdicom.seg.segread(path)
    assert read.segmentation_type == highdicom.seg.SegmentationTypeValues.LABELMAP
    count = int(known.max())
    # Not number_of_segments, from which highdicom takes the background off twice.
    assert list(read.segment_numbers) == list(range(1, count + 1))
    assert all(read.get_segment_description(n).segment_label.endswith(f" {n}") for n in read.segment_numbers)
    assert len({str(read.get_segment_description(n).tracking_uid) for n in range(1, count + 1)}) == count


@pytest.mark.parametrize("case", cases("kinds.json"))
def test_a_fractional_object_holds_the_probabilities(case: dict) -> None:
    path = FOLDER / case["name"] / "fractional.dcm"
    known, index = truth(case, "probabilities.bin"), places(case)
    file = pydicom.dcmread(path)
    assert (file.SegmentationFractionalType, file.MaximumFractionalValue) == ("PROBABILITY", 255)
    for frame, groups in zip(frames(file), file.PerFrameFunctionalGroupsSequence, strict=True):
        segment = int(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        assert np.array_equal(frame, known[segment - 1, index[source(groups)]])
    if len(case["instances"]) > 1:
        assert np.array_equal(readers.simpleitk(path).voxels, frames(file))
    assert highdicom.seg.segread(path).number_of_segments == case["segments"]


@pytest.mark.parametrize("case", cases("kinds.json"))
def test_a_report_is_read_with_its_numbers_and_segments(case: dict, tmp_path: Path) -> None:
    folder = FOLDER / case["name"]
    path, segmentation = folder / "sr.dcm", pydicom.dcmread(folder / "binary.dcm", stop_before_pixels=True)
    report = highdicom.sr.srread(path)
    assert isinstance(report, highdicom.sr.Comprehensive3DSR)
    content = report.content
    is_volume = case["variant"] in ("slices", "enhanced")
    groups = (
        content.get_volumetric_roi_measurement_groups() if is_volume else content.get_planar_roi_measurement_groups())
    assert len(groups) == case["segments"]
    for number, (group, values) in enumerate(zip(groups, case["numbers"], strict=True), 1):
        assert [float(one.value) for one in group.get_measurements()] == values
        item = segmentation.SegmentSequence[number - 1]
        assert (group.tracking_uid, group.tracking_identifier) == (item.TrackingUID, item.TrackingID)
        if is_volume:
            assert group.referenced_segment.referenced_sop_instance_uid == segmentation.SOPInstanceUID
            assert list(group.referenced_segment.referenced_segment_numbers or []) == [number]
    dumped = subprocess.run(["dsrdump", path], capture_output=True, text=True, check=False)
    assert dumped.returncode == 0 and "Imaging Measurement Report" in dumped.stdout, dumped.stderr
    if is_volume:
        result = tmp_path / "report.json"
        told = subprocess.run(
            ["tid1500reader", "--inputDICOM", path, "--outputMetadata", result], capture_output=True, text=True,
            errors="replace", check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        read = json.loads(result.read_text())["Measurements"]
        assert [[float(item["value"]) for item in group["measurementItems"]] for group in read] == case["numbers"]


@pytest.mark.parametrize("case", cases("kinds.json"))
def test_a_picture_is_colour_and_names_its_source(case: dict) -> None:
    file = pydicom.dcmread(FOLDER / case["name"] / "sc.dcm")
    assert np.array_equal(file.pixel_array.ravel(), np.arange(3600) % 251)
    assert file.SourceImageSequence[0].ReferencedSOPInstanceUID == case["instances"][0]
    assert np.array_equal(readers.simpleitk(FOLDER / case["name"] / "sc.dcm").voxels[0], file.pixel_array)
    assert file.ConversionType == "WSD" and list(file.ImageType) == ["DERIVED", "SECONDARY"]


PLACED = [case for case in cases("kinds.json") if case.values[0] is None or case.values[0]["positions"]]
PICTURES = [case for case in cases("kinds.json") if case.values[0] is None or not case.values[0]["positions"]]


def filled(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose middles lie inside by the even-odd rule; `polygon` [n, 2] as column and row, the first middle at 0, 0."""
    inside = np.zeros(shape, bool)
    columns, rows = np.arange(shape[1])[None], np.arange(shape[0])[:, None]
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y1 != y2:
            crossed = (np.minimum(y1, y2) <= rows) & (rows < np.maximum(y1, y2))
            inside ^= crossed & (columns < x1 + (rows - y1) * (x2 - x1) / (y2 - y1))
    return inside


@pytest.mark.parametrize("case", PLACED)
def test_contours_hold_the_masks(case: dict) -> None:
    file = pydicom.dcmread(FOLDER / case["name"] / "rtstruct.dcm")
    known, index = truth(case, "masks.bin") != 0, places(case)
    orientation, spacing = np.array(case["orientation"]), np.array(case["spacing"])
    found = np.zeros_like(known)
    for region in file.ROIContourSequence:
        for contour in region.ContourSequence:
            image = contour.ContourImageSequence[0]
            at = index[(str(image.ReferencedSOPInstanceUID), int(image.get("ReferencedFrameNumber", 1)))]
            away = np.array(contour.ContourData, float).reshape(-1, 3) - case["positions"][at]
            assert np.abs(away @ np.cross(orientation[:3], orientation[3:])).max() < 1e-3
            polygon = np.stack([away @ orientation[:3] / spacing[1], away @ orientation[3:] / spacing[0]], axis=1)
            part = filled(polygon, known.shape[2:])
            number = int(region.ReferencedROINumber) - 1
            assert not (found[number, at] & part).any()
            found[number, at] |= part
    assert np.array_equal(found, known)
    names = [str(region.ROIName) for region in file.StructureSetROISequence]
    assert names == ["Part 1", "Part 2", "Part 3"]


@pytest.mark.skipif(not shutil.which("plastimatch"), reason="no plastimatch: apt-get install plastimatch")
@pytest.mark.parametrize("case", [case for case in PLACED if case.id in (None, "kinds-slices-even")])
def test_plastimatch_fills_the_contours_alike(case: dict, tmp_path: Path) -> None:
    folder = FOLDER / case["name"]
    told = subprocess.run(
        ["plastimatch", "convert", "--input", folder / "rtstruct.dcm", "--referenced-ct", folder / "source",
         "--output-prefix", tmp_path, "--prefix-format", "nrrd"],
        capture_output=True, text=True, errors="replace", check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    known = truth(case, "masks.bin") != 0
    for number in range(case["segments"]):
        voxels, _ = readers.read_nrrd(tmp_path / f"Part {number + 1}.nrrd")
        assert np.array_equal(voxels != 0, known[number])


@pytest.mark.parametrize("case", PICTURES)
def test_annotations_are_read_with_outlines_and_areas(case: dict) -> None:
    folder, known = FOLDER / case["name"], truth(case, "masks.bin")[:, 0] != 0
    for graphic in ("polygon", "point"):
        read = highdicom.ann.annread(folder / f"{graphic}.ann.dcm")
        groups = read.get_annotation_groups()
        wanted = [mask for mask in known if mask.any()]
        assert len(groups) == len(wanted)
        for group, mask in zip(groups, wanted, strict=True):
            assert group.graphic_type.value == graphic.upper()
            drawn = group.get_graphic_data("2D")
            names, values, units = group.get_measurements()
            assert [name.meaning for name in names] == ["Area"] and len(values) == len(drawn) == group.number_of_annotations
            assert [unit.value for unit in units] == ["{pixels}"] and values.sum() == mask.sum()
            if graphic == "point":
                for column, row in np.concatenate([points.reshape(1, 2) for points in drawn]):
                    assert 0 < column < mask.shape[1] and 0 < row < mask.shape[0]
                continue
            found = np.zeros_like(mask)
            for points in drawn:
                found |= filled(points - 0.5, mask.shape)
            assert not (mask & ~found).any()  # holes are filled


@pytest.mark.parametrize("case", [case for case in PLACED if case.id is None or any(name in case.id for name in ("tilt", "uneven", "near"))])
def test_readers_of_blocks_find_a_regular_grid_within_half_a_gap(case: dict, tmp_path: Path) -> None:
    """dcmqi and highdicom build a block of voxels; each of its voxels is a pixel of the source at most half a gap away."""
    path = FOLDER / case["name"] / "regular.dcm"
    known, positions = truth(case, "masks.bin") != 0, np.array(case["positions"])
    orientation, spacing = np.array(case["orientation"]), np.array(case["spacing"])
    normal = np.cross(orientation[:3], orientation[3:])
    theirs = {number: (volume.voxels, volume.affine) for number, volume in readers.dcmqi_volumes(path, tmp_path / "dcmqi").items()}
    other = {number: (volume.voxels, volume.affine) for number, volume in readers.highdicom_volumes(path).items()}
    assert set(theirs) == set(other) == {1, 2, 3}
    block = readers.simpleitk(path)
    assert readers.same_bits(block.voxels != 0, np.concatenate([theirs[number][0] for number in (1, 2, 3)]))
    assert all(np.abs(block.affine - affine).max() <= 1e-3 for _, affine in theirs.values())
    for number, (voxels, affine) in [*theirs.items(), *other.items()]:
        gap = max(np.linalg.norm(affine[:3, 0]), np.abs(np.diff(positions @ normal)).max())
        found = np.argwhere(voxels)
        places = (affine @ np.column_stack([found, np.ones(len(found))]).T).T[:, :3]
        slices = np.abs((places[:, None] - positions[None]) @ normal).argmin(1)
        away = places - positions[slices]
        assert np.abs(away @ normal).max() <= gap / 2 + 1e-3
        columns, rows = away @ orientation[:3] / spacing[1], away @ orientation[3:] / spacing[0]
        assert np.abs(columns - columns.round()).max() <= 0.5 and np.abs(rows - rows.round()).max() <= 0.5
        assert known[number - 1][slices, rows.round().astype(int), columns.round().astype(int)].all()
        # Nothing is lost: every slice that something was found on has its pixels on the grid.
        assert {int(at) for at in slices} == {at for at in range(case["frames"]) if known[number - 1][at].any()}
