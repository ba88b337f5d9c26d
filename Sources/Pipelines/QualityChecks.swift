package import DICOM
import DICOMObjects
package import Imaging
import Numbers
package import Records

/// What was measured of one segment of one volume.
package struct SegmentMeasurement: Sendable, Equatable {
    /// From 1, as described in the pipeline.
    package var number: Int
    package var label: String
    /// sRGB
    package var color: [UInt8]
    /// Over all frames.
    package var pixels: Int
    /// Frames with at least one pixel.
    package var frames: Int
    /// Of the frame with the largest area; nil without spacing.
    package var areaMM2: Double?
    /// Nil for frames that do not lie in space.
    package var volumeML: Double?
    /// Mean probability over the segment's pixels, 0…1; nil when nothing was found.
    package var confidence: Double?
    /// In the frame where it is longest; nil without spacing, and of several objects of a slide or of a pipeline that counts them.
    package var diameters: MaskDiameters?
    /// Mean and standard deviation of the source's values; nil for colour.
    package var mean: Double?
    package var standardDeviation: Double?
    /// Of these; nil where nobody says which.
    package var valueUnit: String?
    /// Nil unless the pipeline counts them, as their sizes.
    package var objects: Int?
    package var objectSizes: ObjectSizes?
    /// The source's spacing holds wherever the segment lies; false where it reaches out of an ultrasound picture's calibrated regions, or
    /// where these have different ones.
    package var isCalibrated = true
    package var cut = SegmentCut()

    /// As in `run.json` and `report.json`.
    var record: SegmentRecord {
        SegmentRecord(
            number: number, label: label, pixels: pixels, areaMM2: areaMM2, volumeML: volumeML, confidence: confidence,
            longestDiameterMM: diameters?.longest, perpendicularMM: diameters?.perpendicular, mean: mean,
            standardDeviation: standardDeviation, valueUnit: valueUnit, objects: objects, objectSizes: objectSizes)
    }
}

