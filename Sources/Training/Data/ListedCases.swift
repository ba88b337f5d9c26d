import Foundation

/// Which cases of a data set the rows of a list are.
///
/// A row is a case's name, or the name of its file. Where no case is called so, what lists made elsewhere have besides is passed over if one
/// case alone can be meant: folders before the name (`images/a.png`, `C:\data\a.png`), spaces around it, and the case of letters.
struct ListedCases {
    private let names: [String: String]

    /// - Parameter cases: their names.
    /// *Throws* `TrainingFailure.split` where two rows are of one case.
    init(_ list: SplitList, cases: [String]) throws(TrainingFailure) {
        let exact = Set(cases)
        let loose = Dictionary(grouping: cases, by: Self.plain)
        var (names, lines): ([String: String], [String: Int]) = ([:], [:])
        func add(_ row: SplitList.Row, _ name: String) throws(TrainingFailure) {
            if let other = lines.updateValue(row.line, forKey: name) {
                throw .split(path: list.path, reason: "lines \(other) and \(row.line) are of one image")
            }
            names[row.name] = name
        }
        var others: [SplitList.Row] = []
        for row in list.rows {
            // Lists made by hand often name files.
            let name = exact.contains(row.name) ? row.name : ImageFolder.stem(of: row.name) ?? row.name
            if exact.contains(name) { try add(row, name) } else { others.append(row) }
        }
        // A case that a row names as it is called is no other row's: that is of an image that is elsewhere.
        let named = Set(lines.keys)
        for row in others {
            guard let found = loose[Self.plain(row.name)], found.count == 1, !named.contains(found[0]) else { continue }
            try add(row, found[0])
        }
        self.names = names
    }

    /// Nil of a row that is of no case, or may be of several.
    func name(of row: SplitList.Row) -> String? { names[row.name] }

    private static func plain(_ name: String) -> String {
        let last = name.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? name
        let trimmed = last.trimmingCharacters(in: .whitespaces)
        return (ImageFolder.stem(of: trimmed) ?? trimmed).trimmingCharacters(in: .whitespaces).lowercased()
    }
}
