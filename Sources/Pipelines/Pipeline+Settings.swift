import DICOM
import DICOMObjects
import ImageFiles
import Imaging
import SegmentAnything
package import Settings

extension Pipeline {
    /// Reads `pipeline.yaml`; what is not known here is refused with its line.
    package init(_ root: Section) throws {
        let own = try root.section("pipeline")
        name = try own.string("name")
        version = try own.string("version")
        guard Self.isName(name) else {
            throw own.failure(
                "PIPE-NAME", at: "name", found: name,
                "the name becomes part of file names.", cure: "Use only a-z, 0-9 and -, at most 40 characters.")
        }
        // It stands in texts of at most 64 characters (LO) behind the name.
        guard ValueRules.violation(of: version, as: .SH) == nil, version.utf8.count <= 16 else {
            throw own.failure(
                "PIPE-VERSION", at: "version", found: version,
                "the version must have 1 to 16 characters, no backslash and no control characters, and not be blank.",
                cure: "Write e.g. version: \"1.0\".")
        }
        selection = try Self.rules(root.sections("selection"))
        tiff = try TIFFSelection(try root.section("tiff"))
        let preprocess = try root.section("preprocess")
        aspect = try preprocess.choice("aspect", default: .isotropic)
        scale = try Scale(preprocess, "scale")
        windowing = try Windowing(try root.section("windowing"))
        let inference = try root.section("inference")
        precision = try inference.choice("precision", default: .fp32)
        augmentation = try inference.choice("tta", default: .none)
        segments = try root.sections("segments").map { try SegmentDescription($0) }
        guard !segments.isEmpty else {
            throw root.failure(
                "PIPE-SEGMENT", at: "segments",
                "no segment is described: a result needs at least one.", cure: "Add a list of segments.")
        }
        for names in [segments.map(\.key), segments.map(\.label)] where Set(names).count != names.count {
            throw root.failure(
                "PIPE-SEGMENT", at: "segments", "two segments have the same key or label.", cure: "Give each its own.")
        }
        let count = segments.count
        postprocess = try Self.steps(root.sections("postprocess"), segments: count)
        let written = try root.section("outputs")
        outputs = try Outputs(written, segments: count)
        if outputs.instances, let long = segments.first(where: { $0.label.unicodeScalars.count > 58 }) {
            throw written.failure(
                "PIPE-SEGMENT", at: "instances", found: long.label,
                "each object is a segment, labelled by this text and its number, and both have 64 characters at most.",
                cure: "Shorten the label to 58 characters, or write instances: false.")
        }
        tolerates = try root.choice("tolerate", default: .none)
        limits = try ReadingLimits(try root.section("limits"))
        if augmentation == .flip, let sided = sidedSegment {
            throw inference.failure(
                "PIPE-TTA", at: "tta", found: "flip",
                "segment \(sided) is of one side, left or right, and in a mirror image it is where the other side was.",
                cure: "Write tta: none.")
        }
    }

    /// Each rule has conditions of its own: of two alike the first one wins always, but where it chooses among frames, which slices in space
    /// are not.
    private static func rules(_ sections: [Section]) throws -> [SelectionRule] {
        var rules: [SelectionRule] = []
        for section in sections {
            let rule = try SelectionRule(section)
            if rules.contains(where: { $0.frames == .all && $0.conditions == rule.conditions }) {
                throw section.failure(
                    "PIPE-RULE", at: "",
                    "an earlier rule has the same conditions and takes all that this one could take.",
                    cure: "Take one of the two out.")
            }
            rules.append(rule)
        }
        return rules
    }

    private static func steps(_ sections: [Section], segments: Int) throws -> [PostprocessStep] {
        var steps: [PostprocessStep] = []
        for section in sections {
            let step = try PostprocessStep(section, segments: segments)
            if steps.contains(step), let key = section.keys.first {
                throw section.failure(
                    "PIPE-POST", at: key, "the same step stands there before, and a second time it changes nothing.",
                    cure: "Take one of the two out.")
            }
            steps.append(step)
        }
        return steps
    }

    /// Key of the first segment that is of one side, of which the mean with a mirror image would mean nothing.
    package var sidedSegment: String? { segments.first(where: \.namesSide)?.key }

    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 40
            && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
            && name.utf8.first != 45
    }
}

