import Settings

extension TrainingPlan {
    /// One entry of `data` or `unlabelled`, or that of `validation`.
    package struct Source: Sendable, Equatable {
        package var origin: DataOrigin
        /// CSV `name,split,patient` or `splits_final.json`; nil takes every image.
        package var list: String?
        package var split: String?
        /// Of `splits_final.json`, from 0.
        package var fold = 0
        /// What the masks' values mean; nil: they say it themselves.
        package var rule: MaskRule?
        /// Further Segment Labels of DICOM segmentations that mean a segment.
        package var segmentNames: [String: [String]] = [:]
        /// An image without mask is left out instead of refused.
        package var leavesOut = false
        /// How often an image of this source is drawn an epoch.
        package var weight = 1.0

        package init(origin: DataOrigin, list: String? = nil, split: String? = nil) {
            self.origin = origin
            self.list = list
            self.split = split
        }
    }
}

extension TrainingPlan.Source {
    /// - Parameters:
    ///   - resolve: what makes a path of the file a path of this machine.
    ///   - labels: of the segments, by which `mask_values` and `mask_colors` name them.
    init(_ section: Section, labels: [String], _ resolve: (String) throws -> String) throws {
        let folder = try section.optionalString("folder").map(resolve)
        let images = try section.optionalString("images").map(resolve)
        // A text is a folder; a section has the folders of each segment.
        let perSegment = section.holdsSection("masks") ? try Self.segmentMasks(section, labels, resolve) : nil
        let masks = perSegment == nil ? try section.optionalString("masks").map(resolve) : nil
        let annotations = try section.optionalString("coco").map(resolve)
        let dicom = try section.optionalString("dicom").map(resolve)
        let segmentations = try section.optionalString("segmentations").map(resolve)
        if let names = try section.optionalSection("segment_names") {
            for key in names.keys {
                guard labels.contains(key) else {
                    throw names.failure(
                        "SET-CHOICE", at: key, found: key, "this is no segment.",
                        cure: "Write one of \(labels.joined(separator: ", ")).")
                }
                segmentNames[key] = try names.optionalStrings(key)
            }
        }
        let missing = try section.choice("without_mask", default: Missing.refuse)
        let overlap = try section.choice("overlap", default: Overlap.refuse)
        if perSegment == nil,
            let key = [("overlap", overlap == .last), ("without_mask", missing == .empty)].first(where: \.1)
        {
            throw section.failure(
                "SET-CHOICE", at: key.0, found: key.1 ? (key.0 == "overlap" ? "last" : "empty") : nil,
                "only masks of a file a segment have this.", cure: "Take it out, or write masks: {SEGMENT: FOLDER}.")
        }
        switch (folder ?? dicom, images, masks, annotations) {
        case (nil, let images?, nil, nil) where perSegment != nil:
            origin = .perSegment(
                images: images, masks: perSegment ?? [], takesLast: overlap == .last, isSparse: missing == .empty)
        case (let path?, nil, nil, nil) where folder == nil && perSegment == nil:
            origin = .dicom(images: path, segmentations: segmentations)
        case (let folder?, nil, nil, nil) where perSegment == nil: origin = .folder(folder)
        case (nil, let images?, let masks?, nil): origin = .pairs(images: images, masks: masks)
        case (nil, let images?, nil, let annotations?) where perSegment == nil:
            origin = .annotations(images: images, file: annotations)
        default:
            throw section.failure(
                "SET-MISSING", at: folder == nil ? "images" : "folder",
                "a data set is `folder`, or `images` with `masks`, or `images` with `coco`, or `dicom`.",
                cure: "Give one of the four.")
        }
        if dicom == nil, section.has("segment_names") {
            throw section.failure(
                "SET-CHOICE", at: "segment_names", "only DICOM segmentations have names of segments.",
                cure: "Take it out.")
        }
        rule = try MaskRule.read(section, labels: labels)
        leavesOut = missing == .leaveOut
        try readChoice(section, resolve)
    }

    /// An entry of `unlabelled`: images whose masks, if they have any, are not looked at.
    init(unlabelled section: Section, _ resolve: (String) throws -> String) throws {
        if let dicom = try section.optionalString("dicom") {
            origin = .dicomImages(try resolve(dicom))
        } else {
            origin = .folder(try resolve(try section.string("folder")))
        }
        try readChoice(section, resolve)
    }

    /// Which images of the data set are taken, and how often.
    private mutating func readChoice(_ section: Section, _ resolve: (String) throws -> String) throws {
        list = try section.optionalString("list").map(resolve)
        split = try section.optionalString("split")
        fold = try section.int("fold", in: 0...1000, default: 0)
        if section.has("fold"), !(list.map(SplitList.hasFolds) ?? false) {
            throw section.failure(
                "SET-CHOICE", at: "fold",
                "only a list of folds, nnU-Net's splits_final.json, has a fold; \(list == nil ? "no list is named" : "a table has splits alone").",
                cure: "Take it out, name such a list, or write splits for folds by the images' content.")
        }
        weight = try section.double("weight", in: 0...1000, default: 1)
        if split != nil, list == nil {
            throw section.failure(
                "SET-MISSING", at: "split", "a split needs the list that holds it.", cure: "Name the list.")
        }
    }

