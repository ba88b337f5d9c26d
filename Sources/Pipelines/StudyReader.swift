package import DICOM
package import Failures
import Foundation
import ImageFiles
import Storage

/// One study as it was found among the inputs.
package struct ReadStudy: Sendable {
    package let studyInstanceUID: String
    package var instances: [SourceInstance] = []
    package var rasters: [RasterSource] = []

    package var name: String { StudyNames.study(studyInstanceUID) }
}

/// Everything that was given to a run: each file once, with what it is.
package struct ReadInputs: Sendable {
    /// In the order of reading. Files of a study have no outcome yet: they stand as `failed` until their study is done.
    package var records: [RunRecord.Input] = []
    /// By Study Instance UID.
    package var studies: [ReadStudy] = []
    /// Place in `records` by path.
    package var places: [String: Int] = [:]
}

/// Files and folders to studies, by content and not by name.
///
/// *Source*: the design page on DICOM, section 2.1. *Cost*: two passes over each file; pixels are not decoded.
package enum StudyReader {
    /// - Parameter excluding: a folder that is not read although it may lie inside an input: the run's own output.
    /// *Throws* only when an input does not exist, and what `progress` throws: what is wrong with a file is its outcome.
    package static func read(
        _ inputs: [String], excluding: String? = nil, limits: DICOMLimits = .standard,
        progress: (Int) throws -> Void = { _ in }
    ) throws -> ReadInputs {
        var reading = Reading(limits: limits)
        let excluded = excluding.map(absolute)
        for input in inputs {
            guard let status = try? FileStatus(of: input, followingLinks: true) else {
                throw InputFailure.missing(path: input)
            }
            guard status.kind == .directory else {
                reading.add(input, .success(status.kind))
                continue
            }
            try walk(input, excluded) { path, kind in
                reading.add(path, kind)
                try progress(reading.result.records.count)
            }
        }
        reading.result.studies = reading.studies.values.sorted { $0.studyInstanceUID < $1.studyInstanceUID }
        return reading.result
    }

    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    /// Files below a folder, sorted; folders themselves are no inputs, links are not followed.
    /// A folder that cannot be listed is visited itself, with what the system said.
    private static func walk(
        _ folder: String, _ excluded: String?, _ visit: (String, Result<FileStatus.Kind, StorageFailure>) throws -> Void
    ) throws {
        let entries: [Folder.Entry]
        do throws(StorageFailure) {
            entries = try Folder.list(folder)
        } catch {
            return try visit(folder, .failure(error))
        }
        for entry in entries {
            let path = Folder.join(folder, entry.name)
            if entry.status.kind == .directory {
                if let excluded, absolute(path) == excluded { continue }
                try walk(path, excluded, visit)
            } else {
                try visit(path, .success(entry.status.kind))
            }
        }
    }
}

/// Why a run did not begin with its inputs.
package enum InputFailure: Failure, Equatable {
    case missing(path: String)

    package var kind: FailureKind { .usage }
    package var code: String { "USE-INPUT" }

    package var text: String {
        switch self {
        case .missing(let path): "\(path): no such file or folder. Check the path."
        }
    }
}

/// What one file is, with its code and reason; nil code when it belongs to a study.
private struct Reading {
    let limits: DICOMLimits
    var result = ReadInputs()
    var studies: [String: ReadStudy] = [:]
    private var seen: Set<String> = []

    init(limits: DICOMLimits) { self.limits = limits }

    mutating func add(_ path: String, _ kind: Result<FileStatus.Kind, StorageFailure>) {
        // The same file may be given twice, alone and within its folder.
        guard seen.insert(StudyReader.absolute(path)).inserted else { return }
        var record = RunRecord.Input(path: path, status: .failed, code: "INTERNAL", reason: "not reached")
        do {
            switch try kind.get() {
            case .regular: try classify(path, &record)
            case .symlink: skip(&record, "IN-LINK", "a symbolic link: links inside folders are not followed.")
            case let other: skip(&record, "IN-NOTFILE", "a \(other.rawValue): no file to read.")
            }
        } catch {
            note(error, in: &record)
        }
        result.places[path] = result.records.count
        result.records.append(record)
    }