extension SegmentDescription {
    /// Whether it is told to be left or right, by a code or a word.
    fileprivate var namesSide: Bool {
        let codes = [type, region, regionModifier].compactMap(\.self) + modifiers
        return codes.contains(where: \.isOneSide)
            || ([key, label] + codes.map(\.meaning)).contains(where: TestTimeAugmentation.namesSide)
    }
}

extension Pipeline.Scale {
    private enum Name: String, CaseIterable { case whole }

    /// `whole`, or a section `tiles`.
    init(_ section: Section, _ key: String) throws {
        guard section.holdsSection(key) else {
            _ = try section.choice(key, default: Name.whole)
            self = .whole
            return
        }
        self = .tiles(try Pipeline.Tiles(try section.section(key).section("tiles")))
    }
}

extension Pipeline.Tiles {
    /// What a tile's side may be, in either unit.
    private static let sides = 32...16_384

    init(_ section: Section) throws {
        let limit: Double
        if let side = try section.optionalDouble("size_um", in: 1...1e6) {
            self.side = .micrometres(side)
            limit = side
            overlap = try section.double("overlap_um", in: 0...1e6, default: side / 4)
            try section.refuse(
                idle: "resample", "tiles in µm are as large in every picture.", cure: "Take resample out.")
        } else {
            let side = try section.int("size", in: Self.sides)
            self.side = .pixels(side)
            limit = Double(side)
            overlap = try section.double("overlap", in: 0...Double(Self.sides.upperBound), default: Double(side / 4))
        }
        guard overlap <= limit / 2 else {
            throw section.failure(
                "PIPE-TILES", at: section.has("overlap_um") ? "overlap_um" : "overlap", found: "\(overlap)",
                "tiles share more than half of their side.", cure: "Write at most half of the size.")
        }
        resamples = try section.bool("resample", default: false)
    }
}

extension SelectionRule {
    init(_ section: Section) throws {
        self.init()
        modality = try Self.list("modality", section).map { $0.uppercased() }
        bodyPart = try Self.list("body_part", section).map { $0.uppercased() }
        for name in try Self.list("sop_class", section) {
            if let uid = SOPClass.uidsByName[name] {
                sopClass.append(uid)
            } else if name.contains("."), name.utf8.allSatisfy({ $0 == 46 || (48...57).contains($0) }) {
                sopClass.append(name)
            } else {
                throw section.failure(
                    "PIPE-SOPCLASS", at: "sop_class", found: name, "this is no known SOP class.",
                    cure: "Write a UID or one of: \(SOPClass.uidsByName.keys.sorted().joined(separator: ", "))."
                )
            }
        }
        for name in try Self.list("origin", section) {
            guard let known = Origin(rawValue: name) else {
                throw section.failure(
                    "PIPE-ORIGIN", at: "origin", found: name, "this is no origin.", cure: "Write dicom or tiff.")
            }
            origin.append(known)
        }
        seriesDescription = try Self.pattern("series_description", section)
        excludeDescription = try Self.pattern("exclude_description", section)
        if let types = try section.optionalSection("image_type") {
            imageTypeAll = try Self.list("all", types).map { $0.uppercased() }
            imageTypeNone = try Self.list("none", types).map { $0.uppercased() }
        }
        minFrames = try section.optionalInt("min_frames", in: 1...20_000)
        maxSliceMM = try section.optionalDouble("max_slice_mm", in: 0.001...1000)
        frames = try Self.frames(section)
        pick = try section.choice("pick", default: .all)
        try confirmConditions(section)
    }

