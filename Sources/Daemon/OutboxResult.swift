internal import Failures
internal import Records
internal import Storage

/// A study's result as it stands in a folder: its report, and whether its files are the ones that were published.
struct OutboxResult {
    /// Beside the files, in the form of `sha256sum`: their digests when they were published, and the report's as the service marked it
    /// last. While it is marked, and after a service that died then, the report has two lines: of before and of after. Version 0.1.0 left it
    /// out.
    static let sumsName = "SHA256SUMS"
    private static let largest = 256 << 20

    let folder: String
    var record: StudyRecord
    /// Of the report's bytes as they were read.
    private var digest: FileDigest

    /// Nil when `folder` holds no report of ours, or one of another version.
    ///
    /// *Throws* `StorageFailure` when that cannot be known: what is unreadable is not absent.
    init?(in folder: String) throws {
        self.folder = folder
        do {
            let bytes = try DurableFile.read(Folder.join(folder, StudyRecord.fileName), limit: Self.largest)
            record = try StudyRecord(json: bytes)
            digest = FileDigest(of: bytes)
        } catch let error as StorageFailure {
            // A file where the folder should be, or no report in it.
            guard error.systemError == .notFound || error.kind == .refused else { throw error }
            return nil
        } catch is RecordFailure {
            return nil
        }
    }

    /// Writes the digests of the files that `folder` holds now. *Cost*: reads every file once.
    static func writeSums(in folder: String) throws(StorageFailure) {
        var lines: [String] = []
        for entry in try Folder.walk(folder) where entry.status.kind == .regular {
            guard entry.name != sumsName else { continue }
            lines.append(line(try FileDigest(ofFile: Folder.join(folder, entry.name)), entry.name))
        }
        try DurableFile.write(lines.joined(), to: Folder.join(folder, sumsName), mode: 0o640)
    }

    static func line(_ digest: FileDigest, _ name: String) -> String { "\(digest.hex)  \(name)\n" }

