import Storage

/// The pictures of one folder by their stems.
struct ImageFolder {
    static let endings = ["png", "jpg", "jpeg", "tif", "tiff"]
    /// Of pictures and volumes that other programs write, and that are not read.
    private static let foreignEndings: Set<String> = [
        "gif", "bmp", "ppm", "pgm", "pbm", "pnm", "webp", "heic", "jp2", "tga",
        "mha", "mhd", "nii", "gz", "nrrd", "npy", "mat", "dcm",
    ]
    /// What a mask's stem has beside its picture's; further masks of one picture have numbers behind it: `a_mask_1`.
    static let maskSuffixes = ["", "_mask", "_segmentation"]
    /// What the stem of a picture's companion has that is neither: ISIC's superpixels.
    static let companionSuffixes = ["_superpixels"]

    let path: String
    /// File names by stem.
    let files: [String: String]
    /// Files with other endings; hidden ones are not counted.
    let otherFiles: Int
    /// Names, by stem, of what is no picture by its ending, or no file by its kind: a link that leads nowhere, a folder, a device.
    let unread: [String: String]
    /// The first of these that is a picture in a form that is not read.
    let foreign: String?
    /// Links that lead nowhere, and devices.
    let odd: Int
    /// Hidden files that end as pictures, as macOS leaves them beside its own (`._a.png`).
    let hidden: Int
    /// Names of the folders in it.
    let folders: [String]
    /// Of stems that end with _ and digits: by what stands before, in the order of the numbers.
    private let numbered: [String: [String]]

    /// *Throws* `TrainingFailure.sameStem`, `.layout` for a name that is no text; Storage's failures.
    init(_ path: String) throws {
        self.path = path
        var files: [String: String] = [:]
        let entries = try CaseNames.list(path)
        folders = entries.filter { $0.status.kind == .directory && !$0.name.hasPrefix(".") }.map(\.name)
        var (otherFiles, odd, hidden, unread) = (0, 0, 0, [String: String]())
        for entry in entries {
            let stem = Self.stem(of: entry.name)
            guard !entry.name.hasPrefix(".") else {
                if stem != nil { hidden += 1 }
                continue
            }
            guard entry.status.kind == .regular, let stem else {
                switch entry.status.kind {
                case .regular: otherFiles += 1
                case .symlink, .other: odd += 1
                case .directory: break
                }
                if let dot = entry.name.lastIndex(of: ".") { unread[String(entry.name[..<dot])] = entry.name }
                continue
            }
            if let other = files.updateValue(entry.name, forKey: stem) {
                throw TrainingFailure.sameStem(folder: path, one: other, other: entry.name)
            }
        }
        (self.files, self.otherFiles, self.unread) = (files, otherFiles, unread)
        (self.odd, self.hidden) = (odd, hidden)
        foreign = unread.values.filter { name in
            Self.foreignEndings.contains { name.lowercased().hasSuffix("." + $0) }
        }.min()
        var numbered: [String: [(number: Int, stem: String)]] = [:]
        for stem in files.keys {
            guard let line = stem.lastIndex(of: "_"), line > stem.startIndex else { continue }
            let digits = stem[stem.index(after: line)...]
            guard !digits.isEmpty, digits.allSatisfy(\.isNumber) else { continue }
            numbered[String(stem[..<line]), default: []].append((Int(digits) ?? .max, stem))
        }
        self.numbered = numbered.mapValues { stems in
            stems.sorted { ($0.number, $0.stem) < ($1.number, $1.stem) }.map(\.stem)
        }
    }

    /// The name without its ending; nil when it does not end as a picture does.
    static func stem(of name: String) -> String? {
        guard let dot = name.lastIndex(of: "."), endings.contains(name[dot...].dropFirst().lowercased()) else {
            return nil
        }
        return String(name[..<dot])
    }

    /// The stems of pictures, without masks and companions that lie beside them; both sorted.
    var images: (stems: [String], left: [String]) {
        var (stems, left): ([String], [String]) = ([], [])
        for stem in files.keys.sorted() {
            if Self.picture(of: stem).map({ files[$0] != nil }) ?? false {
                left.append(stem)
            } else {
                stems.append(stem)
            }
        }
        return (stems, left)
    }

    /// What of the folder is not read, for a person; `others` are folders that are read by themselves.
    func notes(besides others: [String]) -> [String] {
        let inner = folders.filter { !others.contains(Folder.join(path, $0)) }.count
        return [
            otherFiles > 0 ? "\(otherFiles) files of \(path) do not end as PNG, JPEG or TIFF and are not read" : nil,
            odd > 0 ? "\(odd) links of \(path) that lead nowhere, or devices, are not read" : nil,
            hidden > 0 ? "\(hidden) hidden files of \(path) are not read" : nil,
            inner > 0 ? "\(inner) folders in \(path) are not read" : nil,
        ].compactMap { $0 }
    }

    /// The stem of the picture whose mask or companion `stem` would be; nil when it is named like none.
    private static func picture(of stem: String) -> String? {
        for suffix in maskSuffixes.dropFirst() + companionSuffixes {
            if stem.hasSuffix(suffix) { return String(stem.dropLast(suffix.count)) }
            guard let range = lastRange(of: suffix + "_", in: stem) else { continue }
            let number = stem[range.upperBound...]
            if !number.isEmpty, number.allSatisfy(\.isNumber) { return String(stem[..<range.lowerBound]) }
        }
        return nil
    }

    /// The picture, of those by their stems, of which a mask called `stem` would be a part: `a_1` or `a-lesion` of `a`.
    static func whole(of stem: String, among pictures: [String: String]) -> String? {
        guard !companionSuffixes.contains(where: stem.hasSuffix) else { return nil }
        let ends = stem.indices.dropFirst().filter { "_-. ".contains(stem[$0]) }
        return ends.reversed().lazy.compactMap { pictures[String(stem[..<$0])] }.first
    }

    private static func lastRange(of text: String, in stem: String) -> Range<String.Index>? {
        stem.ranges(of: text).last
    }

    /// The masks of a picture: one under its name alone or with a suffix, and all that are numbered behind it, whatever their numbers.
    ///
    /// - Parameter isBeside: the pictures lie in this folder too, so that a mask needs a suffix.
    /// *Throws* `TrainingFailure.sameStem` when several could be meant.
    func masks(of stem: String, isBeside: Bool) throws(TrainingFailure) -> [String] {
        let suffixes = isBeside ? Array(Self.maskSuffixes.dropFirst()) : Self.maskSuffixes
        let found = suffixes.filter { files[stem + $0] != nil }
        if found.count > 1 {
            throw .sameStem(
                folder: path, one: files[stem + found[0]] ?? "", other: files[stem + found[1]] ?? "")
        }
        guard let suffix = found.first, let first = files[stem + suffix] else { return [] }
        // Only a suffix makes numbers mean further masks: a_1 beside a is a picture of its own.
        let further = suffix.isEmpty ? [] : (numbered[stem + suffix] ?? []).compactMap { files[$0] }
        return ([first] + further).map { Folder.join(path, $0) }
    }
}
