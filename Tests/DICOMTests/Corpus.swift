import Foundation

/// The shared test corpus where this machine has it: `HSPSAM_SHARED`, by default `../shared` beside the checkout.
enum Corpus {
    struct File: Sendable, CustomStringConvertible {
        let path: String
        let columns: [String: String]
        var absolutePath: String { Corpus.root + "/" + path }
        /// SHA-256 of the decoded pixels as another toolkit has them; empty where it is not known.
        var pixelDigest: String { columns["pixel_sha256"] ?? "" }
        var description: String { path }
    }

    static let root = (ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared") + "/data"

    /// Every DICOM file of the index; empty where there is no corpus, which the suite says.
    static let dicom: [File] = files.filter { $0.path.hasPrefix("dicom/") }

    static var isPresent: Bool { !dicom.isEmpty }

    private static let files: [File] = {
        guard let text = try? String(contentsOfFile: root + "/index.csv", encoding: .utf8) else { return [] }
        var rows = text.split(separator: "\n").map { fields(String($0)) }
        guard !rows.isEmpty else { return [] }
        let names = rows.removeFirst()
        return rows.map { row in
            let columns = Dictionary(uniqueKeysWithValues: zip(names, row))
            return File(path: columns["path"] ?? "", columns: columns)
        }
    }()

    /// The fields of one line of CSV; quoted fields may hold commas.
    private static func fields(_ line: String) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in line {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            default: fields[fields.count - 1].append(character)
            }
        }
        return fields
    }
}

/// `body` over all elements on all cores; results in the elements' order.
func concurrentMap<Element: Sendable, Result: Sendable>(
    _ elements: [Element], _ body: @escaping @Sendable (Element) -> Result
) async -> [Result] {
    await withTaskGroup(of: (Int, Result).self) { group in
        for (index, element) in elements.enumerated() {
            group.addTask { (index, body(element)) }
        }
        var results: [(Int, Result)] = []
        for await result in group { results.append(result) }
        return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