    /// The lines that `writeSums` wrote in `folder`, each with its file's name.
    static func sums(in folder: String) throws(StorageFailure) -> [(line: Substring, name: String)] {
        let bytes = try DurableFile.read(Folder.join(folder, sumsName), limit: largest)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            (line: $0, name: String($0.dropFirst(66)))
        }
    }

    /// The code of a result whose files are not those that were published.
    static let damaged = "RESULT-DAMAGED"
    /// The code of a result that is not in the outbox any more.
    static let gone = "FILE-NOT-FOUND"

    /// Of files of the result in `folder` the digests of those that are what was published, and the codes of those that must not go
    /// anywhere: `damaged` where one is gone or is not what was published, another where that cannot be known now. A report of which
    /// version 0.1.0 kept no digest has neither.
    ///
    /// *Cost*: reads what `read` has not read before; `each` is called after each piece.
    static func checked(
        _ names: [String], in folder: String, _ read: ReadDigests, each: () -> Void
    ) -> (fit: [String: FileDigest], unfit: [String: String]) {
        var found = checkedOnce(names, in: folder, read, each: each)
        // The report may have been marked between the look at the digests and the one at the report.
        for _ in 1..<looks where found.unfit.values.contains(damaged) {
            found = checkedOnce(names, in: folder, read, each: each)
        }
        return found
    }

    /// How often what seems to be damaged is looked at: whoever marks a report does so once or twice.
    private static let looks = 3

    private static func checkedOnce(
        _ names: [String], in folder: String, _ read: ReadDigests, each: () -> Void
    ) -> (fit: [String: FileDigest], unfit: [String: String]) {
        var fit: [String: FileDigest] = [:]
        var unfit: [String: String] = [:]
        do throws(StorageFailure) {
            _ = try FileStatus(of: folder)
            var sums: [String: [Substring]] = [:]
            do throws(StorageFailure) {
                for (line, name) in try Self.sums(in: folder) { sums[name, default: []].append(line.prefix(64)) }
            } catch {
                guard error.systemError == .notFound else { throw error }
                for name in names { unfit[name] = damaged }
                return (fit, unfit)
            }
            // Of a report that somebody has changed nobody knows what is what: nothing of such a result goes anywhere.
            let report = sums[StudyRecord.fileName] == nil ? [] : [StudyRecord.fileName]
            for name in Set(report + names) where sums[name] != nil || name != StudyRecord.fileName {
                do throws(StorageFailure) {
                    let digest = try read.digest(of: Folder.join(folder, name), each: each)
                    let isPublished = sums[name]?.contains { $0 == digest.hex } == true
                    if isPublished { fit[name] = digest } else { unfit[name] = damaged }
                } catch {
                    unfit[name] = error.systemError == .notFound || error.kind == .refused ? damaged : error.code
                }
            }
            if let code = unfit[StudyRecord.fileName] { for name in names { unfit[name] = code } }
        } catch {
            for name in names { unfit[name] = error.code }
        }
        return (fit, unfit)
    }

    /// Whether every file that was published is there and unchanged. *Cost*: reads every file once.
    func isWhole() throws -> Bool {
        let sums: [(line: Substring, name: String)]
        do throws(StorageFailure) { sums = try Self.sums(in: folder) } catch {
            guard error.systemError == .notFound else { throw error }
            return false
        }
        var listed: [String: [FileDigest]] = [:]
        for (line, name) in sums {
            guard let digest = FileDigest(hex: String(line.prefix(64))), !name.isEmpty else { return false }
            listed[name, default: []].append(digest)
        }
        for (name, digests) in listed {
            do {
                guard digests.contains(try FileDigest(ofFile: Folder.join(folder, name))) else { return false }
            } catch {
                guard error.systemError == .notFound || error.kind == .refused else { throw error }
                return false
            }
        }
        return record.results.flatMap {
            [$0.file].compactMap(\.self) + $0.images + ($0.objects ?? []).map(\.file)
        }.allSatisfy { listed[$0] != nil }
    }

    /// Whether this result says all that `other` says of the same study under the same pipelines.
    func covers(_ other: OutboxResult) -> Bool {
        guard let (mine, its) = images(against: other) else { return false }
        if mine != its { return mine.isSuperset(of: its) }
        return says(moreThan: other)
    }

    /// Whether both are of the same images, sent again with other attributes that reach no result, under the same pipelines, and `other`,
    /// which nothing has taken the place of, says as much.
    func repeats(_ other: OutboxResult) -> Bool {
        guard other.record.supersededBy == nil, let (mine, its) = images(against: other) else { return false }
        return mine == its && !says(moreThan: other)
    }

    /// Of the same images: a pipeline may have failed on some of them in one of the two.
    private func says(moreThan other: OutboxResult) -> Bool {
        let (here, there) = (record, other.record)
        return (here.complete ? 1 : 0, here.results.count) > (there.complete ? 1 : 0, there.results.count)
    }

    /// What tells the images of both apart: what of them can reach a result where both reports say it, else all their bytes. Nil of
    /// results of different studies or pipelines.
    private func images(against other: OutboxResult) -> (mine: Set<String>, its: Set<String>)? {
        guard record.study == other.record.study, record.pipelines == other.record.pipelines else { return nil }
        func images(_ record: StudyRecord) -> Set<String>? {
            let lines = record.imageContents.map(\.imageLine)
            return lines.isEmpty || lines.contains(nil) ? nil : Set(lines.compactMap(\.self))
        }
        if let mine = images(record), let its = images(other.record) { return (mine, its) }
        return (Set(record.instances), Set(other.record.instances))
    }

    /// Whether an image of this result has the SOP Instance UID of one of `other`, which nothing has taken the place of, and other
    /// content. Reports of versions that do not tell UIDs contradict none.
    func contradicts(_ other: OutboxResult) -> Bool {
        guard record.study == other.record.study, other.record.supersededBy == nil else { return false }
        let its = Dictionary(grouping: other.record.imageContents, by: \.uid)
        return record.imageContents.contains { mine in
            its[mine.uid].map { !$0.contains { $0.isSame(as: mine) } } ?? false
        }
    }

    /// Whether this result and `other`, which nothing has taken the place of, each hold slices of one series that the other lacks, under
    /// one pipeline: each measures a part of what is one volume. Pictures that stand alone are no parts.
    func divides(_ other: OutboxResult) -> Bool {
        guard record.study == other.record.study, other.record.supersededBy == nil, strangers(other).isEmpty
        else { return false }
        let (mine, its) = (Set(record.imageContents.map(\.uid)), Set(other.record.imageContents.map(\.uid)))
        guard !its.isSubset(of: mine), !mine.isSubset(of: its) else { return false }
        // Of several series the images that differ may be another's: then a volume that came out the same is the same one.
        let isOfOne =
            mine.isDisjoint(with: its)
            || Set((record.results + other.record.results).map(\.source.series)).count == 1
        return record.results.contains { mine in
            other.record.results.contains { its in
                its.source.series == mine.source.series && its.pipeline == mine.pipeline
                    && (its.source.sliceMM ?? mine.source.sliceMM) != nil
                    && (isOfOne || its.source != mine.source || its.segments != mine.segments)
            }
        }
    }

    /// Keywords of the attributes by which this result and `other`, which nothing has taken the place of, are of two patients or two
    /// studies though their Study Instance UID is one.
    func strangers(_ other: OutboxResult) -> [String] {
        guard record.study == other.record.study, other.record.supersededBy == nil else { return [] }
        return record.identity.contradictions(other.record.identity)
    }

    /// The result in `folder` whose report is the one that the service wrote last, as far as a digest of it was kept; nil where it is not,
    /// or there is none.
    static func own(in folder: String) throws -> OutboxResult? {
        // It may be marked between the two looks.
        for _ in 0..<looks {
            guard let result = try OutboxResult(in: folder) else { return nil }
            if try result.hasOwnReport() { return result }
        }
        return nil
    }

    private func hasOwnReport() throws -> Bool {
        do throws(StorageFailure) {
            let kept = try Self.sums(in: folder).filter { $0.name == StudyRecord.fileName }
            return kept.isEmpty || kept.contains { $0.line.prefix(64) == digest.hex }
        } catch {
            // Without any digests each file is found to be damaged.
            guard error.systemError == .notFound else { throw error }
            return true
        }
    }

    /// Says in the report which result took this one's place. Repeating it changes nothing.
    mutating func markSuperseded(by key: String) throws {
        guard record.supersededBy == nil else { return try endWriting() }
        record.supersededBy = key
        try writeReport()
    }

    /// Says in the report what it asks a person for. Repeating it changes nothing.
    mutating func markAsking(_ code: String) throws {
        guard record.needsPerson != code else { return try endWriting() }
        record.needsPerson = code
        try writeReport()
    }

    /// Between two versions of it the digests name both: whoever looks meanwhile, and whoever comes after a service that died in the middle,
    /// finds the one that stands there. That of a report which somebody has changed stays what it was.
    private mutating func writeReport() throws {
        // A service that died in the middle of this.
        try DurableFile.removeTemporaries(in: folder)
        let json = try record.json()
        let new = FileDigest(of: json)
        let path = Folder.join(folder, Self.sumsName)
        let sums = FileStatus.exists(path) ? try Self.sums(in: folder) : []
        let isOwn = sums.contains { $0.name == StudyRecord.fileName && $0.line.prefix(64) == digest.hex }
        func write(_ digests: [FileDigest]) throws(StorageFailure) {
            guard isOwn else { return }
            let others = sums.filter { $0.name != StudyRecord.fileName }.map { "\($0.line)\n" }
            let reports = digests.map { Self.line($0, StudyRecord.fileName) }
            try DurableFile.write((others + reports).joined(), to: path, mode: 0o640)
        }
        try write([digest, new])
        try DurableFile.write(json, to: Folder.join(folder, StudyRecord.fileName), mode: 0o640)
        try write([new])
        digest = new
    }

    /// Names the report that stands there alone, where a service died after it had written it.
    private func endWriting() throws {
        let path = Folder.join(folder, Self.sumsName)
        guard FileStatus.exists(path) else { return }
        let line = Self.line(digest, StudyRecord.fileName)
        let lines = try Self.sums(in: folder)
        let reports = lines.filter { $0.name == StudyRecord.fileName }.map { "\($0.line)\n" }
        guard reports.count > 1, reports.contains(line) else { return }
        let others = lines.filter { $0.name != StudyRecord.fileName }.map { "\($0.line)\n" }
        try DurableFile.write((others + [line]).joined(), to: path, mode: 0o640)
    }
}
