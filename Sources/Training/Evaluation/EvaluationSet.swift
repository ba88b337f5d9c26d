package import Failures
import Settings
import Storage

/// A data set that a model is measured on.
package struct EvaluationSet: Sendable, Equatable {
    /// What it is to the models, as somebody says.
    package enum Part: Sendable, Equatable {
        case unsaid
        /// They learned from such images.
        case source
        /// They never saw such images.
        case target
    }

    package let name: String
    package let source: TrainingPlan.Source
    package var part = Part.unsaid

    package init(name: String, source: TrainingPlan.Source, part: Part = .unsaid) {
        (self.name, self.source, self.part) = (name, source, part)
    }

    /// With what it is to the models, for tables.
    package var title: String {
        switch part {
        case .unsaid: name
        case .source: "\(name) (source)"
        case .target: "\(name) (unseen)"
        }
    }
}

/// Data sets by the keys that an entry of `data` has in a plan, read as there.
package struct EvaluationSets: Sendable, Equatable {
    package private(set) var all: [EvaluationSet]
    /// Nearly equal pictures may stand in two of them.
    package let allowsSimilar: Bool

    /// A file that holds one entry, or `sets` with a list of them, each with a `name`.
    ///
    /// - Parameters:
    ///   - labels: of the model's segments.
    ///   - folders: what `${name}` in a path stands for.
    /// *Throws* `SettingsFailure` with file and line; `TrainingFailure.role`, `.unusedRole`; Storage's failures.
    package static func read(_ path: String, labels: [String], folders: DataFolders) throws -> EvaluationSets {
        try folders.reading(path) { section, resolve in
            func entry(_ entry: Section, _ name: String) throws -> EvaluationSet {
                guard !name.isEmpty, !name.contains(where: \.isNewline) else {
                    throw entry.failure(
                        "SET-CHOICE", at: "name", found: name, "this is no name for a table.", cure: "Write one word.")
                }
                return EvaluationSet(name: name, source: try TrainingPlan.Source(entry, labels: labels, resolve))
            }
            let allowsSimilar = try section.choice("similar_images", default: Similar.refuse) == .allow
            guard section.has("sets") else {
                let name = try section.string("name", default: stem(path))
                return EvaluationSets(all: [try entry(section, name)], allowsSimilar: allowsSimilar)
            }
            let entries = try section.sections("sets")
            let all = try entries.map { try entry($0, try $0.string("name")) }
            guard !all.isEmpty else {
                throw section.failure(
                    "SET-EMPTY", at: "sets", "the list is empty: there is nothing to measure on.",
                    cure: "Name a data set.")
            }
            if let again = all.indices.first(where: { at in all[..<at].contains { $0.name == all[at].name } }) {
                throw entries[again].failure(
                    "SET-CHOICE", at: "name", found: all[again].name, "the name stands twice.",
                    cure: "Give each set its own.")
            }
            return EvaluationSets(all: all, allowsSimilar: allowsSimilar)
        }.value
    }

    /// Folders in published layouts, called by the last part of their paths.
    ///
    /// *Throws* `USE-DATA` for two that would be called alike.
    package init(folders: [String]) throws(FailureRecord) {
        all = folders.map { path in
            let name = path.split(separator: "/").last.map(String.init) ?? path
            return EvaluationSet(name: name, source: TrainingPlan.Source(origin: .folder(path)))
        }
        allowsSimilar = false
        for (index, set) in all.enumerated() where all[..<index].contains(where: { $0.name == set.name }) {
            throw Self.failure(
                "two sets are called \(set.name).", "Name each once, or write --set with a name for each.",
                folders[index])
        }
    }

    /// One set.
    package init(_ set: EvaluationSet) { (all, allowsSimilar) = ([set], false) }

    /// The source first, then the targets in their order; without targets all others are.
    ///
    /// *Throws* `USE-DATA` for a name that no set has, one that is both, and a source alone.
    package func chosen(source: String, targets: [String]) throws(FailureRecord) -> EvaluationSets {
        let unseen = targets.isEmpty ? all.map(\.name).filter { $0 != source } : targets
        guard !unseen.isEmpty else {
            throw Self.failure(
                "nothing is to be compared with it.", "Name other sets with --target.", "--source \(source)")
        }
        var chosen = self
        chosen.all = []
        for (index, name) in ([source] + unseen).enumerated() {
            guard var set = all.first(where: { $0.name == name }) else {
                throw Self.failure(
                    "no set is called \(name).", "Write one of \(all.map(\.name).joined(separator: ", ")).",
                    "\(index == 0 ? "--source" : "--target") \(name)")
            }
            guard !chosen.all.contains(where: { $0.name == name }) else {
                throw Self.failure("the set is named twice.", "Name it once.", "--target \(name)")
            }
            set.part = index == 0 ? .source : .target
            chosen.all.append(set)
        }
        return chosen
    }

    private init(all: [EvaluationSet], allowsSimilar: Bool) {
        (self.all, self.allowsSimilar) = (all, allowsSimilar)
    }

    private static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name.split(separator: ".").first.map(String.init) ?? name
    }

    private static func failure(_ explanation: String, _ cure: String, _ subject: String) -> FailureRecord {
        FailureRecord(
            kind: .usage, code: "USE-DATA", message: FailureMessage(explanation, cure: cure, subject: subject))
    }

    private enum Similar: String, CaseIterable { case refuse, allow }
}