/// Measures masks and notices what a person should look at.
package enum QualityChecks {
    /// *Shape*: `masks[segment][picture]`, `confidence[segment][picture]`: a slide is one picture.
    ///
    /// - Parameter seen: the share of the pictures in which things were looked for.
    static func measure(
        _ volume: Volume, _ pipeline: Pipeline, masks: [[Mask]], confidence: [[Float?]], objects: [SegmentObjects],
        seen: Double
    ) -> [SegmentMeasurement] {
        pipeline.segments.enumerated().map { index, segment in
            let frames = masks[index]
            let counts = frames.map(\.count)
            let total = counts.reduce(0, +)
            let largest = counts.indices.max { counts[$0] < counts[$1] }
            let isCalibrated = volume.isCalibrated(frames)
            let spacing = volume.spacing(of: frames)
            var area: Double?
            if let spacing, let largest {
                area = Measurement.areaMM2(frames[largest], spacing: spacing)
            }
            var ml: Double?
            if volume.reachesOverSlices, let spacing, !volume.sliceWeights.isEmpty {
                ml = Measurement.volumeML(frames, spacing: spacing, weightsMM: volume.sliceWeights)
            }
            var sum = 0.0, weight = 0
            for (frame, count) in counts.enumerated() where count > 0 {
                guard let value = confidence[index][frame] else { continue }
                sum += Double(value) * Double(count)
                weight += count
            }
            var measurement = SegmentMeasurement(
                number: index + 1, label: segment.label, color: segment.color, pixels: total,
                frames: counts.count { $0 > 0 }, areaMM2: area, volumeML: ml,
                confidence: weight > 0 ? sum / Double(weight) : nil)
            measurement.isCalibrated = isCalibrated
            measurement.cut = objects[index].cut
            // From one end of many objects to the other says nothing of any of them; objects.csv has their own.
            let isSpread = objects[index].count > 1 && (volume.slide != nil || pipeline.outputs.countsObjects)
            if let spacing, !isSpread {
                measurement.diameters = frames.lazy.compactMap { MaskDiameters(of: $0, spacing: spacing) }
                    .max { $0.longest < $1.longest }
            }
            (measurement.mean, measurement.standardDeviation) = (
                objects[index].values?.mean, objects[index].values?.deviation
            )
            if measurement.mean != nil, volume.modality == "CT", volume.hasKnownValues { measurement.valueUnit = "HU" }
            if pipeline.outputs.countsObjects {
                measurement.objects = objects[index].count
                let all = frames.reduce(0) { $0 + $1.rows * $1.columns }
                // Of a picture whose scale holds in parts of it nobody knows how large it is.
                let seenMM2 = volume.pictureSpacing.map { seen * Double(all) * $0.row * $0.column }
                measurement.objectSizes = objects[index].sizes(spacing: spacing, seenMM2: seenMM2)
            }
            return measurement
        }
    }

    /// Findings on one result, the volume's own first.
    package static func check(
        _ volume: Volume, _ pipeline: Pipeline, masks: [[Mask]], measurements: [SegmentMeasurement]
    ) -> [Finding] {
        var findings = volume.findings
        if measurements.allSatisfy({ $0.pixels == 0 }) {
            let object =
                pipeline.outputs.segmentations.writesNothing
                ? "the segmentation says so" : "no segmentation object is written"
            findings.append(Finding("QC-NOTHING", .warning, "Nothing was found: \(object)."))
        } else {
            for segment in measurements where segment.pixels == 0 {
                findings.append(Finding("QC-ABSENT", .note, "\(segment.label): searched, not found."))
            }
        }
        let pictures = volume.pictures
        let framePixels = pictures.rows * pictures.columns
        for (index, segment) in measurements.enumerated() where segment.pixels > 0 {
            if let confidence = segment.confidence, confidence < 0.75 {
                findings.append(
                    Finding(
                        "QC-UNSURE", .warning,
                        "\(segment.label): mean probability \(percent(confidence)): look at the outline closely."))
            }
            if masks[index].contains(where: { $0.count * 10 > framePixels * 9 }) {
                findings.append(
                    Finding(
                        "QC-ALL", .warning, "\(segment.label) covers more than 90 % of a frame: it is likely wrong."))
            }
            if !segment.isCalibrated {
                let what =
                    volume.hasSeveralScales
                    ? "lies in an ultrasound picture whose regions have different scales"
                    : "reaches out of the calibrated regions of the ultrasound picture"
                findings.append(
                    Finding(
                        "QC-CALIBRATION", .warning, "\(segment.label) \(what): no area in mm² is given."))
            }
            if let finding = segment.cut.finding(segment.label, of: segment.objects) { findings.append(finding) }
        }
        if volume.pixelSpacing == nil, !volume.hasSeveralScales {
            findings.append(Finding("QC-NOSCALE", .note, "The source has no pixel spacing: areas are given in pixels."))
        }
        if volume.voxelMM3 == nil, pipeline.postprocess.contains(where: \.needsVoxelSize) {
            let lack = volume.pixelSpacing == nil ? "pixel spacing" : "slice thickness"
            findings.append(
                Finding(
                    "QC-MINSIZE", .warning, "The minimum size in mm³ was not applied: the source has no \(lack)."))
        }
        if let packing = packing(volume, pipeline.outputs), measurements.contains(where: { $0.pixels > 0 }) {
            findings.append(packing)
        }
        if pipeline.outputs.syntheticGeometry, !volume.hasPlace, volume.slide == nil,
            measurements.contains(where: { $0.pixels > 0 })
        {
            findings.append(
                Finding(
                    "QC-SYNTHETIC", .note,
                    "The source has no place in space: the segmentation carries a synthetic geometry."))
        }
        return findings
    }

    /// Readers of bits that expect whole bytes a row or a frame.
    private static func packing(_ volume: Volume, _ outputs: Outputs) -> Finding? {
        guard volume.columns % 8 != 0, outputs.segmentationKinds.contains(.binary) else { return nil }
        let what =
            volume.rows * volume.columns % 8 != 0
            ? "frames do not end with a byte, so that some viewers shift them"
            : "rows do not end with a byte, so that some archives and viewers do not show them"
        let cure =
            outputs.segmentationKinds.contains(.labelmap)
            ? "Use the LABELMAP object beside it there."
            : "With outputs.seg.type: labelmap an object without bits is written beside."
        return Finding(
            "QC-PACKING", .note,
            "\(volume.columns) columns are no multiple of 8: \(what) as a BINARY segmentation. \(cure)")
    }

    static func percent(_ value: Double) -> String { "\(NumberText.fixed(value * 100, 0)) %" }
}
