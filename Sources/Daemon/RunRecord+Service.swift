package import Failures
internal import Numbers
package import Records
internal import Storage

// What the service asks of a worker's run.json.

extension RunRecord {
    private static let largest = 256 << 20

    /// The record in a worker's output folder.
    ///
    /// *Throws* `StorageFailure` when there is none or it cannot be read, `RecordFailure` when it is another version's or damaged.
    package static func read(output: String) throws -> RunRecord {
        try RunRecord(json: DurableFile.read(Folder.join(output, fileName), limit: largest))
    }

    /// Studies with a result, made now or known before, with names that are safe as folders.
    package var settledStudies: [Study] {
        studies.filter { study in
            guard let key = study.key, FileDigest(hex: key) != nil else { return false }
            guard !study.study.isEmpty, study.study.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
                return false
            }
            guard let folder = study.folder else { return true }
            return !folder.isEmpty && !folder.contains("/") && folder != "." && folder != ".."
        }
    }

    /// The first input that ended as `outcome`, as a reason.
    package func reason(_ outcome: Outcome, _ kind: JobReason.Class) -> JobReason? {
        let found = inputs.filter { $0.status == outcome }
        guard let first = found.first else { return nil }
        var text = first.reason ?? ""
        if found.count > 1 { text += " (\(found.count) files ended like this.)" }
        return JobReason(kind, code: first.code ?? outcome.rawValue.uppercased(), text: text)
    }

    /// What was found in a study: a line for each pipeline.
    package func findings(of study: String) -> [String] {
        results.filter { $0.study == study }.map { result in
            let seen = result.segments.filter { $0.pixels > 0 }.map { segment in
                let size =
                    if let volume = segment.volumeML {
                        " \(NumberText.volume(ml: volume))"
                    } else if let area = segment.areaMM2 {
                        " \(NumberText.area(mm2: area))"
                    } else { " \(segment.pixels) pixels" }
                let confidence = segment.confidence.map { ", confidence \(NumberText.fixed($0, 2))" } ?? ""
                return segment.label + size + confidence
            }
            return "\(result.pipeline): \(seen.isEmpty ? "nothing found" : seen.joined(separator: "; "))"
        }
    }

    /// The images that it knows the series of.
    var images: [SeriesImages] {
        var found: [[String]: Set<UInt64>] = [:]
        for input in inputs {
            guard let study = input.study, let series = input.series,
                let digest = input.image?.suffix(16) ?? input.contentSHA256?.prefix(16),
                let image = UInt64(digest, radix: 16)
            else { continue }
            found[[study, series], default: []].insert(image)
        }
        return found.map { SeriesImages(study: $0.key[0], series: $0.key[1], images: $0.value) }
            .sorted { ($0.study, $0.series) < ($1.study, $1.series) }
    }

    /// Inputs of a study that gave a result.
    package func processed(of study: String) -> Int { inputs.count { $0.study == study && $0.status == .processed } }
}
