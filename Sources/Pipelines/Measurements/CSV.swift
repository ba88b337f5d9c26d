/// A table as text (RFC 4180): a head, then rows; lines end with CR LF. A cell that a spreadsheet would take for a formula is kept text.
struct CSV {
    private(set) var text: String
    private let columns: Int

    init(_ head: [String]) {
        columns = head.count
        text = Self.line(head)
    }

    /// Nil cells are empty.
    mutating func add(_ cells: [String?]) {
        precondition(cells.count == columns, "CSV: \(cells.count) cells for \(columns) columns")
        text += Self.line(cells.map { $0 ?? "" })
    }

    /// The rows of another table with the same head.
    mutating func add(rowsOf other: CSV) { text += other.text.drop(while: { $0 != "\r\n" }).dropFirst() }

    private static func line(_ cells: [String]) -> String { cells.map(escaped).joined(separator: ",") + "\r\n" }

    private static func escaped(_ cell: String) -> String {
        var cell = cell
        // A number may begin with a sign.
        if let first = cell.first, "=+-@\t\r".contains(first), Double(cell) == nil { cell = "'" + cell }
        guard cell.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
}
