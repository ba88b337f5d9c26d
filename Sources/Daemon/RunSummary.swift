package import Failures
internal import Foundation
internal import Storage

/// What the service needs of a worker's `run.json`; other keys are none of its business.
package struct RunSummary: Sendable, Decodable {
    package struct Input: Sendable, Decodable {
        package let path: String
        package let status: String
        package let code: String?
        package let reason: String?
        package let study: String?

        package var outcome: Outcome? { Outcome(rawValue: status) }
    }

    package struct Study: Sendable, Decodable {
        /// The digest name, the study's key K, and its folder inside the run's output.
        package let study: String
        package let key: String
        package let folder: String
    }

    package struct Result: Sendable, Decodable {
        package struct Segment: Sendable, Decodable {
            package let label: String
            package let pixels: Int
            package let areaMM2: Double?
            package let volumeML: Double?
            package let confidence: Double?

            private enum CodingKeys: String, CodingKey {
                case label, pixels, confidence
                case areaMM2 = "area_mm2"
                case volumeML = "volume_ml"
            }
        }

        package let study: String
        package let pipeline: String
        package let segments: [Segment]
    }

    package let inputs: [Input]
    package let studies: [Study]
    package let results: [Result]

    /// The record in a worker's output folder; nil when it is missing or is not what we read.
    package init?(output: String) {
        guard let bytes = try? DurableFile.read(Folder.join(output, "run.json"), limit: 256 << 20),
            let summary = try? JSONDecoder().decode(RunSummary.self, from: Data(bytes))
        else { return nil }
        self = summary
    }

    /// Studies of which anything was processed, with names that are safe as folders.
    package var publishable: [Study] {
        let processed = Set(inputs.filter { $0.outcome == .processed }.compactMap(\.study))
        return studies.filter { study in
            processed.contains(study.study) && FileDigest(hex: study.key) != nil
                && !study.study.isEmpty && study.study.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
                && !study.folder.isEmpty && !study.folder.contains("/") && study.folder != ".."
        }
    }

    /// The first input that ended as `outcome`, as a reason without its path: paths may hold a patient's name.
    package func reason(_ outcome: Outcome, _ kind: Reason.Class) -> Reason? {
        let found = inputs.filter { $0.outcome == outcome }
        guard let first = found.first else { return nil }
        var text = first.reason ?? ""
        for name in [first.path, Folder.split(first.path).name] where !name.isEmpty {
            text = text.replacingOccurrences(of: name, with: "the file")
        }
        if found.count > 1 { text += " (\(found.count) files ended like this.)" }
        return Reason(kind, code: first.code ?? outcome.rawValue.uppercased(), text: text)
    }

    /// What was found in a study, as one line for the outbox page, with the result's key in front.
    package func findings(of study: Study) -> String {
        let parts = results.filter { $0.study == study.study }.map { result in
            let seen = result.segments.filter { $0.pixels > 0 }.map { segment in
                let size =
                    if let volume = segment.volumeML {
                        " \(Self.number(volume)) ml"
                    } else if let area = segment.areaMM2 {
                        " \(Self.number(area)) mm²"
                    } else { " \(segment.pixels) pixels" }
                let confidence = segment.confidence.map { ", confidence \(Self.number($0))" } ?? ""
                return segment.label + size + confidence
            }
            return "\(result.pipeline): \(seen.isEmpty ? "nothing found" : seen.joined(separator: "; "))"
        }
        return "\(study.key) \(parts.joined(separator: " · "))"
    }

    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "unknown" }
        return String(format: abs(value) >= 100 ? "%.0f" : "%.2f", value)
    }
}
