"""DICOM segmentations as other projects' programs understand them.

Every reader ends in the same two shapes, so that they can be held against each other: `Plane`, one frame of one segment as
it stands in the file, and `Volume`, the voxels of one segment with their place in space.
"""
from __future__ import annotations

import gzip
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import highdicom
import numpy as np
import pydicom
import SimpleITK
from pydicom.dataset import Dataset

# dicom3tools of 2022 does not know LABELMAP, counts segment numbers over all frames, and misses an attribute of 3D annotations in 2D ones
# where it must not be.
ALLOWED = (
    "Information Object Not found", "SegmentNumber not monotonically",
    "Only valid for AnnotationCoordinateType of 3D - attribute <CommonZCoordinateValue> = <>")


class Plane(NamedTuple):
    """One frame of one segment."""

    segment: int
    label: str
    mask: np.ndarray  # [rows, columns], bool
    corners: np.ndarray | None  # [4, 3] mm: centres of the first and last pixels (0,0) (0,C-1) (R-1,0) (R-1,C-1)
    source: str  # SOP Instance UID
    source_frame: int | None  # from 1; None when the source is a single-frame class


class Volume(NamedTuple):
    """One segment as a block of voxels."""

    voxels: np.ndarray  # [slices, rows, columns], bool
    affine: np.ndarray  # [4, 4]: (slice, row, column, 1) to mm, LPS as in DICOM


def dciodvfy_errors(path: Path) -> list[str]:
    """What David Clunie's validator objects to."""
    told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace", check=False)
    lines = (told.stdout + told.stderr).splitlines()
    return [line for line in lines if line.startswith("Error") and not any(text in line for text in ALLOWED)]


def objections_beyond(path: Path, images: list[Path]) -> set[str]:
    """What dciodvfy objects to in a result and not in its own images: a result repeats their identity as it stands."""

    def objections(path: Path) -> set[str]:
        # The same illegal UID stands in other attributes of a result, too.
        return {re.sub(r" in \(0x.*|\(0x[^<]*", "", error) for error in dciodvfy_errors(path)}

    found = objections(path)
    return found - set().union(*map(objections, images)) if found else found


def referenced(dataset: Dataset) -> Iterator[str | bytes]:
    """Every Referenced SOP Instance UID at any depth, legal or not: each kind of object keeps its images elsewhere."""
    for tag in dataset.keys():
        element = dataset.get_item(tag)
        if tag == 0x00081155:
            yield element.value
        elif element.VR == "SQ":
            for item in dataset[tag].value:
                yield from referenced(item)


