import DICOM
import DICOMObjects
import Failures
import Foundation
import ImageFiles
import Storage
import Tensors

/// Files and folders to studies, by content and not by name: the light index of a run.
///
/// Each file is opened once, is read through that descriptor, and is remembered by what identifies it; its header is read again
/// when its study's turn comes. Some files at a time are looked at side by side, and what they are is taken in the order in which they were
/// found. *Source*: `docs/architecture.md`, "The way of a study". *Cost*: one pass over the bytes of each file; pixels are not decoded; a few
/// hundred bytes of memory a file, and the headers of those that are looked at.
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
    /// Files that were found and are not looked at yet.
    private var waiting: [Entry] = []
    /// TIFF, PNG and JPEG files, whatever became of them: sidecars may be theirs.
    private var pictures: Set<FilePath> = []
    /// Settled files, by their place there, that may be sidecars.
    private var sidecars: [(place: Int, absolute: FilePath)] = []

    /// - Parameter output: the run's own folder; what runs have written there is no input although it may lie inside of one.
    /// *Throws* `InputFailure.missing`, and what `progress` throws: what is wrong with a file is its outcome.
    static func read(
        _ inputs: [String], output: OutputFolder? = nil, limits: ReadingLimits,
        progress: (_ files: Int) throws -> Void = { _ in }
    ) throws -> InputIndex {
        var reader = InputReader(limits: limits)
        for input in inputs {
            guard let status = try? FileStatus(of: input, followingLinks: true) else {
                throw InputFailure.missing(path: input)
            }
            let path = FilePath(input)
            let absolute = FilePath(URL(fileURLWithPath: input).standardizedFileURL.path)
            guard status.kind == .directory else {
                // A DICOMDIR stands for its medium.
                if MediaDirectory.isLikely(at: path) {
                    try reader.add(
                        folder: path.folder.bytes.isEmpty ? FilePath(".") : path.folder, absolute.folder,
                        output: output, progress)
                    continue
                }
                try reader.add(
                    Entry(path: path, absolute: absolute, kind: .success(status.kind)) { () throws(StorageFailure) in
                        try InputFile(path)
                    }, progress)
                continue
            }
            try reader.add(folder: path, absolute, output: output, progress)
        }
        try reader.look(progress)
        // Archives that stood among the inputs, their files behind the others.
        reader.isInArchive = true
        for (path, absolute) in reader.pending {
            let archive: ZipInput
            do { archive = try ZipInput(absolute) } catch {
                reader.settle(path, error)
                continue
            }
            reader.found.archives.append(archive)
            let before = reader.rows
            try reader.add(folder: archive.files, shown: path, archive.files, output: nil, progress)
            try reader.look(progress)
            if reader.rows == before {
                reader.settle(path, InputFailure.notImage("a zip archive without a file in it.", cure: ""))
            }
        }
        return reader.index(output)
    }

    /// Every file below a folder, but for what runs have written to the output folder where that lies in it.
    ///
    /// - Parameter shown: what stands for the folder in the files' paths; nil: its own.
    private mutating func add(
        folder path: FilePath, shown: FilePath? = nil, _ absolute: FilePath, output: OutputFolder?,
        _ progress: (_ files: Int) throws -> Void
    ) throws {
        let folder: InputFolder
        do throws(StorageFailure) {
            folder = try InputFolder(path)
        } catch {
            let entry = Entry(path: shown ?? path, absolute: absolute, kind: .failure(error)) {
                () throws(StorageFailure) in throw error
            }
            try add(entry, progress)
            return
        }
        try folder.walk(excluding: try output?.written(below: path) ?? []) { found in
            let entry = Entry(
                path: (shown ?? path).appending(found.name), absolute: absolute.appending(found.name), kind: found.kind
            ) { () throws(StorageFailure) in try folder.open(found.name) }
            try add(entry, progress)
        }
    }

    /// An input that gives nothing else.
    private mutating func settle(_ path: FilePath, _ error: any Error) {
        found.settled.append((Input(row: rows, path: path.text), InputOutcome(error)))
        rows += 1
    }

    private init(limits: ReadingLimits) { self.limits = limits }

    /// Studies in the order of their UIDs; files of studies without images among the settled ones, but for those with an older result in the
    /// output folder: that is replaced by what became of them this time, lest it be taken for theirs.
    private func index(_ output: OutputFolder?) -> InputIndex {
        var index = found
        let names = SidecarNames(pictures, seen)
        for (place, absolute) in sidecars {
            guard let failure = names.problem(absolute) else { continue }
            index.settled[place].outcome = InputOutcome(failure)
        }
        for study in StudyInputs.refusingShared(
            studies.values.sorted(by: { $0.studyInstanceUID < $1.studyInstanceUID }))
        {
            if study.hasImages || study.hasLoss && output?.holds(study: study.name) == true {
                index.studies.append(study)
            } else {
                index.settled += zip(study.members, StudyOutcomes(study).settled).map { ($0.input, $1) }
            }
        }
        return index
    }

    /// A file to be looked at, once: the same may be given twice, alone and within its folder.
    private mutating func add(_ entry: Entry, _ progress: (_ files: Int) throws -> Void) throws {
        guard seen.insert(entry.absolute).inserted else { return }
        waiting.append(entry)
        if waiting.count == Self.together * ThreadPool.threads { try look(progress) }
    }

    /// Looks at the files that wait, side by side.
    private mutating func look(_ progress: (_ files: Int) throws -> Void) throws {
        let found = ThreadPool.map(waiting.count) { [waiting, limits, isInArchive] index in
            Look(waiting[index], isInArchive: isInArchive, limits)
        }
        for (entry, look) in zip(waiting, found) {
            take(look, entry)
            try progress(rows)
        }
        waiting = []
    }

    private mutating func take(_ look: Look, _ entry: Entry) {
        if look.isPicture { pictures.insert(entry.absolute) }
        var input = Input(row: rows, path: entry.path.text)
        if isInArchive || FilePath(input.path) != entry.path { found.places[input.path] = entry.absolute }
        input.contentSHA256 = look.contentSHA256
        input.study = look.studyInstanceUID.map { texts.shared(StudyNames.study($0)) }
        input.series = look.seriesInstanceUID.map { texts.shared(StudyNames.series($0)) }
        let content: StudyMember.Content
        switch look.content {
        case .archive:
            pending.append((entry.path, entry.absolute))
            return
        case .instance(let instance, let file): content = .instance(IndexedInstance(instance, file, sharing: &texts))
        case .raster(let source): content = .raster(source)
        case .failure(let error): content = .settled(InputOutcome(error))
        }
        rows += 1
        if let study = look.studyInstanceUID {
            studies[study, default: StudyInputs(studyInstanceUID: study)].members.append(
                StudyMember(input: input, content: content))
        } else if case .settled(let outcome) = content {
            if Sidecar.mayBe(entry.path.name), !look.isPicture {
                sidecars.append((found.settled.count, entry.absolute))
            }
            found.settled.append((input, outcome))
        }
    }

    /// How many files a thread has to look at before what they are is taken.
    private static let together = 4
}

