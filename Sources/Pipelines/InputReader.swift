import DICOM
import DICOMObjects
import Failures
import Foundation
import ImageFiles
import Storage

/// Files and folders to studies, by content and not by name: the light index of a run.
///
/// Each file is opened once, is read through that descriptor, and is remembered by what identifies it; its header is read again
/// when its study's turn comes. *Source*: the design page on DICOM, section 2.1. *Cost*: one pass over the bytes of each file;
/// pixels are not decoded; a few hundred bytes of memory a file.
struct InputReader {
    private let limits: DICOMLimits
    private var found = InputIndex()
    private var studies: [String: StudyInputs] = [:]
    private var seen: Set<FilePath> = []
    private var rows = 0
    private var texts = SharedTexts()

    /// - Parameter excluding: a folder that is not read although it may lie inside an input: the run's own output.
    /// *Throws* `InputFailure.missing`, and what `progress` throws: what is wrong with a file is its outcome.
    static func read(
        _ inputs: [String], excluding: String? = nil, limits: DICOMLimits = .standard,
        progress: (_ files: Int) throws -> Void = { _ in }
    ) throws -> InputIndex {
        var reader = InputReader(limits: limits)
        let excluded = try? excluding.map { path throws(StorageFailure) in
            try FileStatus(of: path, followingLinks: true)
        }
        for input in inputs {
            guard let status = try? FileStatus(of: input, followingLinks: true) else {
                throw InputFailure.missing(path: input)
            }
            let path = FilePath(input)
            let absolute = FilePath(URL(fileURLWithPath: input).standardizedFileURL.path)
            guard status.kind == .directory else {
                reader.add(path, absolute, .success(status.kind)) { () throws(StorageFailure) in try InputFile(path) }
                continue
            }
            let folder: InputFolder
            do throws(StorageFailure) {
                folder = try InputFolder(path)
            } catch {
                reader.add(path, absolute, .failure(error)) { () throws(StorageFailure) in throw error }
                continue
            }
            try folder.walk(excluding: excluded) { entry in
                reader.add(path.appending(entry.name), absolute.appending(entry.name), entry.kind) {
                    () throws(StorageFailure) in try folder.open(entry.name)
                }
                try progress(reader.rows)
            }
        }
        return reader.index
    }

    private init(limits: DICOMLimits) { self.limits = limits }

    /// Studies in the order of their UIDs; files of studies without images among the settled ones.
    private var index: InputIndex {
        var index = found
        for study in StudyInputs.refusingSharedSeries(
            studies.values.sorted(by: { $0.studyInstanceUID < $1.studyInstanceUID }))
        {
            if study.hasImages {
                index.studies.append(study)
            } else {
                index.settled += zip(study.members, StudyOutcomes(study).settled).map { ($0.input, $1) }
            }
        }
        return index
    }

    private mutating func add(
        _ path: FilePath, _ absolute: FilePath, _ kind: Result<FileStatus.Kind, StorageFailure>,
        open: () throws(StorageFailure) -> InputFile
    ) {
        // The same file may be given twice, alone and within its folder.
        guard seen.insert(absolute).inserted else { return }
        var input = Input(row: rows, path: path.text)
        rows += 1
        var study: String?
        let content: StudyMember.Content
        var file: InputFile?
        do {
            switch try kind.get() {
            case .regular:
                let opened = try open()
                file = opened
                content = try self.content(&input, opened, study: &study)
            case .symlink: throw InputFailure.link
            case let other: throw InputFailure.notFile(other.rawValue)
            }
        } catch {
            content = .settled(InputOutcome(error))
            // What is no image that we know is known by all of its bytes.
            if input.contentSHA256 == nil, let file { input.contentSHA256 = try? FileDigest(of: file).hex }
        }
        if let study {
            studies[study, default: StudyInputs(studyInstanceUID: study)].members.append(
                StudyMember(input: input, content: content))
        } else if case .settled(let outcome) = content {
            found.settled.append((input, outcome))
        }
    }

    /// What a file is. Digest, study and series are filled in as soon as they are known, so that a refusal names them.
    private mutating func content(
        _ input: inout Input, _ file: InputFile, study: inout String?
    ) throws -> StudyMember.Content {
        let head = try file.read(0..<min(file.size, 256))
        if InputFormat.isTIFF(head) {
            let digest = try FileDigest(of: file)
            input.contentSHA256 = digest.hex
            let source = try RasterSource(file, digest: digest)
            input.contentSHA256 = source.digest
            study = source.studyInstanceUID
            input.study = texts.shared(StudyNames.study(source.studyInstanceUID))
            input.series = texts.shared(StudyNames.series(source.seriesInstanceUID))
            // Damage is said now; the pixels are decoded when their study's turn comes.
            _ = try TIFFFile(file)
            return .raster(source)
        }
        if let failure = InputFormat.other(head, name: file.path.name) { throw failure }
        let dicom = try DICOMFile(file, limits: limits)
        input.contentSHA256 = dicom.contentDigest
        study = dicom.dataSet.uid(.studyInstanceUID)
        input.study = study.map { texts.shared(StudyNames.study($0)) }
        input.series = dicom.dataSet.uid(.seriesInstanceUID).map { texts.shared(StudyNames.series($0)) }
        return .instance(IndexedInstance(try SourceInstance(dicom, limits: limits), file, sharing: &texts))
    }
}