def planes(path: Path) -> list[Plane]:
    """The plainest reading: pydicom's pixels, and each frame's own functional groups."""
    file = pydicom.dcmread(path)
    pixels = file.pixel_array
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    labels = {int(item.SegmentNumber): str(item.SegmentLabel) for item in file.SegmentSequence}
    shared = file.SharedFunctionalGroupsSequence[0]
    found = []
    for frame, groups in zip(pixels, file.PerFrameFunctionalGroupsSequence, strict=True):
        segment = int(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        number = source.get("ReferencedFrameNumber")
        found.append(Plane(
            segment, labels[segment], frame != 0, corners(groups, shared, frame.shape), str(source.ReferencedSOPInstanceUID),
            None if number is None else int(number)))
    return found


def corners(groups: Dataset, shared: Dataset, shape: tuple[int, ...]) -> np.ndarray | None:
    """PS3.3 C.7.6.2.1.1, from a frame's own groups or the shared ones."""
    position, orientation, measures = (
        (groups.get(name) or shared.get(name) or [None])[0]
        for name in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence"))
    if position is None or orientation is None or measures is None:
        return None
    return plane_corners(
        position.ImagePositionPatient, orientation.ImageOrientationPatient, measures.PixelSpacing, shape)


def plane_corners(position, orientation, spacing, shape: tuple[int, ...]) -> np.ndarray:
    """Centres of a plane's corner pixels [4, 3], from the attributes' values."""
    origin, cosines = np.array(position, float), np.array(orientation, float)
    along_row, down_column = cosines[:3] * float(spacing[1]), cosines[3:] * float(spacing[0])
    last_row, last_column = shape[0] - 1, shape[1] - 1
    return np.array([
        origin + row * down_column + column * along_row for row in (0, last_row) for column in (0, last_column)])


def highdicom_volumes(path: Path) -> dict[int, Volume]:
    """By segment number; highdicom needs a Frame of Reference and evenly spaced slices for this."""
    file = highdicom.seg.segread(path)
    volume = file.get_volume(combine_segments=False, allow_missing_positions=True)
    return {
        number: Volume(volume.array[..., index] != 0, volume.affine)
        for index, number in enumerate(file.segment_numbers)}


def highdicom_by_source(path: Path, wanted: list[Plane]) -> list[np.ndarray]:
    """The masks of `wanted`, asked for by the source image that each belongs to."""
    file = highdicom.seg.segread(path)
    masks = []
    for plane in wanted:
        options = dict(segment_numbers=[plane.segment], ignore_spatial_locations=True, assert_missing_frames_are_empty=True)
        if plane.source_frame is None:
            array = file.get_pixels_by_source_instance([plane.source], **options)
        else:
            array = file.get_pixels_by_source_frame(plane.source, [plane.source_frame], **options)
        masks.append(array[0, ..., 0] != 0)
    return masks


def simpleitk(path: Path) -> Volume:
    """All frames of all segments as one block, as SimpleITK (GDCM) sees them: it knows pictures, not segments.

    It needs frames at more than one place, and drops the last pixels of one bit that fill no byte (`same_bits`).
    """
    image = SimpleITK.ReadImage(str(path), imageIO="GDCMImageIO")
    affine = np.eye(4)
    affine[:3, :3] = (np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing())[:, ::-1]  # for (column, row, slice)
    affine[:3, 3] = image.GetOrigin()
    return Volume(SimpleITK.GetArrayFromImage(image), affine)


def same_bits(block: np.ndarray, wanted: np.ndarray) -> bool:
    whole = wanted.size // 8 * 8
    return block.shape == wanted.shape and np.array_equal(block.ravel()[:whole], wanted.ravel()[:whole])


def dcmqi_volumes(path: Path, folder: Path) -> dict[int, Volume]:
    """By segment number, through `segimage2itkimage` and NRRD files in `folder`."""
    folder.mkdir(parents=True)
    told = subprocess.run(
        ["segimage2itkimage", "--inputDICOM", path, "--outputDirectory", folder, "--prefix", "s", "--outputType", "nrrd"],
        capture_output=True, text=True, errors="replace", check=False)
    assert told.returncode == 0, f"segimage2itkimage on {path.name}: {told.stdout[-500:]} {told.stderr[-500:]}"
    volumes = {}
    for file in folder.glob("s-*.nrrd"):
        voxels, affine = read_nrrd(file)
        volumes[int(re.fullmatch(r"s-(\d+)", file.stem)[1])] = Volume(voxels != 0, affine)
    described = json.loads((folder / "s-meta.json").read_text())["segmentAttributes"]
    assert len(volumes) == sum(map(len, described))
    return volumes


def read_nrrd(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voxels [slices, rows, columns] and the affine of `Volume`, from the one form of NRRD that ITK writes."""
    header, _, data = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in header.decode().splitlines() if ": " in line)
    assert fields["space"] == "left-posterior-superior"
    columns, rows, slices = map(int, fields["sizes"].split())
    types = {"unsigned char": "u1", "short": "<i2", "unsigned short": "<u2"}
    raw = gzip.decompress(data) if fields["encoding"] == "gzip" else data
    voxels = np.frombuffer(raw, types[fields["type"]]).reshape(slices, rows, columns)
    vectors = [np.array(text.split(","), float) for text in re.findall(r"\(([^)]*)\)", fields["space directions"])]
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack(vectors[::-1])  # written for (column, row, slice)
    affine[:3, 3] = np.array(fields["space origin"].strip("()").split(","), float)
    return voxels, affine
