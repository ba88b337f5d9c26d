"""highdicom writes the segmentations that `hspsam bench --what objects` wrote: highdicom_peer.py FOLDER RUNS.

Timed is what it does with images and masks that are in memory: composing and saving. Nothing is read back.
"""
from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import highdicom
import numpy as np
import pydicom
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

SLICES, SIDE, SEGMENTS = 300, 512, 4


def main() -> None:
    folder, runs = Path(sys.argv[1]), int(sys.argv[2])
    images = [pydicom.dcmread(path) for path in sorted((folder / "source").glob("*.dcm"))]
    bits = np.unpackbits(np.fromfile(folder / "masks.bin", np.uint8), bitorder="little")
    masks = bits.reshape(SEGMENTS, SLICES, SIDE, SIDE)
    labels = sum(masks[segment] * np.uint8(segment + 1) for segment in range(SEGMENTS))
    descriptions = [
        highdicom.seg.SegmentDescription(
            segment_number=segment + 1, segment_label=f"segment {segment + 1}",
            segmented_property_category=codes.SCT.Organ, segmented_property_type=codes.SCT.Liver,
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=highdicom.AlgorithmIdentificationSequence("none", codes.cid7162.ArtificialIntelligence, "1"))
        for segment in range(SEGMENTS)]
    ours = {row["type"]: row for row in map(json.loads, (folder / "ours.json").read_text().splitlines())}
    for name, kind, syntax in (("binary", "BINARY", ExplicitVRLittleEndian), ("labelmap", "LABELMAP", RLELossless)):
        seconds = []
        path = folder / f"highdicom-{name}.dcm"
        for _ in range(runs):
            start = time.perf_counter()
            made = highdicom.seg.Segmentation(
                source_images=images, pixel_array=labels, segmentation_type=kind, segment_descriptions=descriptions,
                series_instance_uid=highdicom.UID(), series_number=1, sop_instance_uid=highdicom.UID(), instance_number=1,
                manufacturer="bench", manufacturer_model_name="bench", software_versions="1", device_serial_number="1",
                transfer_syntax_uid=syntax)
            made.save_as(path)
            seconds.append(time.perf_counter() - start)
        read = highdicom.seg.segread(folder / f"{name}.dcm")
        # Its volumes begin at the other end.
        same = np.array_equal(read.get_volume(combine_segments=True, dtype=np.uint8).array[::-1], trimmed(labels))
        print(
            f"{name}: ours {ours[name]['best_s']:.3f} s ({ours[name]['bytes']} bytes), highdicom {min(seconds):.3f} s"
            f" ({path.stat().st_size} bytes), ratio {ours[name]['best_s'] / min(seconds):.2f}, masks equal: {same}")
    print(f"LABELMAP / BINARY: {ours['labelmap']['bytes'] / ours['binary']['bytes']:.3f}")


def trimmed(labels: np.ndarray) -> np.ndarray:
    """From the first to the last slice with a label, as a segmentation holds them."""
    found = np.flatnonzero(labels.any((1, 2)))
    return labels[found[0]:found[-1] + 1]


main()
