package import DICOM
import DICOMObjects
package import Failures
import Imaging

/// The whole way of files to results, without the network: reading, grouping, decoding, windowing, and composing, encoding and
/// verifying a segmentation of every volume.
package enum WholeWay {
    /// What became of the files: the codes of all refusals, and how many segmentations were made.
    package struct Ending: Sendable {
        package var failures: [FailureRecord] = []
        package var segmentations = 0

        /// Nobody outside can do anything about these, so no input may lead to one.
        package static let forbidden: Set<String> = ["INTERNAL", "OUT-ILLEGAL", "OUT-MISMATCH", "OUT-VERIFY"]

        /// What breaks the promise that an input ends in a result or in a refusal with a code and a cure.
        package var broken: [String] {
            failures.filter { failure in
                Self.forbidden.contains(failure.code) || failure.kind == .internalDefect
                    || failure.message.explanation.isEmpty
                    || failure.kind == .refused && failure.message.cure.isEmpty
            }.map { "\($0)" }
        }
    }

    package static func run(_ files: [[UInt8]], limits: DICOMLimits = .standard) -> Ending {
        var ending = Ending()
        var sources: [SourceInstance] = []
        for bytes in files {
            ending.attempt {
                sources.append(try SourceInstance(try DICOMFile(bytes: bytes, limits: limits), limits: limits))
            }
        }
        let built = VolumeBuilder.volumes(of: sources)
        ending.failures += built.leftOut.map { FailureRecord($0.failure) }
        for volume in built.volumes {
            var isMade = false
            ending.attempt { isMade = try compose(volume) }
            if isMade { ending.segmentations += 1 }
        }
        return ending
    }

    private static func compose(_ volume: Volume) throws -> Bool {
        let decoding = FrameDecoding()
        var masks: [Mask] = []
        for frame in volume.frames {
            let decoded = try decoding.frame(frame)
            let voi = frame.voi
            let windowing = Windowing(mode: .dicom(usesTable: voi.table != nil), scope: .frame)
            let shown = windowing.window(for: decoded, voi).image(decoded)
            let flags = (0..<shown.rows * shown.columns).map { shown.pixels[$0 * 3] > 100 || $0 % 7 == 0 }
            masks.append(Mask(rows: shown.rows, columns: shown.columns, flags: flags))
        }
        let segments = [
            SegmentDescription(
                key: "part", label: "Part", category: Code("123037004", "SCT", "Anatomical Structure"),
                type: Code("10200004", "SCT", "Liver"),
                color: [200, 100, 50])
        ]
        var options = Segmentation.Options()
        options.syntheticGeometry = true
        let producer = Producer(
            manufacturer: "Example", version: "0", modelName: "none", modelVersion: "0",
            modelDigest: String(repeating: "0", count: 64), pipelineName: "mutation", pipelineVersion: "1",
            pipelineDigest: String(repeating: "0", count: 64))
        let made = try Segmentation(volume, masks: [masks], segments: segments, producer: producer, options: options)
        guard let made else { return false }
        let written = try WrittenObject(try DataSetEncoder.file(made.dataSet, kept: made.kept))
        try Verification.same(written, made.dataSet)
        try Verification.segmentation(written, volume, .init(masks: [masks]), segments: segments, options: options)
        return true
    }
}

extension WholeWay.Ending {
    fileprivate mutating func attempt(_ body: () throws -> Void) {
        do { try body() } catch { failures.append(FailureRecord(error)) }
    }
}