    private func skip(_ record: inout RunRecord.Input, _ code: String, _ reason: String) {
        (record.status, record.code, record.reason) = (.skipped, code, reason)
    }

    private func note(_ error: any Error, in record: inout RunRecord.Input) {
        let failure = FailureRecord(error)
        record.status = Outcome(failure.kind)
        record.code = failure.code
        record.reason = (error as? ImageFilesFailure)?.message.withoutSubject ?? failure.text
    }

    private mutating func classify(_ path: String, _ record: inout RunRecord.Input) throws {
        let digest = try FileDigest(ofFile: path)
        record.sha256 = digest.hex
        let size = try FileStatus(of: path, followingLinks: true).size
        guard size > 0 else {
            return skip(&record, "IN-EMPTY", "an empty file (0 bytes): nothing to segment. Copy it again.")
        }
        let head = try MappedFile(path).copy(offset: 0, count: min(size, 256)) ?? []
        // A preamble may be a TIFF header as well (PS3.10 7.1); such a file is DICOM.
        let hasMark = head.count >= 132 && head[128..<132].elementsEqual([0x44, 0x49, 0x43, 0x4D])
        if !hasMark, ImageFile.format(of: head) == .tiff {
            let source = try RasterSource(path, digest: digest)
            record.study = StudyNames.study(source.studyInstanceUID)
            record.series = StudyNames.series(source.seriesInstanceUID)
            // Damage is told now; the pixels are decoded when their study's turn comes.
            _ = try TIFFFile(path)
            studies[source.studyInstanceUID, default: ReadStudy(studyInstanceUID: source.studyInstanceUID)].rasters
                .append(source)
            return
        }
        if Sidecar.isName(path) {
            return skip(&record, "IN-SIDECAR", "the identity of the TIFF files beside it: no image.")
        }
        if let what = Self.otherFormat(head) { return skip(&record, "IN-NOTIMAGE", what) }
        let file = try DICOMFile(path: path, limits: limits)
        record.study = file.dataSet.uid(.studyInstanceUID).map(StudyNames.study)
        record.series = file.dataSet.uid(.seriesInstanceUID).map(StudyNames.series)
        let instance = try SourceInstance(file, limits: limits)
        studies[instance.studyInstanceUID, default: ReadStudy(studyInstanceUID: instance.studyInstanceUID)].instances
            .append(instance)
    }

    /// Formats that people put beside images, named so that they know what was found.
    private static func otherFormat(_ head: [UInt8]) -> String? {
        if DICOMFile.looksLikeDICOM(head) { return nil }
        switch ImageFile.format(of: head) {
        case .png: return "a PNG picture: neither DICOM nor TIFF. Save it as TIFF to have it segmented."
        case .jpeg: return "a JPEG picture: neither DICOM nor TIFF. Save it as TIFF to have it segmented."
        case .tiff, nil: break
        }
        if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            return "a zip archive: neither DICOM nor TIFF. Unpack it and give the folder."
        }
        if head.starts(with: Array("%PDF".utf8)) { return "a PDF: neither DICOM nor TIFF." }
        let isText = head.allSatisfy { $0 >= 32 && $0 != 127 || [9, 10, 12, 13].contains($0) }
        return isText
            ? "a text file: neither DICOM nor TIFF, whatever its name says." : "neither DICOM nor TIFF by its content."
    }
}

extension Outcome {
    /// What becomes of an input that a failure of this kind stops.
    init(_ kind: FailureKind) {
        switch kind {
        case .skipped: self = .skipped
        case .refused: self = .refused
        // A sidecar that is wrong is the input's fault, not the installation's.
        case .configuration, .usage: self = .refused
        case .failed, .internalDefect: self = .failed
        }
    }
}