    /// That the rule says what it takes, and that something can meet it.
    private func confirmConditions(_ section: Section) throws {
        let isEmpty = conditions == SelectionRule()
        for (key, isMet, words) in [
            ("origin", Set(origin).count == Origin.allCases.count, "every image has one of these origins"),
            ("min_frames", minFrames == 1, "every volume has a frame"),
            ("image_type", imageTypeAll.isEmpty && imageTypeNone.isEmpty, "nothing is asked of it"),
        ] where isMet && section.has(key) {
            throw section.failure(
                "PIPE-RULE", at: key, "\(words), so everything would meet the condition.",
                cure: "Write what the rule asks for, e.g. modality: [CT], or leave the key out.")
        }
        guard !isEmpty else {
            throw section.failure(
                "PIPE-RULE", at: "", "a selection rule without conditions would take everything.",
                cure: "Add a condition, e.g. modality: [CT].")
        }
        guard saysWhatItTakes else {
            throw section.failure(
                "PIPE-RULE", at: "",
                "the rule says what it does not take, how many frames or how thick slices, and would take all else, whatever it shows.",
                cure:
                    "Add what the images are: modality, sop_class, body_part, series_description, image_type: {all: …} or origin: [tiff]."
            )
        }
        let both = Set(imageTypeAll).intersection(imageTypeNone).sorted()
        guard both.isEmpty else {
            throw section.failure(
                "PIPE-RULE", at: "image_type",
                "\(both.joined(separator: ", ")) is asked for and excluded: nothing meets that.",
                cure: "Take it out of all or of none.")
        }
        guard seriesDescription == nil || seriesDescription?.text != excludeDescription?.text else {
            throw section.failure(
                "PIPE-RULE", at: "exclude_description", "one pattern is asked for and excluded: nothing meets that.",
                cure: "Take it out of series_description or of exclude_description.")
        }
    }

    /// What a condition asks for; empty when it is not there. A list without an item would hold for everything.
    private static func list(_ key: String, _ section: Section) throws -> [String] {
        let values = try section.optionalStrings(key) ?? []
        guard !values.isEmpty || !section.has(key) else {
            throw section.failure(
                "PIPE-RULE", at: key, "an empty list asks for nothing, so everything would meet the condition.",
                cure: "Write what the rule asks for, e.g. modality: [CT], or leave the key out.")
        }
        return values
    }

    private static func pattern(_ key: String, _ section: Section) throws -> LinearPattern? {
        guard let text = try section.optionalString(key) else { return nil }
        guard !text.isEmpty else {
            throw section.failure(
                "PIPE-RULE", at: key, "an empty pattern fits every description.",
                cure: "Write a pattern, e.g. \"(?i)portal\", or leave the key out.")
        }
        let pattern: LinearPattern
        do throws(LinearPattern.Problem) {
            pattern = try LinearPattern(text)
        } catch {
            throw section.failure(
                "PIPE-PATTERN", at: key, "the pattern cannot be used: \(error.reason).", cure: "Correct it.")
        }
        // `.*`, or an alternative without letters (`portal|`): what has nothing in common fits alike.
        let letters = String(String.UnicodeScalarView((32...126).map { Unicode.Scalar(UInt8($0)) }))
        guard !["", "\u{1}", letters].allSatisfy(pattern.matches) else {
            throw section.failure(
                "PIPE-RULE", at: key, found: text, "the pattern fits every description.",
                cure: "Write what the description has to hold, e.g. \"(?i)portal\", or leave the key out.")
        }
        return pattern
    }
}

extension TIFFSelection {
    /// Keys `channel` (a number from 0 or a name), `z` and `t` (`all`, `first`, `middle` or a number from 0).
    init(_ section: Section) throws {
        self.init()
        if let number = try? section.optionalInt("channel", in: 0...65_535) {
            channel = .number(number)
        } else if let name = try section.optionalString("channel") {
            channel = .name(name)
        }
        slice = try Self.part("z", section)
        time = try Self.part("t", section)
    }

    private static func part(_ key: String, _ section: Section) throws -> Part {
        if let number = try? section.optionalInt(key, in: 0...1_000_000) { return .number(number) }
        switch try section.optionalString(key) {
        case nil, "all": return .all
        case "first": return .number(0)
        case "middle": return .middle
        case let other?:
            throw section.failure(
                "PIPE-TIFF", at: key, found: other, "this is no choice of pictures.",
                cure: "Write all, first, middle or a number from 0.")
        }
    }
}

extension Windowing {
    private enum ModeName: String, CaseIterable { case fixed, dicom, percentile, minmax }

    init(_ section: Section) throws {
        let scope: Scope
        switch try section.optionalString("scope") {
        case nil, "volume": scope = .volume
        case "frame": scope = .frame
        case let other?:
            throw section.failure(
                "PIPE-WINDOW", at: "scope", found: other, "this is no scope.", cure: "Write volume or frame.")
        }
        let mode: Mode
        switch try section.choice("mode", default: ModeName.percentile) {
        case .fixed:
            try section.refuse(
                idle: "scope", "a fixed window is the same for every frame.", cure: "Take scope out.")
            let window = try section.window(code: "PIPE-WINDOW")
            mode = .fixed(center: window.center, width: window.width)
        case .dicom:
            mode = try Self.dicom(section)
        case .percentile:
            let percentiles = try section.percentiles(code: "PIPE-WINDOW", default: Self.fallback)
            mode = .percentile(low: percentiles.low, high: percentiles.high)
        case .minmax: mode = .minmax
        }
        self.init(mode: mode, scope: scope)
    }

