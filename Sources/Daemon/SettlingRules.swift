internal import Failures
internal import Foundation
internal import Storage

/// When a drop counts as complete, and how much of one is accepted.
package struct SettlingRules: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        /// When nothing of it changed for a while, or when it is marked.
        case quiet
        /// Only when it is marked.
        case readyOnly = "ready-only"
    }

    package var mode = Mode.quiet
    package var quiet: Duration
    /// A drop that still changes after this long is put aside for a person.
    package var giveUp: Duration = .seconds(86_400)
    package var mostFiles = 50_000
    package var mostBytes = 20 << 30
    /// Whether a drop is copied even where a rename would do.
    package var copies = false

    package init(quiet: Duration) { self.quiet = quiet }

    /// What a marker may say of its drop; an empty one says that it is complete.
    private struct Marker: Decodable {
        var files: Int?
        /// Digests in hexadecimal, by the path within the drop.
        var sha256: [String: String]?

        private enum CodingKeys: String, CodingKey, CaseIterable { case files, sha256 }

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        /// A key that we do not know says something of the drop that nobody would check: then it is not what the marker says.
        init(from decoder: any Decoder) throws {
            let known = CodingKeys.allCases.map(\.rawValue)
            for key in try decoder.container(keyedBy: Key.self).allKeys where !known.contains(key.stringValue) {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "a marker says files and sha256"))
            }
            let container = try decoder.container(keyedBy: CodingKeys.self)
            files = try container.decodeIfPresent(Int.self, forKey: .files)
            sha256 = try container.decodeIfPresent([String: String].self, forKey: .sha256)
        }
    }

    /// What a marker says of a drop.
    enum Readiness: Equatable {
        /// It is complete, and holds what the marker says.
        case ready
        /// The marker says something else than what is there: somebody is still copying, or copied wrongly.
        case contradicted
    }

    /// The marker of a drop, `NAME.ready` beside it or `.ready` inside; nil when there is none.
    ///
    /// - Parameter files: the regular files in the inbox: a folder of such a name is a drop of its own.
    func marker(_ name: FilePath, in inbox: FilePath, _ files: Set<FilePath>) -> (path: FilePath, isInside: Bool)? {
        if files.contains(name.extended(DropName.readyEnding)) {
            return (inbox.appending(name).extended(DropName.readyEnding), false)
        }
        let inside = inbox.appending(name).appending(DropName.readyEnding)
        return FileStatus.exists(inside) ? (inside, true) : nil
    }

    /// *Cost*: reads every file that the marker gives a digest of; `each` is called after each piece.
    func readiness(
        _ drop: FilePath, _ marker: (path: FilePath, isInside: Bool), _ print: Fingerprint, each: () -> Void
    ) -> Readiness {
        guard let file = try? InputFile(marker.path, limit: 64 << 20), let bytes = try? file.read(0..<file.size) else {
            return .contradicted
        }
        let count = print.files - (marker.isInside ? 1 : 0)
        // Nothing is never complete.
        guard count > 0 else { return .contradicted }
        if bytes.allSatisfy({ [9, 10, 13, 32].contains($0) }) { return .ready }
        guard let said = try? JSONDecoder().decode(Marker.self, from: Data(bytes)) else { return .contradicted }
        if let files = said.files, files != count { return .contradicted }
        guard let digests = said.sha256 else { return .ready }
        guard let folder = try? InputFolder(drop) else { return .contradicted }
        let hold = digests.allSatisfy { path, hex in
            guard let file = try? folder.open(FilePath(path)) else { return false }
            return (try? FileDigest(of: file, each: each))?.hex == hex.lowercased()
        }
        return hold ? .ready : .contradicted
    }
}
