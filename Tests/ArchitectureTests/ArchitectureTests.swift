import Foundation
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

private func files(_ folder: String, _ ending: String) -> [URL] {
    let all = FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil)
    return (all?.allObjects as? [URL] ?? []).filter { $0.pathExtension == ending }.sorted { $0.path < $1.path }
}

@Suite("the house")
struct ArchitectureTests {
    /// The most that each room may import. A room that is not here may import nothing.
    static let allowed: [String: Set<String>] = [
        "Failures": [],
        "Numbers": [],
        "Storage": ["Failures", "CSystem"],
        "Settings": ["Failures", "Yams"],
        "Processes": ["Failures", "Foundation", "CMPI"],
        "Pages": [],
        "Identification": [],
        "Records": ["Failures", "Identification", "Foundation"],
        "Tensors": ["Failures", "Storage", "Imaging", "CKernels"],
        "Imaging": ["Failures"],
        "DICOM": ["Failures", "Numbers", "Identification", "Storage", "Imaging", "CDICOM"],
        "DICOMObjects": ["Failures", "Storage", "Imaging", "DICOM", "Glibc"],
        "ImageFiles": ["Failures", "Storage", "Imaging", "CImageFiles"],
        "SegmentAnything": ["Failures", "Storage", "Tensors", "Imaging", "Foundation"],
        "Pipelines": [
            "Failures", "Storage", "Pages", "Records", "Settings", "Imaging", "DICOM", "DICOMObjects", "ImageFiles",
            "Tensors", "SegmentAnything",
            "Foundation",
        ],
        "Training": [
            "Failures", "Identification", "Storage", "Settings", "Processes", "Pages", "Tensors", "Imaging", "DICOM",
            "ImageFiles",
            "SegmentAnything",
            "Foundation",
        ],
        "References": ["Failures", "Storage", "Tensors", "Imaging", "SegmentAnything", "Training", "Foundation"],
        "Phantoms": ["Failures", "Storage", "Imaging", "DICOM", "DICOMObjects", "ImageFiles", "Foundation"],
        "Daemon": [
            "Failures", "Storage", "Settings", "Processes", "Records", "Pages", "Foundation", "GRDB", "Logging",
        ],
        "hspsam": [
            "Failures", "Storage", "Settings", "Tensors", "Imaging", "DICOM", "DICOMObjects", "ImageFiles",
            "SegmentAnything", "Pipelines",
            "Training", "References", "Phantoms", "Daemon", "Processes", "Records", "Foundation", "ArgumentParser",
            "Logging",
        ],
    ]

    @Test("no room imports more than it may")
    func imports() throws {
        let line =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |internal |private |fileprivate )?import (?:struct |class |enum |func |var |protocol |typealias )?(\w+)/
        var seen = 0
        for file in files("Sources", "swift") {
            let room =
                file.path.dropFirst(root.path.count + "/Sources/".count).split(separator: "/").first.map(String.init)
                ?? ""
            for text in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                guard let match = text.firstMatch(of: line) else { continue }
                seen += 1
                let module = String(match.1)
                // Part of the language's own library; Dispatch comes with Foundation.
                // Numbers is a leaf that every room may use.
                if module == "Numbers" && room != "Failures" { continue }
                if module == "Synchronization"
                    || module == "Dispatch" && Self.allowed[room]?.contains("Foundation") ?? false
                {
                    continue
                }
                #expect(
                    Self.allowed[room]?.contains(module) ?? false,
                    "\(file.lastPathComponent) of \(room) imports \(module)")
            }
        }
        #expect(seen > 50)
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
