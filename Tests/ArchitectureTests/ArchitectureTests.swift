import Foundation
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

private func files(_ folder: String, _ ending: String) -> [URL] {
    let all = FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil)
    return (all?.allObjects as? [URL] ?? []).filter { $0.pathExtension == ending }.sorted { $0.path < $1.path }
}

@Suite("the house")
struct ArchitectureTests {
    /// What each room imports, by the table in `docs/architecture.md`. A room that is not there may import nothing.
    private static func allowed() throws -> [String: Set<String>] {
        let page = try String(contentsOf: root.appending(path: "docs/architecture.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").drop { $0 != "| room | its own rooms | from outside |" }.dropFirst(2)
        func words(_ cell: Substring) -> [String] {
            cell.replacing(/\([^)]*\)/, with: "").split(separator: ",")
                .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0 != "–" }
        }
        var allowed: [String: Set<String>] = [:]
        for row in rows.prefix(while: { $0.hasPrefix("|") }) {
            let cells = row.split(separator: "|").map(words)
            try #require(cells.count == 3, "\(row)")
            for room in cells[0] { allowed[room] = Set(cells[1] + cells[2]) }
        }
        return allowed
    }

    @Test("every room imports what the table says, no more and no less")
    func imports() throws {
        let line =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |internal |private |fileprivate )?import (?:struct |class |enum |func |var |protocol |typealias )?(\w+)/
        let allowed = try Self.allowed()
        #expect(allowed.count > 15)
        var found = allowed.mapValues { _ in Set<String>() }
        for file in files("Sources", "swift") {
            let room =
                file.path.dropFirst(root.path.count + "/Sources/".count).split(separator: "/").first.map(String.init)
                ?? ""
            for text in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                guard let match = text.firstMatch(of: line) else { continue }
                let module = String(match.1)
                // Part of the language's own library; Dispatch comes with Foundation; Numbers is a leaf that every room may use.
                if module == "Synchronization" || module == "Numbers" && room != "Failures" { continue }
                if module == "Dispatch", allowed[room]?.contains("Foundation") == true { continue }
                found[room, default: []].insert(module)
                #expect(
                    allowed[room]?.contains(module) == true, "\(file.lastPathComponent) of \(room) imports \(module)")
            }
        }
        for (room, modules) in allowed {
            let idle = modules.subtracting(found[room] ?? []).sorted()
            #expect(idle.isEmpty, "\(room) imports no \(idle)")
        }
    }

    @Test("DCMTK is called by CDICOM alone")
    func libraries() throws {
        for file in files("Sources", "c") + files("Sources", "cpp") + files("Sources", "h") {
            let text = try String(contentsOf: file, encoding: .utf8)
            let inDICOM = file.path.contains("/CDICOM/")
            #expect(inDICOM || !text.contains("dcmtk/"), "\(file.path) includes DCMTK")
        }
    }

    @Test("no file is named for what it is not: utils, common, misc, support, manager, helpers")
    func names() {
        for file in files("Sources", "swift") {
            let name = file.deletingPathExtension().lastPathComponent.lowercased()
            for word in ["utils", "util", "common", "misc", "support", "manager", "helpers", "helper"] {
                #expect(!name.hasSuffix(word), "\(file.lastPathComponent)")
            }
        }
    }

    @Test("sources trap only on our own mistakes: no try!, as! or fatalError")
    func traps() throws {
        for file in files("Sources", "swift") {
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(!text.contains(/\b(try!|as!|fatalError\()/), "\(file.path)")
        }
    }

    @Test("a module never has the name of a type in it")
    func modules() throws {
        for file in files("Sources", "swift") {
            let room =
                file.path.dropFirst(root.path.count + "/Sources/".count).split(separator: "/").first.map(String.init)
                ?? ""
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(
                text.firstMatch(of: try Regex("(struct|class|enum|actor|protocol) \(room)\\b")) == nil, "\(file.path)")
        }
    }
}

@Suite("pages")
struct PageTests {
    /// `docs/changes.md` tells how it was.
    @Test("a source, a script or a page that a page names is there")
    func namedFiles() throws {
        var places: [String] = []
        for folder in ["Sources", "Tests", "docs", "deploy", "Benchmarks", "pipelines"] {
            let inside = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
            places += inside.map { "/\(folder)/\($0)" }
        }
        let docs = places.filter { $0.hasPrefix("/docs/") && $0.hasSuffix(".md") }
        let named = /`((?:[\w+\-]+\/)*[\w+\-]+\.(?:swift|c|inc|md|sh|py|mk|patch))\b[^`\n]*`/
        var found = 0
        for page in ["README.md", "Benchmarks/README.md"] + docs where !page.hasSuffix("/changes.md") {
            for match in try String(contentsOf: root.appending(path: page), encoding: .utf8).matches(of: named) {
                found += 1
                #expect(places.contains { $0.hasSuffix("/\(match.1)") }, "\(page): \(match.1)")
            }
        }
        #expect(found > 50)
    }
}

@Suite("pipelines")
struct PipelineFolderTests {
    private static let folders =
        (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "pipelines").path))?.sorted() ?? []
    /// Those that runs use; the others are recipes for training without weights.
    static let names = folders.filter {
        FileManager.default.fileExists(atPath: root.appending(path: "pipelines/\($0)/pipeline.yaml").path)
    }

    @Test("a folder that is no pipeline is a recipe: how to train, and nothing else")
    func recipes() throws {
        let recipes = Set(Self.folders).subtracting(Self.names)
        #expect(Self.names.count >= 3 && recipes.count >= 4)
        for name in recipes {
            let files = try FileManager.default.contentsOfDirectory(
                atPath: root.appending(path: "pipelines/\(name)").path)
            #expect(files == ["train.yaml"], "\(name)")
        }
    }

    @Test("every pipeline has its rules, its training plan, its card and its model", arguments: names)
    func complete(_ name: String) {
        for file in [
            "pipeline.yaml", "train.yaml", "MODEL_CARD.md", "model/config.json", "model/weights.safetensors",
            "model/SHA256SUMS",
        ] {
            #expect(
                FileManager.default.fileExists(atPath: root.appending(path: "pipelines/\(name)/\(file)").path),
                "\(name)/\(file)")
        }
    }

    @Test(
        "every card says what its model is for, what it is not, how it was made and how well it does", arguments: names)
    func cards(_ name: String) throws {
        let card = try String(contentsOf: root.appending(path: "pipelines/\(name)/MODEL_CARD.md"), encoding: .utf8)
        for heading in ["Intended use", "Not a medical device", "Data", "Training", "Figures", "Limits"] {
            #expect(card.contains("\n## \(heading)\n"), "\(name): no heading \(heading)")
        }
        #expect(!card.contains("FIGURES"))
    }

    @Test("all shipped weights together stay under 64 MB")
    func weights() throws {
        let sizes = try Self.names.map {
            try FileManager.default.attributesOfItem(
                atPath: root.appending(path: "pipelines/\($0)/model/weights.safetensors").path)[.size] as? Int ?? 0
        }
        #expect(sizes.reduce(0, +) < 64_000_000)
    }
}
