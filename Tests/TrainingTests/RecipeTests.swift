import Failures
import Foundation
import ImageFiles
import Storage
import Testing
import Training

private let pipelines = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../pipelines")
    .standardizedFileURL

/// Plans as they are shipped, on data laid out as published.
@Suite("shipped plans")
struct RecipeTests {
    static let plans: [String] =
        (try? FileManager.default.subpathsOfDirectory(atPath: pipelines.path))?.filter {
            $0.hasSuffix(".yaml") && $0.split(separator: "/").last?.hasPrefix("train") == true
        }.sorted() ?? []

    /// Where the images and masks of one data set lie in its published layout, and what stands behind a mask's stem.
    struct Layout: Sendable {
        let images: String
        let masks: String
        var suffix = ""
        var ending = "png"
    }

    static let layouts: [String: [Layout]] = [
        "polyps": [Layout(images: "polyps/TrainDataset/image", masks: "polyps/TrainDataset/mask")],
        "chest-xray-lungs": [Layout(images: "lungs/CXR_png", masks: "lungs/masks", suffix: "_mask")],
        "retinal-vessels": [
            Layout(images: "fives/train/Original", masks: "fives/train/Ground truth")
        ],
        "breast-ultrasound": ["benign", "malignant", "normal"].map {
            Layout(images: "busi/\($0)", masks: "busi/\($0)", suffix: "_mask")
        },
    ]

    @Test("every plan that the page about training shows is one")
    func page() throws {
        let page = pipelines.deletingLastPathComponent().appending(path: "docs/training.md")
        let blocks = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```")
        // Every second part stands between two fences.
        let plans = blocks.indices.filter { $0 % 2 == 1 }.map { blocks[$0] }.filter { $0.contains("stages:") }
        #expect(!plans.isEmpty)
        for text in plans {
            let path = FileManager.default.temporaryDirectory.appending(path: "page-\(UUID().uuidString).yaml").path
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let plan = try TrainingPlan.read(path, folders: DataFolders(root: "/data"))
            #expect(plan.data.first?.origin.path == "/data/isic2017")
        }
    }

    @Test("every plan is read, and names its data by roles that the documentation explains", arguments: plans)
    func reads(_ plan: String) throws {
        _ = try TrainingPlan.read(pipelines.appending(path: plan).path, folders: DataFolders(root: "/data"))
        let text = try String(contentsOf: pipelines.appending(path: plan), encoding: .utf8)
        #expect(!text.contains("/shared/"), "a folder that no user has")
        let page = try String(
            contentsOf: pipelines.appending(path: "../docs/data-sets.md").standardizedFileURL, encoding: .utf8)
        for role in text.matches(of: /\$\{(\w+)\}/) { #expect(page.contains("`\(role.1)`"), "\(role.1)") }
    }

    @Test(
        "a recipe finds its data in the published layout, and nothing is wrong with it",
        arguments: layouts.keys.sorted())
    func layout(_ name: String) throws {
        let discs = try Workplace(images: 6)
        var number = 0
        for layout in Self.layouts[name] ?? [] {
            for _ in 0..<24 {
                number += 1
                // Colour pictures of their own: a bright disc at a place of its own.
                var pixels: [UInt16] = []
                var mask: [UInt16] = []
                for pixel in 0..<48 * 64 {
                    let (dy, dx) = (pixel / 64 - 8 - number * 7 % 32, pixel % 64 - 8 - number * 13 % 48)
                    let isIn = dy * dy + dx * dx < 30 + number
                    mask.append(isIn ? 255 : 0)
                    pixels += [isIn ? 220 : 30, UInt16(40 + pixel * number % 61), 20]
                }
                try discs.write(pixels, samples: 3, "\(layout.images)/a\(number).png")
                try discs.write(mask, "\(layout.masks)/a\(number)\(layout.suffix).png")
            }
        }
        let plan = try TrainingPlan.read(
            pipelines.appending(path: "\(name)/train.yaml").path, folders: DataFolders(root: discs.folder))
        let data = try TrainingData(plan)
        #expect(data.roles.reduce(0) { $0 + $1.dataset.pairs.count } == number)
        #expect(!data.validation.isEmpty)
        let problems = try discs.problems(plan)
        #expect(problems.isEmpty, "\(problems.map(\.description))")
    }

    @Test("the shipped splits hold each name once, and every part", arguments: ["skin-lesion", "nuclei"])
    func splits(_ name: String) throws {
        let list = try SplitList(pipelines.appending(path: "\(name)/split.csv").path)
        #expect(Set(list.rows.map(\.split)) == ["train", "val", "test"])
        #expect(Set(list.rows.map(\.name)).count == list.rows.count)
    }
}
