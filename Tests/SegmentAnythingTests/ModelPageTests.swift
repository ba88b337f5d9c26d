import Foundation
import SegmentAnything
import Tensors
import Testing

/// One row of the table of tensors in `docs/model.md`.
private struct Row {
    var name: String
    let shape: [String]
    let role: String
    let conditions: [String]
}

/// The page's table, expanded for a configuration.
private struct ModelPage {
    let rows: [Row]
    let configuration: Configuration

    init(_ configuration: Configuration) throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/model.md")
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        let table = lines.drop { !$0.hasPrefix("## 9. ") }.dropFirst().prefix { !$0.hasPrefix("## ") }
        rows = table.filter { $0.hasPrefix("| `") }.map { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            return Row(
                name: cells[1].trimmingCharacters(in: ["`"]),
                shape: cells[2].trimmingCharacters(in: ["[", "]"]).components(separatedBy: ", "), role: cells[3],
                conditions: cells[4].isEmpty ? [] : cells[4].components(separatedBy: ", "))
        }
        self.configuration = configuration
    }

    /// `name shape role`, one a tensor, in order.
    func tensors() throws -> [String] { try expand(rows, [:]) }

    private func expand(_ rows: [Row], _ values: [String: Int]) throws -> [String] {
        guard let first = rows.first else { return [] }
        guard let placeholder = first.name.firstMatch(of: /<(\w)>/)?.1 else {
            let rest = try expand(Array(rows.dropFirst()), values)
            return try applies(first, values) ? [try tensor(first, values)] + rest : rest
        }
        let group = rows.prefix { $0.name.contains("<\(placeholder)>") }
        let repeated = try (0..<count(String(placeholder))).flatMap { value in
            let filled = group.map { row in
                var row = row
                row.name = row.name.replacingOccurrences(of: "<\(placeholder)>", with: "\(value)")
                return row
            }
            return try expand(filled, values.merging([String(placeholder): value]) { $1 })
        }
        return try repeated + expand(Array(rows.dropFirst(group.count)), values)
    }

    private func count(_ placeholder: String) throws -> Int {
        switch placeholder {
        case "i": configuration.depth
        case "j": configuration.levels.count
        case "p": configuration.prompts
        case "m": configuration.outputs
        default: 2
        }
    }

    private func applies(_ row: Row, _ values: [String: Int]) throws -> Bool {
        try row.conditions.allSatisfy { condition in
            switch condition {
            case "patch": return configuration.stem == .patch
            case "conv": return configuration.stem == .conv
            case "r > 0": return configuration.loraRank > 0
            case "c > 0": return configuration.prompts > 0
            case "head": return values["j"] == 0 || configuration.deepSupervision
            case "iou_head": return configuration.iouHead
            default:
                Issue.record("the page's condition \"\(condition)\" is unknown")
                return false
            }
        }
    }

    private func tensor(_ row: Row, _ values: [String: Int]) throws -> String {
        let isGlobal = values["i"].map(configuration.globalBlocks.contains) ?? false
        let symbols = [
            "D": configuration.embedDim, "g": configuration.grid, "h": configuration.heads, "c": configuration.prompts,
            "r": configuration.loraRank, "E": configuration.decoderDim, "M": configuration.outputs,
            "side": isGlobal ? configuration.grid : configuration.window,
        ]
        func factor(_ text: String) throws -> Int { try #require(Int(text) ?? symbols[text], "\(text)") }
        func product(_ text: String) throws -> Int {
            if let slash = text.firstIndex(of: "/") {
                return try factor(String(text[..<slash])) / factor(String(text[text.index(after: slash)...]))
            }
            return try text.components(separatedBy: "·").reduce(1) { try $0 * factor($1) }
        }
        let sizes = try row.shape.map { size in
            let terms = try size.components(separatedBy: " − ").map(product)
            return terms.dropFirst().reduce(terms[0], -)
        }
        return "\(row.name) \(Shape(sizes)) \(row.role)"
    }
}

@Suite("docs/model.md")
struct ModelPageTests {
    private static func role(_ role: Parameter.Role) -> String {
        switch role {
        case .weight: "weight"
        case .transposedWeight: "transposed weight"
        case .bias: "bias"
        case .keyBias: "key bias"
        case .normWeight: "norm weight"
        case .normBias: "norm bias"
        case .token: "token"
        case .absolutePosition: "absolute position"
        case .relativePosition: "relative position"
        case .loraA: "LoRA A"
        case .loraB: "LoRA B"
        case .constant: "constant"
        }
    }

    @Test(
        "the page's table of tensors is what the layers declare, in their order",
        arguments: [
            (Configuration.NamedSize.vitB, Configuration.Named.ablation3), (.vitT, .scratch), (.nano, .sam),
            (.nano, .ftSAM),
        ])
    func tensors(_ size: Configuration.NamedSize, _ named: Configuration.Named) throws {
        var configuration = Configuration()
        configuration.apply(size)
        configuration.segments = 3
        configuration.prompts = 2
        configuration.stem = size == .vitT ? .conv : .patch
        configuration.deepSupervision = size == .vitT
        configuration.apply(named)
        let declared = ParameterShapes.of(configuration).map { "\($0.name) \($0.shape) \(Self.role($0.role))" }
        #expect(try ModelPage(configuration).tensors() == declared)
    }
}
