import Foundation
import Storage

/// Which cases belong to which split: CSV with the columns `name,split` and perhaps `patient` (`subject`), or nnU-Net's `splits_final.json`.
package struct SplitList: Sendable {
    package struct Row: Sendable {
        package let name: String
        package let split: String
        package let patient: String?
        /// Of the file, from 1.
        let line: Int
        /// `split` whatever its spelling.
        let meaning: String

        init(name: String, split: String, patient: String?, line: Int) {
            (self.name, self.split, self.patient, self.line) = (name, split, patient, line)
            meaning = SplitList.meaning(of: split)
        }
    }

    /// The splits that every list may have, by their spellings.
    private static let spellings = [
        "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
        "test": "test", "testing": "test",
    ]
    /// What lists say of cases that nobody takes.
    private static let setAside: Set<String> = [
        "unused", "ignore", "ignored", "exclude", "excluded", "none", "holdout", "unlabelled", "unlabeled",
    ]

    /// A split's name whatever its case, and for train, val and test whatever its spelling.
    static func meaning(of split: String) -> String {
        let name = split.lowercased()
        return spellings[name] ?? name
    }

    package let path: String
    package let rows: [Row]
    /// Columns that say nothing here, as the file writes them.
    let unread: [String]

    /// Whether a list is nnU-Net's, of several folds, rather than a table with one split of each case.
    package static func hasFolds(_ path: String) -> Bool { path.lowercased().hasSuffix(".json") }

    /// - Parameter fold: of `splits_final.json`, from 0.
    /// *Throws* `TrainingFailure.split` for what cannot be read, a name in two splits, a patient in two splits.
    package init(_ path: String, fold: Int = 0) throws {
        self.path = path
        (rows, unread) =
            Self.hasFolds(path)
            ? (try Self.folds(fold, path), []) : try Self.table(try DurableFile.read(path, limit: 64 << 20), path)
        var splits: [String: Row] = [:]
        var patients: [String: Row] = [:]
        for row in rows {
            if let other = splits.updateValue(row, forKey: row.name) {
                throw TrainingFailure.split(
                    path: path,
                    reason: other.meaning == row.meaning
                        ? "the name of line \(row.line) stands in line \(other.line) already"
                        : "the name of line \(row.line) is in the split \(row.split), and in \(other.split) by line \(other.line)"
                )
            }
            // One person, however the ID is typed.
            if let patient = row.patient, let other = patients.updateValue(row, forKey: patient.lowercased()),
                other.meaning != row.meaning
            {
                throw TrainingFailure.split(
                    path: path,
                    reason:
                        "the patient of line \(row.line) is in the split \(row.split), and in \(other.split) by line \(other.line)"
                )
            }
        }
    }

    /// The rows of one split, of all when nil. Names of splits are compared as `meaning` has them.
    ///
    /// - Parameter others: splits that the plan asks of its lists.
    /// *Throws* `TrainingFailure.split` naming the splits that there are; for a line whose split is none that is known, beside train,
    /// val or test: a slip would drop its case.
    func rows(of split: String?, others: Set<String> = []) throws(TrainingFailure) -> [Row] {
        guard let split else { return rows }
        let asked = Self.meaning(of: split)
        let found = rows.filter { $0.meaning == asked }
        guard !found.isEmpty else {
            let names = Set(rows.map(\.split)).sorted().joined(separator: ", ")
            throw .split(
                path: path,
                reason: rows.isEmpty
                    ? "it has no line behind its first"
                    : "no line has the split that is asked for; there are: \(names)")
        }
        let known = Self.setAside.union(Self.spellings.values).union(others.map(Self.meaning))
        // A list of splits of its own, folds for example, has whatever names it has.
        if Self.spellings[asked] != nil, let odd = rows.first(where: { !known.contains($0.meaning) }) {
            throw .split(
                path: path,
                reason:
                    "line \(odd.line) has the split \(odd.split), and there are train, val, test, those that the plan asks for, and"
                    + " unused for what nobody takes")
        }
        return found
    }

    // MARK: forms

    private static func folds(_ fold: Int, _ path: String) throws -> [Row] {
        let folds: [[String: [String]]]
        do {
            folds = try DescriptionFile.read(path, limit: 64 << 20, form: "unlike nnU-Net's list of folds")
        } catch TrainingFailure.layout(_, let reason) {
            throw TrainingFailure.split(path: path, reason: reason)
        }
        guard folds.indices.contains(fold) else {
            throw TrainingFailure.split(path: path, reason: "it has \(folds.count) folds, and none is number \(fold)")
        }
        return folds[fold].sorted { $0.key < $1.key }.flatMap { split, names in
            names.map { Row(name: $0, split: split, patient: nil, line: fold + 1) }
        }
    }

    private static func table(_ bytes: [UInt8], _ path: String) throws -> (rows: [Row], unread: [String]) {
        // Spreadsheets write a byte-order mark in front.
        let text = String(decoding: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...], as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        let head = lines.first ?? ""
        let separator: Character = head.contains(";") ? ";" : head.contains("\t") ? "\t" : ","
        let names = fields(head, separator)
        let columns = names.map(column)
        let (split, patient) = (columns.firstIndex(of: "split"), columns.firstIndex(of: "patient"))
        guard let name = columns.firstIndex(of: "name"), split != nil || patient != nil else {
            throw TrainingFailure.split(path: path, reason: "its first line has no columns name and split")
        }
        for column in ["name", "split", "patient"] where columns.count(where: { $0 == column }) > 1 {
            throw TrainingFailure.split(
                path: path, reason: "line 1 has the column \(column) twice, and which one counts is not said")
        }
        var rows: [Row] = []
        for (index, line) in lines.enumerated().dropFirst() where line.contains(where: { !$0.isWhitespace }) {
            let values = fields(line, separator)
            guard values.count == columns.count else {
                throw TrainingFailure.split(
                    path: path, reason: "line \(index + 1) has \(values.count) fields, not \(columns.count)")
            }
            let part = split.map { values[$0] } ?? "all"
            guard !values[name].isEmpty, !part.isEmpty else {
                throw TrainingFailure.split(path: path, reason: "line \(index + 1) lacks its name or its split")
            }
            let of = patient.map { values[$0] }
            rows.append(Row(name: values[name], split: part, patient: of?.isEmpty == true ? nil : of, line: index + 1))
        }
        let unread = zip(names, columns).filter { !["name", "split", "patient"].contains($1) && !$0.isEmpty }.map(\.0)
        return (rows, unread)
    }

    /// A column's name whatever its case; what tables call the person that an image is of is `patient`.
    private static func column(_ name: String) -> String {
        let plain = name.lowercased()
        let letters = plain.filter { !" _-".contains($0) }
        return people.contains(letters) ? "patient" : plain
    }

    private static let people: Set<String> = [
        "patient", "patientid", "subject", "subjectid", "participant", "participantid", "person", "personid", "mrn",
        "pid",
    ]

    /// The fields of a line, without the spaces and quotation marks around them; a quotation mark inside one is written twice.
    private static func fields(_ line: Substring, _ separator: Character) -> [String] {
        var fields: [String] = []
        var (field, isQuoted, wasQuoted) = ("", false, false)
        var letters = line.makeIterator()
        var next = letters.next()
        while let letter = next {
            next = letters.next()
            if letter == "\"", isQuoted, next == "\"" {
                field.append(letter)
                next = letters.next()
            } else if letter == "\"", isQuoted || field.allSatisfy(\.isWhitespace) {
                (isQuoted, wasQuoted) = (!isQuoted, true)
            } else if letter == separator, !isQuoted {
                fields.append(trimmed(field, wasQuoted))
                (field, wasQuoted) = ("", false)
            } else {
                field.append(letter)
            }
        }
        return fields + [trimmed(field, wasQuoted)]
    }

    private static func trimmed(_ field: String, _ isQuoted: Bool) -> String {
        isQuoted ? field : field.trimmingCharacters(in: .whitespaces)
    }
}