extension InputReader {
    /// A file as it was found.
    private struct Entry {
        let path: FilePath
        let absolute: FilePath
        let kind: Result<FileStatus.Kind, StorageFailure>
        let open: () throws(StorageFailure) -> InputFile
    }

    /// What a file is. Digest, study and series are there as soon as they are known, so that a refusal names them.
    private struct Look {
        enum Content {
            case archive
            case instance(SourceInstance, InputFile)
            case raster(RasterSource)
            case failure(any Error)
        }

        private(set) var content = Content.archive
        /// By its first bytes a TIFF, PNG or JPEG that is read or refused as one.
        private(set) var isPicture = false
        private(set) var contentSHA256: String?
        private(set) var studyInstanceUID: String?
        private(set) var seriesInstanceUID: String?

        /// - Parameter isInArchive: archives in archives are no inputs.
        init(_ entry: Entry, isInArchive: Bool, _ limits: ReadingLimits) {
            do {
                let file: InputFile
                switch try entry.kind.get() {
                case .regular: file = try entry.open()
                case .symlink: throw InputFailure.link
                case let other: throw InputFailure.notFile(other.rawValue)
                }
                do {
                    content = try content(file, isInArchive: isInArchive, limits)
                } catch {
                    // What is no image that we know is known by all of its bytes.
                    if contentSHA256 == nil { contentSHA256 = try? FileDigest(of: file).hex }
                    throw error
                }
            } catch {
                content = .failure(error)
            }
        }

        private mutating func content(
            _ file: InputFile, isInArchive: Bool, _ limits: ReadingLimits
        ) throws -> Content {
            let head = try file.read(0..<min(file.size, 256))
            if !isInArchive, ZipInput.isZip(head) { return .archive }
            if let vendor = VendorFormat.name(head, file.path.name) {
                throw ImageFilesFailure(path: file.path.text, reason: .vendor(vendor))
            }
            if let format = InputFormat.picture(head) {
                isPicture = true
                let digest = try FileDigest(of: file)
                contentSHA256 = digest.hex
                // Damage is said now; the pixels are decoded when their study's turn comes.
                let contents = format == .tiff ? Result { try TIFFFile(file, limits: limits.images).contents() } : nil
                let source = try RasterSource(
                    file, format, digest: digest, set: (try? contents?.get().set) ?? [])
                contentSHA256 = source.digest
                studyInstanceUID = source.studyInstanceUID
                seriesInstanceUID = source.seriesInstanceUID
                _ = try contents?.get()
                return .raster(source)
            }
            if let failure = InputFormat.other(head, name: file.path.name) { throw failure }
            let dicom = try DICOMFile(file, limits: limits.dicom)
            contentSHA256 = dicom.contentDigest
            if let failure = MediaDirectory.incompleteness(dicom, in: file.path.folder) { throw failure }
            studyInstanceUID = dicom.dataSet.uid(.studyInstanceUID)
            seriesInstanceUID = dicom.dataSet.uid(.seriesInstanceUID)
            return .instance(try SourceInstance(dicom, limits: limits.dicom, keepsPlanning: true), file)
        }
    }
}
