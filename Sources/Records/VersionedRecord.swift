package import Failures
package import Foundation

/// A JSON file with one schema for writing and for reading: snake_case keys, each always there, `null` for what is not known.
package protocol VersionedRecord: Codable, Sendable, Equatable {
    /// Raised when a key changes its meaning or goes.
    static var currentVersion: Int { get }
    /// Its name in the folder that it lies in.
    static var fileName: String { get }
    var version: Int { get }
}

extension VersionedRecord {
    /// Sorted keys, an indent of two, a line feed at the end.
    ///
    /// *Throws* `RecordFailure.unwritable`.
    package func json() throws(RecordFailure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { throw .unwritable(file: Self.fileName) }
        return Array(data) + [0x0A]
    }

    /// *Throws* `RecordFailure` for what is no such record, or one of another version.
    package init(json bytes: [UInt8]) throws(RecordFailure) {
        let data = Data(bytes)
        guard let head = try? JSONDecoder().decode(RecordHead.self, from: data) else {
            throw .unreadable(file: Self.fileName)
        }
        guard head.version == Self.currentVersion else {
            throw .version(file: Self.fileName, found: head.version, known: Self.currentVersion)
        }
        guard let record = try? JSONDecoder().decode(Self.self, from: data) else {
            throw .unreadable(file: Self.fileName)
        }
        self = record
    }
}

private struct RecordHead: Decodable {
    let version: Int
}

/// Why a record could not be written or read.
package enum RecordFailure: Failure, Equatable {
    /// A number in it is not finite, or a text is none.
    case unwritable(file: String)
    case unreadable(file: String)
    case version(file: String, found: Int, known: Int)

    package var kind: FailureKind { if case .unwritable = self { .internalDefect } else { .failed } }

    package var code: String {
        switch self {
        case .unwritable: "REC-WRITE"
        case .unreadable: "REC-READ"
        case .version: "REC-VERSION"
        }
    }

    package var message: FailureMessage {
        switch self {
        case .unwritable(let file):
            FailureMessage("a value cannot be written as JSON.", cure: "Please report it.", subject: file)
        case .unreadable(let file):
            FailureMessage(
                "it is not the JSON that this program writes.", cure: "Run hspsam again on the input.", subject: file)
        case .version(let file, let found, let known):
            FailureMessage(
                "it has version \(found), this program knows \(known).",
                cure: "Run this version of hspsam again on the input.", subject: file)
        }
    }
}

/// A time in records.
package enum RecordTime {
    /// UTC, to the second: `2026-11-24T01:02:03Z`.
    package static func text(_ date: Date) -> String { date.formatted(.iso8601) }
    package static func now() -> String { text(Date()) }
}
