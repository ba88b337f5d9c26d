internal import Records
internal import Storage

/// What the service knows of a pipeline, which only its workers read.
package struct KnownPipeline: Sendable {
    let name: String
    /// Words that reports have for the kinds of objects which it writes.
    let kinds: Set<String>

    package init(name: String, kinds: Set<String>) {
        self.name = name
        self.kinds = kinds
    }

    fileprivate var parts: Set<Destination.Part> { Set(kinds.compactMap { ResultFiles.parts[$0] }) }
}

// Whether the pipelines that are there give what was given before, and what is to be sent.

extension WatchService {
    /// Begins what the ledger remembers of each pipeline that gave a result.
    private static let gave = "pipeline "
    /// What results hold whatever pipelines write: one segmentation of each volume, images of files that were none, tables.
    private static let always: Set<Destination.Part> = [.seg, .image, .report, .tables]

    /// For the notes of `status`.
    func lookAtPipelines() async throws {
        let settings = settings
        guard let pipelines = settings.lookAtPipelines?() else { return }
        let written = pipelines.reduce(into: Self.always) { $0.formUnion($1.parts) }
        let unwritten = settings.destinations.filter(\.expectsParts).compactMap { destination -> String? in
            let parts = destination.parts.filter { !written.contains($0) }.map(\.rawValue)
            return parts.isEmpty ? nil : "\(parts.joined(separator: ", ")) to \(destination.name)"
        }
        try await ledger.remember(Overview.unwritten, unwritten.joined(separator: "; "))
        let gone = try await ledger.facts(Self.gave).filter { name in !pipelines.contains { $0.name == name } }
        try await ledger.remember(Overview.gone, gone.joined(separator: " "))
    }

    /// Of results that were published now.
    func notePipelines(_ results: [PublishedResult]) async throws {
        var names: Set<String> = []
        for result in results {
            let found = try? OutboxResult(in: Folder.join(paths.outbox, result.path))
            names.formUnion(found?.record.results.map(\.pipeline) ?? [])
        }
        for name in names { try await ledger.remember(Self.gave + name, "gives") }
    }

    /// A person has taken it out for good. Gives whether anything was asked.
    func settlePipeline(_ name: String) async throws -> Bool {
        guard try await ledger.fact(Overview.gone)?.split(separator: " ").contains(Substring(name)) == true else {
            return false
        }
        try await ledger.remember(Self.gave + name, "")
        try await lookAtPipelines()
        return true
    }
}