    /// `masks: {lungs: [LEFT, RIGHT], heart: FOLDER}`, in the order of the segments.
    private static func segmentMasks(
        _ section: Section, _ labels: [String], _ resolve: (String) throws -> String
    ) throws -> [SegmentMasks] {
        let table = try section.section("masks")
        let keys = table.keys
        if let stranger = keys.first(where: { !labels.contains($0) }) {
            throw table.failure(
                "SET-CHOICE", at: stranger, found: stranger, "this is no segment.",
                cure: "Write one of \(labels.joined(separator: ", ")).")
        }
        if let absent = labels.first(where: { !table.has($0) }) {
            throw table.failure(
                "SET-MISSING", at: absent, found: absent, "the segment has no masks.", cure: "Name a folder of them.")
        }
        return try labels.enumerated().flatMap { index, label in
            let places =
                table.holdsList(label) ? try table.optionalStrings(label) ?? [] : [try table.string(label)]
            guard !places.isEmpty else {
                throw table.failure(
                    "SET-EMPTY", at: label, found: label, "the segment has no masks.", cure: "Name a folder of them.")
            }
            return try places.map { SegmentMasks(segment: index + 1, place: try resolve($0)) }
        }
    }

    private enum Missing: String, CaseIterable {
        case refuse, empty
        case leaveOut = "leave_out"
    }

    private enum Overlap: String, CaseIterable { case refuse, last }
}

extension MaskRule {
    /// One of the keys that a data set of a plan has, as YAML: `mask_values: {lesion: [1, 2]}`.
    ///
    /// - Parameters:
    ///   - labels: of the segments, by which tables name them.
    ///   - option: where the text stands, for messages.
    /// *Throws* `SettingsFailure`.
    package init(_ text: String, labels: [String], option: String) throws {
        self = try Section.read(Array(text.utf8), file: option) { section in
            guard let rule = try Self.read(section, labels: labels) else {
                throw section.failure(
                    "SET-MISSING", at: "mask_values", "there is no rule in it.",
                    cure: "Write mask_above, mask_values or mask_colors.")
            }
            return rule
        }
    }

    /// The rule of a data set's keys `mask_above`, `mask_values`, `mask_colors`, of which it has one or none.
    ///
    /// - Parameter labels: of the segments, by which tables name them.
    static func read(_ section: Section, labels: [String]) throws -> MaskRule? {
        let above = try section.optionalInt("mask_above", in: 0...65534)
        let values = try section.optionalSection("mask_values")
        let colors = try section.optionalSection("mask_colors")
        guard [above != nil, values != nil, colors != nil].count(where: { $0 }) <= 1 else {
            throw section.failure(
                "SET-CHOICE", at: "mask_above", "mask_above, mask_values and mask_colors exclude each other.",
                cure: "Keep one.")
        }
        if let above {
            guard labels.count == 1 else {
                throw section.failure(
                    "SET-CHOICE", at: "mask_above", "a threshold tells one segment, not \(labels.count).",
                    cure: "Write mask_values.")
            }
            return .above(above)
        }
        if let values {
            let table = try table(values, labels) { try values.optionalInts($0) ?? [] }
            return .values(table)
        }
        guard let colors else { return nil }
        return .colors(
            try table(colors, labels) { key in
                try (colors.optionalStrings(key) ?? []).map { text in
                    guard text.hasPrefix("#"), text.count == 7, let color = Int(text.dropFirst(), radix: 16) else {
                        throw colors.failure(
                            "SET-CHOICE", at: key, found: text, "this is no colour.", cure: "Write it as \"#rrggbb\".")
                    }
                    return color
                }
            })
    }

    /// What each segment's list holds, with the segment's class.
    private static func table(
        _ section: Section, _ labels: [String], _ list: (String) throws -> [Int]
    ) throws -> [Int: UInt8] {
        var table: [Int: UInt8] = [:]
        for key in section.keys {
            guard let at = labels.firstIndex(of: key) else {
                throw section.failure(
                    "SET-CHOICE", at: key, found: key, "this is no segment.",
                    cure: "Write one of \(labels.joined(separator: ", ")).")
            }
            for value in try list(key) where table.updateValue(UInt8(clamping: at + 1), forKey: value) != nil {
                throw section.failure("SET-CHOICE", at: key, "a value stands twice.", cure: "Keep one.")
            }
        }
        guard !table.isEmpty else {
            throw section.failure("SET-EMPTY", at: "", "the table is empty.", cure: "Name a segment with its values.")
        }
        return table
    }
}
