/// What became of a corpus, counted by two properties of its files: a table in Markdown.
package struct OutcomeTable {
    /// What stands above the rows.
    private let head: String
    private var found: [(row: String, column: String, outcome: String)] = []

    package init(_ head: String) { self.head = head }

    /// - Parameter outcome: `read`, or the code of a refusal.
    package mutating func add(_ row: String, _ column: String, _ outcome: String) {
        found.append((row, column, outcome))
    }

    package var markdown: String {
        let columns = Set(found.map(\.column)).sorted()
        var lines = ["| \(head) | " + columns.joined(separator: " | ") + " |"]
        lines.append("|---|" + String(repeating: "---|", count: columns.count))
        for row in Set(found.map(\.row)).sorted() {
            let cells = columns.map { column in
                Self.counts(found.filter { $0.row == row && $0.column == column }.map(\.outcome))
            }
            lines.append("| \(row) | " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    /// `read` first.
    private static func counts(_ outcomes: [String]) -> String {
        let codes = Set(outcomes).subtracting(["read"]).sorted()
        return ((outcomes.contains("read") ? ["read"] : []) + codes).map { outcome in
            "\(outcomes.count { $0 == outcome }) \(outcome)"
        }.joined(separator: ", ")
    }
}