    private static func dicom(_ section: Section) throws -> Mode {
        let name = try section.optionalString("window_name")
        let index = try section.optionalInt("window_index", in: 0...63)
        let usesTable = try section.bool("use_voi_lut", default: false)
        if let name, name.allSatisfy(\.isWhitespace) {
            throw section.failure(
                "PIPE-WINDOW", at: "window_name", "a window without a name cannot be asked for by its name.",
                cure: "Write the explanation that stands in the file, or window_index.")
        }
        guard [name != nil, index != nil, usesTable].count(where: \.self) < 2 else {
            throw section.failure(
                "PIPE-WINDOW", at: name != nil ? "window_name" : "window_index",
                "of window_name, window_index and use_voi_lut more than one is asked for, and a frame is shown in one way.",
                cure: "Write one of them.")
        }
        return .dicom(index: index ?? 0, name: name, usesTable: usesTable)
    }
}

extension PostprocessStep {
    init(_ section: Section, segments: Int) throws {
        let keys = section.keys
        guard keys.count == 1, let key = keys.first else {
            throw section.failure(
                "PIPE-POST", at: keys.first ?? "",
                "each step of postprocess has exactly one key.", cure: "Write e.g. - {fill_holes: [1]}.")
        }
        switch key {
        case "largest_component": self = .largestComponent(try Self.numbers(key, section, segments))
        case "fill_holes": self = .fillHoles(try Self.numbers(key, section, segments))
        case "min_size_mm3":
            let size = try section.double(key, in: 0...1e12)
            try section.refuse(
                idle: key, if: size == 0, "nothing is smaller.", cure: "Write a size, or take the step out.")
            self = .minSizeMM3(size)
        case "min_size_pixels":
            let count = try section.int(key, in: 0...Int(Int32.max))
            try section.refuse(
                idle: key, if: count < 2, "nothing is smaller.", cure: "Write 2 or more, or take the step out.")
            self = .minSizePixels(count)
        default:
            throw section.failure(
                "PIPE-POST", at: key, found: key,
                "this is no step.", cure: "Known: largest_component, fill_holes, min_size_mm3, min_size_pixels.")
        }
    }

    private static func numbers(_ key: String, _ section: Section, _ segments: Int) throws -> [Int] {
        let numbers = try section.ints(key, count: 1...255)
        guard numbers.allSatisfy({ (1...segments).contains($0) }) else {
            throw section.failure(
                "PIPE-POST", at: key, "segment numbers run from 1 to \(segments).", cure: "Correct the list.")
        }
        guard Set(numbers).count == numbers.count else {
            throw section.failure("PIPE-POST", at: key, "a segment stands there twice.", cure: "Correct the list.")
        }
        return numbers
    }
}

extension SegmentDescription {
    init(_ section: Section) throws {
        let preset = try Self.preset(section)
        let key = try section.string("key")
        // Names of masks' files end with it (`--also`), behind the names of study, volume and pipeline.
        guard (1...64).contains(key.unicodeScalars.count) else {
            throw section.failure(
                "PIPE-SEGMENT", at: "key", "a key has 1 to 64 characters.", cure: "Shorten it.")
        }
        guard let label = try section.optionalString("label") ?? preset?.type.meaning else {
            throw section.failure(
                "PIPE-SEGMENT", at: "key", "the segment has no label: people would not know what it is.",
                cure: "Add label: and a text.")
        }
        guard label.unicodeScalars.count <= 64, ValueRules.violation(of: label, as: .LO) == nil else {
            throw section.failure(
                "PIPE-SEGMENT", at: "label",
                "a label has 1 to 64 characters, no backslash and no control characters, and is not blank.",
                cure: "Correct it.")
        }
        guard let category = try Self.code("category", section) ?? preset?.category else {
            throw section.failure(
                "PIPE-SEGMENT", at: "label",
                found: label, "the segment has no category: a DICOM segment needs a coded one.",
                cure: "Add: category: [123037004, SCT, Anatomical Structure].")
        }
        guard let type = try Self.code("type", section) ?? preset?.type else {
            throw section.failure(
                "PIPE-SEGMENT", at: "label",
                found: label, "the segment has no type: a DICOM segment needs a coded one.",
                cure: "Add e.g. type: [10200004, SCT, Liver].")
        }
        self.init(
            key: key, label: label, description: try Self.description(section),
            category: category, type: type, modifiers: [try Self.code("modifier", section)].compactMap { $0 },
            region: try Self.code("region", section),
            color: try Self.color(section) ?? preset?.color ?? [0, 174, 255])
    }

