"""Every kind of object beside the BINARY segmentation is read alike by others: LABELMAP, FRACTIONAL, report, pictures.

`DICOMObjectsTests/InteropObjects` writes the objects when HSPSAM_INTEROP_OUT names a folder.
"""
from __future__ import annotations

import json
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
    if case["variant"] in ("slices", "enhanced") and case["arrangement"] != "tilt":
        volume = read.get_volume(combine_segments=True)
        assert int((volume.array != 0).sum()) == int((labels != 0).sum())
        told = subprocess.run(
            ["segimage2itkimage", "--inputDICOM", path, "--outputDirectory", tmp_path, "--prefix", "s", "--outputType", "nrrd"],
            capture_output=True, text=True, errors="replace", check=False)
        assert told.returncode == 0, told.stdout + told.stderr
    assert path.stat().st_size < (FOLDER / case["name"] / "fractional.dcm").stat().st_size


@pytest.mark.parametrize("case", cases("kinds.json"))
def test_a_fractional_object_holds_the_probabilities(case: dict) -> None:
    path = FOLDER / case["name"] / "fractional.dcm"
    known, index = truth(case, "probabilities.bin"), places(case)
    file = pydicom.dcmread(path)
    assert (file.SegmentationFractionalType, file.MaximumFractionalValue) == ("PROBABILITY", 255)
    for frame, groups in zip(frames(file), file.PerFrameFunctionalGroupsSequence, strict=True):
        segment = int(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        assert np.array_equal(frame, known[segment - 1, index[source(groups)]])
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
    assert file.ConversionType == "WSD" and list(file.ImageType) == ["DERIVED", "SECONDARY"]
