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

    /// *Throws* `TrainingFailure.layout` for regions, an ignored label, labels that are not the model's segments, files that are no pictures.
    init(_ path: String, segments: Int) throws {
        self.path = path
        let file = Folder.join(path, "dataset.json")
        do {
            description = try JSONDecoder().decode(
                Description.self, from: Data(try DurableFile.read(file, limit: 1 << 24)))
        } catch is DecodingError {
            throw TrainingFailure.layout(
                path: file, reason: "it lacks channel_names, labels or file_ending as nnU-Net 2 writes them")
        }
        let values = description.labels.values.compactMap { if case .value(let value) = $0 { value } else { nil } }
        guard values.count == description.labels.count else {
            throw TrainingFailure.layout(path: file, reason: "it has labels that are regions of several classes")
        }
        guard description.labels["ignore"] == nil else {
            throw TrainingFailure.layout(path: file, reason: "it has a label that is to be ignored")
        }
        guard values.sorted() == Array(0...segments) else {
            throw TrainingFailure.layout(
                path: file,
                reason:
                    "its labels are \(values.sorted().map { "\($0)" }.joined(separator: ", ")), and model.segments is \(segments)"
            )
        }
        guard ImageFolder.stem(of: "a" + description.file_ending) != nil else {
            throw TrainingFailure.layout(
                path: file,
                reason: "its files end with \(description.file_ending): only PNG, JPEG and TIFF are read here")
        }
        guard [1, 3].contains(description.channel_names.count) else {
            throw TrainingFailure.layout(
                path: file, reason: "it has \(description.channel_names.count) channels, neither one nor three")
        }
    }

    func candidates() throws -> [DataOrigin.Candidate] {
        let (images, labels) = (Folder.join(path, "imagesTr"), Folder.join(path, "labelsTr"))
        let ending = description.file_ending
        let files = Set(try Folder.list(images).filter { $0.status.kind == .regular }.map(\.name))
        let truths = Set(try Folder.list(labels).filter { $0.status.kind == .regular }.map(\.name))
        let first = "_0000\(ending)"
        return files.sorted().filter { $0.hasSuffix(first) }.map { file in
            let name = String(file.dropLast(first.count))
            // Photographs lie in one file of three colours though three channels are named.
            let others = ["_0001", "_0002"].map { "\(name)\($0)\(ending)" }.filter { files.contains($0) }
            let image: ImageSource =
                others.count == 2
                ? .channels(([file] + others).map { Folder.join(images, $0) }) : .file(Folder.join(images, file))
            let mask = name + ending
            return DataOrigin.Candidate(
                name: name, image: image, mask: truths.contains(mask) ? .file(Folder.join(labels, mask)) : nil,
                masks: labels)
        }
    }
}
