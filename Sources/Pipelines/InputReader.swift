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
    private let limits: ReadingLimits
    private var found = InputIndex()
    private var studies: [String: StudyInputs] = [:]
    private var seen: Set<FilePath> = []
    private var rows = 0
    private var texts = SharedTexts()
    /// Archives that are to be unpacked: as given, and where they lie.
    private var pending: [(path: FilePath, absolute: FilePath)] = []
    private var isInArchive = false

    /// - Parameter excluding: a folder that is not read although it may lie inside an input: the run's own output.
    /// *Throws* `InputFailure.missing`, and what `progress` throws: what is wrong with a file is its outcome.
    static func read(
        _ inputs: [String], excluding: String? = nil, limits: ReadingLimits,
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
                // A DICOMDIR stands for its medium.
                if reader.isMediaDirectory(path) {
                    try reader.add(
                        folder: path.folder.bytes.isEmpty ? FilePath(".") : path.folder, absolute.folder,
                        excluding: excluded, progress)
                    continue
                }
                reader.add(path, absolute, .success(status.kind)) { () throws(StorageFailure) in try InputFile(path) }
                continue
            }
            try reader.add(folder: path, absolute, excluding: excluded, progress)
        }
        // Archives that stood among the inputs, their files behind the others.
        reader.isInArchive = true
        for (path, absolute) in reader.pending {
            let archive: ZipInput
            do { archive = try ZipInput(absolute) } catch {
                reader.settle(path, error)
                continue
            }
            reader.found.archives.append((path, archive))
            let before = reader.rows
            try reader.add(folder: archive.files, shown: path, archive.files, excluding: nil, progress)
            if reader.rows == before {
                reader.settle(path, InputFailure.notImage("a zip archive without a file in it.", cure: ""))
            }
        }
        return reader.index
    }

    private func isMediaDirectory(_ path: FilePath) -> Bool {
        guard let file = try? InputFile(path), let head = try? file.read(0..<min(file.size, 1024)) else { return false }
        return MediaDirectory.isLikely(head)
    }

    /// Every file below a folder.
    ///
    /// - Parameter shown: what stands for the folder in the files' paths; nil: its own.
    private mutating func add(
        folder path: FilePath, shown: FilePath? = nil, _ absolute: FilePath, excluding: FileStatus?,
        _ progress: (_ files: Int) throws -> Void
    ) throws {
        let folder: InputFolder
        do throws(StorageFailure) {
            folder = try InputFolder(path)
        } catch {
            add(shown ?? path, absolute, .failure(error)) { () throws(StorageFailure) in throw error }
            return
        }
        try folder.walk(excluding: excluding) { entry in
            add((shown ?? path).appending(entry.name), absolute.appending(entry.name), entry.kind) {
                () throws(StorageFailure) in try folder.open(entry.name)
            }
            try progress(rows)
        }
    }

    /// An input that gives nothing else.
    private mutating func settle(_ path: FilePath, _ error: any Error) {
        found.settled.append((Input(row: rows, path: path.text), InputOutcome(error)))
        rows += 1
    }

    private init(limits: ReadingLimits) { self.limits = limits }

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
        let opened = Result { () throws -> InputFile in
            switch try kind.get() {
            case .regular: return try open()
            case .symlink: throw InputFailure.link
            case let other: throw InputFailure.notFile(other.rawValue)
            }
        }
        let file = try? opened.get()
        if !isInArchive, let file, isArchive(file) {
            pending.append((path, absolute))
            return
        }
        var input = Input(row: rows, path: path.text)
        rows += 1
        var study: String?
        let content: StudyMember.Content
        do {
            content = try self.content(&input, try opened.get(), study: &study)
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

    private func isArchive(_ file: InputFile) -> Bool {
        guard let head = try? file.read(0..<min(file.size, 4)) else { return false }
        return ZipInput.isZip(head)
    }

    /// What a file is. Digest, study and series are filled in as soon as they are known, so that a refusal names them.
    private mutating func content(
        _ input: inout Input, _ file: InputFile, study: inout String?
    ) throws -> StudyMember.Content {
        let head = try file.read(0..<min(file.size, 256))
        if let vendor = VendorFormat.name(head, file.path.name) {
            throw ImageFilesFailure(path: file.path.text, reason: .vendor(vendor))
        }
        if let format = InputFormat.picture(head) {
            let digest = try FileDigest(of: file)
            input.contentSHA256 = digest.hex
            // Damage is said now; the pixels are decoded when their study's turn comes.
            let contents = format == .tiff ? Result { try TIFFFile(file, limits: limits.images).contents() } : nil
            let source = try RasterSource(
                file, format, digest: digest, set: (try? contents?.get().set) ?? [])
            input.contentSHA256 = source.digest
            study = source.studyInstanceUID
            input.study = texts.shared(StudyNames.study(source.studyInstanceUID))
            input.series = texts.shared(StudyNames.series(source.seriesInstanceUID))
            _ = try contents?.get()
            return .raster(source)
        }
        if let failure = InputFormat.other(head, name: file.path.name) { throw failure }
        let dicom = try DICOMFile(file, limits: limits.dicom)
        input.contentSHA256 = dicom.contentDigest
        if let failure = MediaDirectory.incompleteness(dicom, in: file.path.folder) { throw failure }
        study = dicom.dataSet.uid(.studyInstanceUID)
        input.study = study.map { texts.shared(StudyNames.study($0)) }
        input.series = dicom.dataSet.uid(.seriesInstanceUID).map { texts.shared(StudyNames.series($0)) }
        let instance = try SourceInstance(dicom, limits: limits.dicom, keepsPlanning: true)
        return .instance(IndexedInstance(instance, file, sharing: &texts))
    }
}
