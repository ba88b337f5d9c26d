"""Holds readers against each other: the same voxels at the same places."""
from __future__ import annotations

import numpy as np

from readers import Plane, Volume

TOLERANCE_MM = 1e-4


def differences(planes: list[Plane], volumes: dict[int, Volume]) -> list[str]:
    """Where the volumes of another reader are not what the planes of the file say; empty when they agree."""
    found = []
    if {plane.segment for plane in planes} != set(volumes):
        return [f"segments {sorted(volumes)} and not {sorted({plane.segment for plane in planes})}"]
    for plane in planes:
        volume = volumes[plane.segment]
        rows, columns = plane.mask.shape
        if volume.voxels.shape[1:] != plane.mask.shape:
            return [f"{volume.voxels.shape[1:]} and not {plane.mask.shape} pixels"]
        index = np.linalg.inv(volume.affine) @ np.append(plane.corners[0], 1)
        at = int(round(index[0]))
        if not 0 <= at < len(volume.voxels):
            found.append(f"segment {plane.segment}: slice {index[0]:.3f} of {len(volume.voxels)}")
            continue
        theirs = np.array([
            (volume.affine @ (at, row, column, 1))[:3] for row in (0, rows - 1) for column in (0, columns - 1)])
        distance = np.abs(theirs - plane.corners).max()
        if distance > TOLERANCE_MM:
            found.append(f"segment {plane.segment}, slice {at}: a corner is {distance:.6f} mm away")
        wrong = int((volume.voxels[at] != plane.mask).sum())
        if wrong:
            found.append(f"segment {plane.segment}, slice {at}: {wrong} pixels differ")
    for number, volume in volumes.items():
        ours = sum(int(plane.mask.sum()) for plane in planes if plane.segment == number)
        if int(volume.voxels.sum()) != ours:
            found.append(f"segment {number}: {int(volume.voxels.sum())} voxels and not {ours}")
    return found


def is_even(planes: list[Plane]) -> bool:
    """Whether the planes are parallel, without shear, at whole multiples of one distance: all that a block of voxels can hold."""
    if any(plane.corners is None for plane in planes):
        return False
    first = planes[0].corners
    normal = np.cross(first[1] - first[0], first[2] - first[0])
    if np.linalg.norm(normal) == 0:
        return len({tuple(plane.corners[0]) for plane in planes}) == 1  # one row or column of pixels
    normal /= np.linalg.norm(normal)
    places = np.unique(np.round([(plane.corners[0] - first[0]) @ normal for plane in planes], 4))
    shifts = [plane.corners - first - ((plane.corners - first) @ normal)[:, None] * normal for plane in planes]
    if np.abs(shifts).max() > TOLERANCE_MM:
        return False
    if len(places) < 3:
        return True
    steps = np.diff(places)
    return bool(np.all(np.abs(steps / steps.min() - np.round(steps / steps.min())) < 1e-3))
