import Foundation
import Storage

/// A data set as nnU-Net's raw folder has it: `dataset.json`, `imagesTr/NAME_0000.png`, `labelsTr/NAME.png`; pictures of one plane.
///
/// *Source*: nnU-Net `documentation/dataset_format.md`, version 2.
struct NNUNetFolder {
    private struct Description: Decodable {
        let channel_names: [String: String]
        let labels: [String: Label]
        let file_ending: String
        let numTraining: Int?
        /// Where each case's files lie, of a data set that says it.
        let dataset: Places?
    }

    private struct Places: Decodable {
        struct Case: Decodable {
            let images: [String]
            let label: String
        }

        let cases: [String: Case]

        init(from decoder: any Decoder) throws { cases = try [String: Case](from: decoder) }
    }

    private enum Label: Decodable {
        case value(Int)
        case region([Int])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Int.self) {
                self = .value(value)
            } else {
                self = .region(try container.decode([Int].self))
            }
        }
    }

    private let path: String
    private let description: Description
    /// The class of each value: masks of a data set that names its labels hold no others.
    let rule: MaskRule
    /// Labels that no segment is of.
    private let left: [String]

    /// - Parameter labels: the model's segments, which are found among the labels by their names; nil: the labels' values are the classes.
    /// *Throws* `TrainingFailure.layout` for regions, an ignored label, labels that are not the model's segments, files that are no pictures.
    init(_ path: String, segments: Int, labels: [String]?) throws {
        self.path = path
        let file = Folder.join(path, "dataset.json")
        description = try DescriptionFile.read(file, limit: 1 << 24, form: "unlike what nnU-Net 2 writes")
        let values = description.labels.values.compactMap { if case .value(let value) = $0 { value } else { nil } }
        guard values.count == description.labels.count else {
            throw TrainingFailure.layout(path: file, reason: "it has labels that are regions of several classes")
        }
        guard description.labels["ignore"] == nil else {
            throw TrainingFailure.layout(path: file, reason: "it has a label that is to be ignored")
        }
        let named = description.labels.compactMap { name, label in
            if case .value(let value) = label { (name: name, value: value) } else { nil }
        }.sorted { ($0.value, $0.name) < ($1.value, $1.name) }
        let ground = named.first
        guard values.sorted() == Array(0..<values.count), let ground,
            ground.name == "background"
                || description.labels["background"] == nil && labels?.contains(ground.name) != true
        else {
            throw TrainingFailure.layout(
                path: file,
                reason:
                    "its labels are \(Self.words(named)): they must be numbered from 0 without a gap, and 0 is the background"
            )
        }
        guard labels.map({ Set($0).isSubset(of: named.map(\.name)) }) ?? (values.count == segments + 1) else {
            throw TrainingFailure.layout(
                path: file,
                reason: "its labels are \(Self.words(named)), and "
                    + (labels.map { "the model's segments are \($0.joined(separator: ", "))" }
                        ?? "model.segments is \(segments)"))
        }
        var table: [Int: UInt8] = [:]
        var left: [String] = []
        for (name, value) in named {
            let segment = labels.map { $0.firstIndex(of: name).map { $0 + 1 } ?? 0 } ?? value
            table[value] = UInt8(clamping: segment)
            if segment == 0, value > 0 { left.append(name) }
        }
        (rule, self.left) = (.labels(table), left)
        guard ImageFolder.stem(of: "a" + description.file_ending) != nil else {
            throw TrainingFailure.layout(
                path: file,
                reason: "its files end with \(description.file_ending): only PNG, JPEG and TIFF are read here")
        }
        try Self.confirmChannels(description.channel_names, file)
    }

    /// *Throws* `TrainingFailure.layout` for channels that are neither one nor three, are not numbered as the files are, or say other colours
    /// than red, green and blue: they would be taken for these.
    private static func confirmChannels(_ names: [String: String], _ file: String) throws(TrainingFailure) {
        guard [1, 3].contains(names.count) else {
            throw .layout(path: file, reason: "it has \(names.count) channels, neither one nor three")
        }
        let said = (0..<names.count).compactMap { names["\($0)"] }
        guard said.count == names.count else {
            throw .layout(
                path: file,
                reason: "its channels have the numbers \(names.keys.sorted().joined(separator: ", ")): the first is 0")
        }
        let colors = said.compactMap { name in
            ["red", "green", "blue"].firstIndex { $0 == name.lowercased() || $0.prefix(1) == name.lowercased() }
        }
        guard colors.count < 3 || colors == [0, 1, 2] else {
            throw .layout(
                path: file,
                reason: "its channels are \(said.joined(separator: ", ")), and are read as red, green and blue")
        }
    }

    private static func words(_ named: [(name: String, value: Int)]) -> String {
        named.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    }

    /// *Throws* `TrainingFailure.channelFiles` for an image with other channels than are named, `.layout` for other images than are counted.
    func candidates() throws -> (all: [DataOrigin.Candidate], notes: [String]) {
        let (images, labels) = (Folder.join(path, "imagesTr"), Folder.join(path, "labelsTr"))
        let ending = description.file_ending
        func names(_ folder: String) throws -> [String] {
            try CaseNames.list(folder).filter { $0.status.kind == .regular && !$0.name.hasPrefix(".") }.map(\.name)
        }
        let files = try names(images)
        let truths = Set(try names(labels))
        var channels: [String: [Int]] = [:]
        var others = 0
        for file in files {
            if let (name, channel) = Self.parts(of: file, ending) {
                channels[name, default: []].append(channel)
            } else if let stem = ImageFolder.stem(of: file), Self.parts(of: stem + ending, ending) != nil {
                throw TrainingFailure.layout(
                    path: Folder.join(images, file),
                    reason:
                        "it is named as an image, and dataset.json says that images end with \(ending): it would be lost"
                )
            } else {
                others += 1
            }
        }
        if let number = description.numTraining, number != channels.count {
            throw TrainingFailure.layout(
                path: Folder.join(path, "dataset.json"),
                reason: "it says numTraining \(number), and imagesTr holds \(channels.count) images NAME_0000\(ending)")
        }
        let count = description.channel_names.count
        let all = try channels.keys.sorted().map { name in
            let found = (channels[name] ?? []).sorted()
            let paths = found.map { Folder.join(images, Self.file(name, $0, ending)) }
            // Photographs lie in one file of three colours though three channels are named.
            guard let first = paths.first, found == Array(0..<count) || found == [0] else {
                throw TrainingFailure.channelFiles(
                    path: Folder.join(images, name), found: found.map { Self.file("", $0, "") }, expected: count)
            }
            let mask = name + ending
            return DataOrigin.Candidate(
                name: name,
                image: try .channels(paths.count == 1 ? [ImageSource.single(first).path] : paths, of: count),
                mask: truths.contains(mask) ? .file(Folder.join(labels, mask)) : nil, masks: labels)
        }
        try confirmFiles(of: all)
        let spare = truths.count - all.count { $0.mask != nil }
        var notes: [String] = []
        if !left.isEmpty { notes.append("objects of the labels \(left.joined(separator: ", ")) are background") }
        if others > 0 { notes.append("\(others) files of imagesTr are not named NAME_0000\(ending) and are no images") }
        if spare > 0 { notes.append("\(spare) files of labelsTr are of no image") }
        return (all, notes)
    }

    /// *Throws* `TrainingFailure.layout` where dataset.json names other files than lie in the folders: nnU-Net takes those.
    private func confirmFiles(of all: [DataOrigin.Candidate]) throws(TrainingFailure) {
        guard let cases = description.dataset?.cases else { return }
        /// As it is written in dataset.json, from its folder on.
        func isSame(_ written: String, _ path: String) -> Bool {
            let plain = written.hasPrefix("./") ? String(written.dropFirst(2)) : written
            return plain == path || Folder.join(self.path, plain) == path
        }
        for candidate in all {
            let paths: [String] =
                switch candidate.image {
                case .channels(let paths, _): paths
                default: [candidate.image.path]
                }
            let said = cases[candidate.name]
            let isRead =
                said?.images.count == paths.count && zip(said?.images ?? [], paths).allSatisfy(isSame)
                && candidate.mask.map { isSame(said?.label ?? "", $0.path) } == true
            guard isRead, cases.count == all.count else {
                throw .layout(
                    path: Folder.join(path, "dataset.json"),
                    reason:
                        "its key dataset says of which files \(cases.count) cases are, and they are not the \(all.count) images of imagesTr with their"
                        + " masks of labelsTr (\(candidate.name)): only these folders are read")
            }
        }
    }

    private static func file(_ name: String, _ channel: Int, _ ending: String) -> String {
        let digits = "\(channel)"
        return "\(name)_" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ending
    }

    /// Name and channel of `NAME_0000.png`; nil for a file that is named otherwise.
    private static func parts(of file: String, _ ending: String) -> (name: String, channel: Int)? {
        guard file.hasSuffix(ending) else { return nil }
        let stem = file.dropLast(ending.count)
        let digits = stem.suffix(4)
        guard digits.count == 4, digits.utf8.allSatisfy({ (48...57).contains($0) }), let channel = Int(digits),
            stem.dropLast(4).hasSuffix("_")
        else { return nil }
        return (String(stem.dropLast(5)), channel)
    }
}
