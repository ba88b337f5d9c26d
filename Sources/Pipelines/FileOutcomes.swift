import DICOM
import Failures
import ImageFiles

/// What becomes of each file of one study; of several outcomes of a file the worst holds.
struct FileOutcomes {
    private struct Entry {
        var status: Outcome
        var code: String?
        var reason: String?
    }

    private let places: [String: Int]
    /// Image in the study's folder → the TIFF that it was made of.
    private var origins: [String: String] = [:]
    private var entries: [Int: Entry] = [:]

    init(_ places: [String: Int]) { self.places = places }

    mutating func isMade(_ image: String, from raster: String) { origins[image] = raster }

    mutating func note(_ error: any Error, _ path: String) {
        let failure = FailureRecord(error)
        let reason = (error as? ImageFilesFailure)?.message.withoutSubject ?? failure.text
        set(Entry(status: Outcome(failure.kind), code: failure.code, reason: reason), path)
    }

    mutating func note(_ error: any Error, _ volume: Volume) {
        for instance in volume.instances { note(error, instance.path) }
    }

    mutating func processed(_ volume: Volume) {
        for instance in volume.instances { set(Entry(status: .processed), instance.path) }
    }

    /// A file that is in no volume and was not refused: another file holds the same image.
    mutating func copy(_ path: String) {
        guard let place = place(path), entries[place] == nil else { return }
        entries[place] = Entry(
            status: .skipped, code: "DUP-COPY", reason: "a copy of another file of this run: the other one is used.")
    }

    private func place(_ path: String) -> Int? { places[origins[path] ?? path] }

    private mutating func set(_ entry: Entry, _ path: String) {
        guard let place = place(path) else { return }
        if let old = entries[place], Self.rank(old.status) >= Self.rank(entry.status) { return }
        entries[place] = entry
    }

    private static func rank(_ outcome: Outcome) -> Int {
        switch outcome {
        case .skipped: 0
        case .processed: 1
        case .refused: 2
        case .failed: 3
        }
    }

    func write(into record: inout RunRecord) {
        for (place, entry) in entries {
            record.inputs[place].status = entry.status
            record.inputs[place].code = entry.code
            record.inputs[place].reason = entry.reason
        }
    }

    /// The study's files that gave no result, by their reason, worst first.
    func unused(of study: String, _ record: RunRecord) -> [StudyReport.Unused] {
        var rows = record
        write(into: &rows)
        var order: [String] = []
        var groups: [String: StudyReport.Unused] = [:]
        for input in rows.inputs where input.study == study && input.status != .processed {
            let key = "\(input.status.rawValue) \(input.code ?? "") \(input.reason ?? "")"
            var group =
                groups[key]
                ?? StudyReport.Unused(
                    series: [], status: input.status, code: input.code ?? "", reason: input.reason ?? "", files: 0)
            if groups[key] == nil { order.append(key) }
            group.files += 1
            if let series = input.series, !group.series.contains(series) { group.series.append(series) }
            groups[key] = group
        }
        return order.compactMap { groups[$0] }.sorted { Self.rank($0.status) > Self.rank($1.status) }
    }
}