    private static func preset(_ section: Section) throws -> SegmentPreset? {
        guard let name = try section.optionalString("preset") else { return nil }
        guard let preset = SegmentPreset(name: name) else {
            throw section.failure(
                "PIPE-PRESET", at: "preset", found: name, "this is no preset.",
                cure:
                    "Write category and type, or one of: \(SegmentPreset.allCases.map(\.name).joined(separator: ", "))."
            )
        }
        return preset
    }

    /// Segment Description (0062,0006) is ST.
    private static func description(_ section: Section) throws -> String? {
        guard let text = try section.optionalString("description") else { return nil }
        let isLegal = text.allSatisfy(\.isWhitespace) || ValueRules.violation(of: text, as: .ST) == nil
        guard isLegal, text.unicodeScalars.count <= 1024, !text.unicodeScalars.contains(where: { $0.value < 32 }) else {
            throw section.failure(
                "PIPE-SEGMENT", at: "description",
                "a description has at most 1024 characters, one line and no control characters.",
                cure: "Correct it.")
        }
        return text
    }

    private static func color(_ section: Section) throws -> [UInt8]? {
        guard let color = try section.optionalInts("color", count: 3...3) else { return nil }
        guard color.allSatisfy({ (0...255).contains($0) }), color != [0, 0, 0] else {
            throw section.failure(
                "PIPE-SEGMENT", at: "color",
                "a colour is [red, green, blue] of 0 to 255 each, and not black.", cure: "Correct it.")
        }
        return color.map { UInt8(clamping: $0) }
    }

    private static func code(_ key: String, _ section: Section) throws -> Code? {
        guard let parts = try section.optionalStrings(key) else { return nil }
        let isScheme =
            parts.count == 3
            && (["SCT", "DCM", "UCUM", "SRT", "FMA", "RADLEX"].contains(parts[1])
                || parts[1].hasPrefix("99") && parts[1].utf8.count <= 16)
        let isText = parts.allSatisfy {
            $0.unicodeScalars.count <= 64 && ValueRules.violation(of: $0, as: .LO) == nil
        }
        guard isScheme, isText else {
            throw section.failure(
                "PIPE-CODE", at: key,
                "a code is [value, scheme, meaning] of at most 64 characters each, none blank or with a backslash, with the scheme SCT, DCM, UCUM, SRT, FMA, RADLEX or one beginning with 99.",
                cure: "Correct it.")
        }
        // A concept identifier of SNOMED CT has 6 to 18 digits, of which the last checks the others.
        guard parts[1] != "SCT" || Self.isSNOMED(parts[0]) else {
            throw section.failure(
                "PIPE-CODE", at: key, found: parts[0],
                "this is no SNOMED CT code: it has 6 to 18 digits, and its last digit checks the others.",
                cure: "Correct the code: a digit is wrong, missing or too many.")
        }
        return Code(parts[0], parts[1], parts[2])
    }

    /// Verhoeff's check of the digits. *Source*: SNOMED CT Release File Specification, 6.2, "Check-digit".
    private static func isSNOMED(_ text: String) -> Bool {
        let digits = text.utf8.map { Int($0) - 48 }
        guard (6...18).contains(digits.count), digits.allSatisfy({ (0...9).contains($0) }) else { return false }
        func product(_ a: Int, _ b: Int) -> Int {
            switch (a < 5, b < 5) {
            case (true, true): (a + b) % 5
            case (true, false): (a + b - 5) % 5 + 5
            case (false, true): (a - b + 5) % 5 + 5
            case (false, false): (a - b + 5) % 5
            }
        }
        let step = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
        var check = 0
        for (place, digit) in digits.reversed().enumerated() {
            var turned = digit
            for _ in 0..<place % 8 { turned = step[turned] }
            check = product(check, turned)
        }
        return check == 0
    }
}
