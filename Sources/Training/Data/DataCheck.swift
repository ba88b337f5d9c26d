package import Failures
import Numbers
package import SegmentAnything
package import Storage
import Tensors

/// Everything about the data of a run that can be known before its first step: each file is decoded once, every problem is listed.
package struct DataCheck: Sendable {
    /// A data set with what it is for.
    package struct Role: Sendable {
        /// `train`, `validation`: sets of different splits must not share a picture, unless they are of one group.
        package let split: String
        let group: String
        package let dataset: Dataset
        /// False: masks are not looked at.
        package let isLabelled: Bool
        /// The weights depend on it.
        var isLearned: Bool { split == "train" || split == "unlabelled" }

        /// - Parameter group: nil: the split is one by itself.
        package init(split: String, group: String? = nil, _ dataset: Dataset, isLabelled: Bool = true) {
            (self.split, self.group) = (split, group ?? split)
            self.dataset = dataset
            self.isLabelled = isLabelled
        }
    }

    /// One set as it was found.
    package struct Summary: Sendable {
        package let split: String
        package let path: String
        package let images: Int
        /// Smallest and largest, columns × rows.
        package let sizes: (smallest: String, largest: String)
        /// Nil where masks are not looked at; nothing is counted then.
        package let rule: MaskRule?
        /// Pixels of each class, background first.
        package let pixels: [Int]
        /// Images in which each class occurs, background first.
        package let occurrences: [Int]
        /// Images without any foreground.
        package let empty: Int
        /// Images whose files do not say how large their pixels are.
        package let unscaled: Int
        /// Images that are too small or too narrow for a run.
        package let unsuited: Int
        /// Objects, and those that touch another; nil where they are not told apart.
        package internal(set) var objects: (all: Int, touching: Int)?
        /// What tells objects apart; nil where masks are not looked at.
        package internal(set) var telling: ObjectRule?
        package fileprivate(set) var notes: [String]
    }

    package let summaries: [Summary]
    /// In the order of the roles; a set whose masks could not be understood is missing.
    package let sets: [LabelledSet]
    package let problems: [FailureRecord]
    /// Of each image of each role.
    package let digests: [[FileDigest]]
    /// How large the pictures of the split `train` are; nil without such.
    package let scale: TrainedScale?

    /// *Throws* the only problem, or `DataProblems` with all of them.
    package func confirm() throws {
        if problems.count == 1 { throw problems[0] }
        if !problems.isEmpty { throw DataProblems(problems: problems) }
    }

    /// - Parameters:
    ///   - segments: classes beside the background.
    ///   - tellsObjects: counts the objects that the masks tell apart.
    ///   - allowsSimilar: nearly equal pictures in two splits are no problem; equal ones always are.
    ///   - trainedRules: what a model's training was told of its masks; sets that say nothing and read such values otherwise are refused.
    ///   - learns: a class that no training image shows, and masks that are all empty, are problems.
    ///   - progress: called from time to time with the number of cases that have been looked at.
    /// *Cost*: one pass over all files.
    package static func run(
        _ roles: [Role], segments: Int, input: TrainedInput, learns: Bool = true, tellsObjects: Bool = false,
        allowsSimilar: Bool = false, trainedRules: [MaskRule] = [],
        progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
    ) rethrows -> DataCheck {
        let total = roles.reduce(0) { $0 + $1.dataset.pairs.count }
        var done = 0
        var examined: [[CaseCheck]] = []
        for role in roles {
            var all: [CaseCheck] = []
            for start in stride(from: 0, to: role.dataset.pairs.count, by: 32) {
                let part = Array(role.dataset.pairs[start..<min(start + 32, role.dataset.pairs.count)])
                all += ThreadPool.map(part.count) { CaseCheck(part[$0], segments: segments, input: input) }
                done += part.count
                try progress(done, total)
            }
            examined.append(all)
        }
        var problems = examined.flatMap { $0.flatMap(\.problems) }
        var (summaries, sets): ([Summary], [LabelledSet]) = ([], [])
        var understood: [SamePictures.Understood] = []
        // Sets of the validation in which there is nothing to be found.
        var blind: [Summary] = []
        for (role, cases) in zip(roles, examined) {
            problems += flat(role, cases, input, learns: learns).map { FailureRecord($0) }
            problems += unknownTurns(role, roles, examined).map { FailureRecord($0) }
            guard role.isLabelled else {
                sets.append(LabelledSet(pairs: role.dataset.pairs, rule: .nonzero, telling: .parts))
                summaries.append(Summary(role, cases, nil, segments: segments))
                continue
            }
            do throws(TrainingFailure) {
                let rule = try rule(for: role, roles, examined, segments: segments)
                problems += otherwiseTrained(rule, role, cases, trainedRules).map { FailureRecord($0) }
                problems += [alike(role, cases, segments: segments, allowsSimilar: allowsSimilar)].compactMap {
                    $0.map(FailureRecord.init)
                }
                problems += cases.compactMap { $0.contradiction(rule, isSaid: role.dataset.rule != nil) }
                problems += cases.compactMap { $0.unseen(rule, segments: segments, input.windowing) }
                let telling = objectRule(rule, for: role, roles, examined, segments: segments)
                let set = LabelledSet(pairs: role.dataset.pairs, rule: rule, telling: telling)
                sets.append(set)
                understood.append(.init(role: role, set: set, cases: cases))
                var summary = Summary(role, cases, rule, segments: segments)
                summary.telling = telling
                if tellsObjects {
                    let count = set.objectCount(cases, segments: segments)
                    summary.objects = (count.all, count.touching)
                    problems += count.problems + [grouped(role)].compactMap { $0.map { FailureRecord($0) } }
                }
                problems += set.overlaps(cases, segments: segments)
                summaries.append(summary)
                // Of a set that was not read as a whole nothing can be missed.
                let isWhole = cases.allSatisfy { $0.problems.isEmpty }
                if learns, isWhole, role.split == "train" {
                    problems += summary.missingClasses(rule).map { FailureRecord($0) }
                }
                if isWhole, !learns || role.split != "train", let wrong = Self.unmet(rule, role, summary, cases) {
                    problems.append(FailureRecord(wrong))
                }
                if isWhole, learns, role.split == "validation", summary.empty == cases.count { blind.append(summary) }
                // Few images may be filled by the segment; a training set is not.
                let readsClasses = rule == .classes && !role.dataset.pairs.contains(where: \.mask.namesSegments)
                if isWhole, learns, role.split == "train", summary.lacksBackground, segments == 1 || readsClasses {
                    problems.append(
                        FailureRecord(TrainingFailure.noBackground(path: role.dataset.path, rule: rule.words)))
                }
            } catch {
                problems.append(FailureRecord(error))
            }
        }
        if let first = blind.first, let rule = first.rule,
            blind.count == roles.count(where: { $0.split == "validation" })
        {
            problems.append(FailureRecord(TrainingFailure.emptyValidation(path: first.path, rule: rule.words)))
        }
        problems += otherwiseRead(understood, segments: segments).map { FailureRecord($0) }
        problems += SamePictures.contradictions(understood, segments: segments).map { FailureRecord($0) }
        if learns { problems += SamePictures.drawnTwice(understood).map { FailureRecord($0) } }
        tellRepeated(roles, examined, in: &summaries)
        problems += Leaks.between(roles, examined, allowsSimilar: allowsSimilar)
        return DataCheck(
            summaries: summaries, sets: sets, problems: unique(problems),
            digests: examined.map { $0.compactMap(\.digest) },
            scale: TrainedScale(
                zip(roles, examined).filter { $0.0.split == "train" }.flatMap(\.1).map {
                    (max($0.rows, $0.columns), $0.pixelMM)
                }))
    }

    /// What the plan says, or what all masks of the same folder say together: training and validation are read alike.
    private static func rule(
        for role: Role, _ roles: [Role], _ examined: [[CaseCheck]], segments: Int
    ) throws(TrainingFailure) -> MaskRule {
        var census = MaskCensus()
        for (other, cases) in zip(roles, examined) where other.dataset.path == role.dataset.path {
            for one in cases { census.merge(one.census) }
        }
        let rule: MaskRule
        if let planned = role.dataset.rule {
            rule = planned
        } else {
            rule = try MaskRule.decided(census, segments: segments, masks: role.dataset.path)
            if !role.dataset.pairs.contains(where: \.mask.namesSegments) {
                try confirmUpright(census.shares(rule), rule, masks: role.dataset.path)
            }
        }
        if rule.readsIndices, let (index, one, other) = census.twoColored {
            throw .maskValues(
                masks: other.path,
                found:
                    "index \(index) of its palette is \(MaskRule.hex(other.color)), and \(MaskRule.hex(one.color)) in"
                    + " \(one.path)",
                cure: .rule(
                    "Export all masks with one palette, or say mask_colors with the colour of each segment."))
        }
        return rule
    }

    /// As the masks of the same folder say together.
    private static func objectRule(
        _ rule: MaskRule, for role: Role, _ roles: [Role], _ examined: [[CaseCheck]], segments: Int
    ) -> ObjectRule {
        let cases = zip(roles, examined).filter { $0.0.dataset.path == role.dataset.path }.flatMap(\.1)
        var census = MaskCensus()
        for one in cases { census.merge(one.census) }
        return ObjectRule(
            rule, segments: segments, census: census, files: cases.map(\.census.files).max() ?? 0,
            hasOutlines: role.dataset.pairs.allSatisfy { $0.mask.outlines != nil })
    }

    /// An annotation file that leaves objects in groups, of which nobody can tell how many they are.
    private static func grouped(_ role: Role) -> TrainingFailure? {
        let outlines = role.dataset.pairs.compactMap(\.mask.outlines)
        let crowds = outlines.reduce(0) { $0 + $1.crowds }
        guard crowds > 0, let file = outlines.first?.file else { return nil }
        return .layout(
            path: file,
            reason:
                "it has \(crowds) groups of objects (iscrowd) that nobody told apart, and here objects are told apart")
    }

    /// Masks that may have been drawn on pictures as they are stored, where no other of the same folder shows on which they were drawn.
    private static func unknownTurns(
        _ role: Role, _ roles: [Role], _ examined: [[CaseCheck]]
    ) -> [TrainingFailure] {
        let all = zip(roles, examined).filter { $0.0.dataset.path == role.dataset.path }
        guard !all.contains(where: { $0.1.contains { $0.turn == .fits } }) else { return [] }
        return all.filter { $0.0.split == role.split }.flatMap(\.1).compactMap { one in
            guard case .unknown(let mask) = one.turn else { return nil }
            return .unknownTurn(image: one.pair.image.path, mask: mask)
        }
    }

    /// A rule with values or colours that no mask holds, though they hold others: all truth would be empty.
    private static func unmet(
        _ rule: MaskRule, _ role: Role, _ summary: Summary, _ cases: [CaseCheck]
    ) -> TrainingFailure? {
        switch rule {
        case .values, .colors: break
        case .nonzero, .above, .classes, .labels: return nil
        }
        let marked = cases.filter { !$0.census.marks.isEmpty || $0.census.colors.contains { $0.key != 0 } }
        guard let first = marked.first, summary.empty == cases.count else { return nil }
        return .maskValues(
            masks: first.pair.mask.path,
            found:
                "\(rule.words), and \(marked.count) masks hold others and none of these: all of the truth would be empty",
            cure: .rule("Say those that the masks hold."))
    }

    /// Sets that are read by themselves though the plan says of another set with the same values what they mean, and says something else:
    /// the key stands in one of two entries, so that truth is one thing in training and another in validation.
    private static func otherwiseRead(_ sets: [SamePictures.Understood], segments: Int) -> [TrainingFailure] {
        let censuses = sets.map { census($0.cases) }
        return sets.indices.compactMap { index -> TrainingFailure? in
            guard isReadByItself(sets[index].role.dataset) else { return nil }
            let own = censuses[index]
            let said = sets.indices.first { other in
                switch sets[other].role.dataset.rule {
                case nil, .labels?: return false
                case let rule?:
                    return own.isPart(of: censuses[other])
                        && own.unlike(rule, sets[index].set.rule) > Self.mostUnlikeRead
                }
            }
            guard let said else { return nil }
            return .maskValues(
                masks: sets[index].role.dataset.path,
                found:
                    "\(sets[index].set.rule.words) here, and in \(sets[said].role.dataset.path), whose masks hold the same"
                    + " values, \(sets[said].set.rule.words)",
                cure: .masks("Say in each entry of data and validation what the values mean."))
        }
    }

    /// Masks that are alike in all pictures of a set, and so no truth of theirs: of the field of view, unless somebody says what they mean, or
    /// one for all.
    ///
    /// - Parameters:
    ///   - segments: the field of view is one; several may fill a body that is registered and alone in its picture.
    ///   - allowsSimilar: somebody says that pictures are alike, and so may be their masks.
    private static func alike(
        _ role: Role, _ cases: [CaseCheck], segments: Int, allowsSimilar: Bool
    ) -> TrainingFailure? {
        let (views, looks) = (cases.compactMap(\.view), Set(cases.compactMap(\.look)))
        guard looks.count >= 4, !allowsSimilar else { return nil }
        if segments == 1, views.count == cases.count, FieldOfView.isMarked(in: views) {
            guard role.dataset.rule == nil else { return nil }
            return .fieldOfView(masks: Folder.split(cases[0].pair.mask.path).folder, count: cases.count)
        }
        let masks = Set(cases.map(\.maskLook))
        guard masks.count == 1, masks != [nil] else { return nil }
        return .oneMask(masks: role.dataset.path, count: cases.count)
    }

    /// A set that is read by itself though the training of the model was told of values that it holds, too, and each time something else.
    private static func otherwiseTrained(
        _ rule: MaskRule, _ role: Role, _ cases: [CaseCheck], _ trained: [MaskRule]
    ) -> [TrainingFailure] {
        guard isReadByItself(role.dataset) else { return [] }
        let census = census(cases)
        // One that marks nothing here is about other values.
        let meant = trained.filter { census.shares($0).all > 0 }
        guard let said = meant.first, meant.allSatisfy({ census.unlike($0, rule) > mostUnlikeRead }) else { return [] }
        return [
            .maskValues(
                masks: role.dataset.path,
                found: "\(rule.words) here, and in the model's training (train.yaml in its directory) \(said.words)",
                cure: .rule("Say which it is of these masks."))
        ]
    }

    private static func census(_ cases: [CaseCheck]) -> MaskCensus {
        cases.reduce(into: MaskCensus()) { $0.merge($1.census) }
    }

    /// Whether neither the plan nor the masks' files say what their values mean.
    private static func isReadByItself(_ dataset: Dataset) -> Bool {
        dataset.rule == nil && dataset.pairs.allSatisfy { !$0.mask.namesSegments }
    }

    /// Pictures that several entries of `data` draw, from files of their own.
    private static func tellRepeated(_ roles: [Role], _ examined: [[CaseCheck]], in summaries: inout [Summary]) {
        guard summaries.count == roles.count else { return }
        var seen: Set<String> = []
        for (index, role) in roles.enumerated() where role.split == "train" {
            let looks = Set(examined[index].compactMap { $0.look?.hex })
            let again = looks.intersection(seen).count
            if again > 0 {
                summaries[index].notes.append(
                    "\(again) images are pixel by pixel one of an entry before, and are drawn in both")
            }
            seen.formUnion(looks)
        }
    }

    /// Of the pixels that either rule marks: where a threshold lies between black and white makes little difference.
    private static let mostUnlikeRead = 0.01

    /// Pictures of which nothing is seen as they are shown: all of them of one colour, or, in training, of more than 8 bits and all in a small part of
    /// their range.
    private static func flat(_ role: Role, _ cases: [CaseCheck], _ input: TrainedInput, learns: Bool)
        -> [TrainingFailure]
    {
        let read = cases.filter { $0.levels != nil }
        guard let first = read.first, read.count == cases.count else { return [] }
        let most = read.compactMap(\.levels).max() ?? 0
        if most == 0 {
            // Where a mask marks something, that is told of each.
            guard read.allSatisfy({ $0.census.marks.isEmpty && $0.census.colors.isEmpty }) else { return [] }
            return [.flat(image: first.pair.image.path, count: cases.count, windowing: input.windowing.words)]
        }
        guard learns, role.isLearned, input.windowing == .asIs, most < leastLevels, read.allSatisfy(\.isDeep) else {
            return []
        }
        return [.dark(image: first.pair.image.path, levels: most + 1, windowing: input.windowing.words)]
    }

    /// Of 256: pictures of 12 bits that are shown by the range of 16 have 16.
    private static let leastLevels = 32

    /// Objects lie in the picture and background around them: where it is the other way round, black and white may be exchanged.
    ///
    /// *Throws* `TrainingFailure.maskValues`.
    private static func confirmUpright(
        _ shares: (all: Double, edge: Double), _ rule: MaskRule, masks: String
    ) throws(TrainingFailure) {
        guard rule.marksOneSegment, (0.5...0.99).contains(shares.all), shares.edge > 0.75 else { return }
        func percent(_ share: Double) -> String { "\(NumberText.fixed(100 * share, 0)) %" }
        throw .maskValues(
            masks: masks,
            found:
                "the segment takes \(percent(shares.all)) of all pixels and \(percent(shares.edge)) of those at the pictures' edges, as where"
                + " objects are black and the background is white (\(rule.words))",
            cure: .rule(
                "Where the objects are black, say mask_values with their value, as mask_values: {segment-1: [0]}, or invert the masks; where"
                    + " the segment is what is white, say mask_above, as mask_above: 0."))
    }

    private static func unique(_ problems: [FailureRecord]) -> [FailureRecord] {
        var seen: Set<String> = []
        return problems.filter { seen.insert($0.description).inserted }
    }
}

/// Several problems of a data set at once.
package struct DataProblems: Error, Sendable {
    package let problems: [FailureRecord]
}

extension DataCheck.Summary {
    init(_ role: DataCheck.Role, _ cases: [CaseCheck], _ rule: MaskRule?, segments: Int) {
        (split, path, images) = (role.split, role.dataset.path, cases.count)
        let sized = cases.filter { $0.rows > 0 }.sorted { ($0.rows * $0.columns) < ($1.rows * $1.columns) }
        func size(_ one: CaseCheck?) -> String { one.map { "\($0.columns)×\($0.rows)" } ?? "none" }
        sizes = (size(sized.first), size(sized.last))
        self.rule = rule
        let each =
            rule.map { rule in
                cases.filter { $0.census.files > 0 }.map { $0.pixels(rule, segments: segments) }
            } ?? []
        pixels = (0...segments).map { index in each.reduce(0) { $0 + $1[index] } }
        occurrences = (0...segments).map { index in each.count { $0[index] > 0 } }
        empty = each.count { $0.dropFirst().allSatisfy { $0 == 0 } }
        unscaled = cases.count { $0.pixelMM == nil }
        unsuited = cases.count(where: \.isUnsuited)
        let lacking = cases.count { $0.lacksValues }
        let looks = cases.compactMap(\.look)
        let full = each.count { $0[0] == 0 }
        let sameMasks = SamePictures.repeatedMasks(cases)
        let remarks = cases.reduce(into: [String: Int]()) { counts, one in
            for text in Set(one.remarks) { counts[text, default: 0] += 1 }
        }
        let turned = cases.count { $0.turn != .alike }
        let (flat, again) = (cases.count { $0.levels == 0 }, looks.count - Set(looks).count)
        notes =
            role.dataset.notes
            + [
                lacking > 0
                    ? "\(lacking) images hold samples that are no numbers (NaN, infinite): they are black" : nil,
                turned > 0
                    ? "\(turned) images and masks are stored in unlike orientations: turned as the file of each says they fit, as the sizes show"
                    : nil,
                full > 0 ? "\(full) images are nothing but segment" : nil,
                flat > 0 ? "\(flat) images are of one colour" : nil,
                sameMasks > 0 ? "\(sameMasks) masks are pixel by pixel that of another image of the set" : nil,
                again > 0 ? "\(again) images are pixel by pixel another one of the set, which counts once more" : nil,
            ].compactMap(\.self)
            + remarks.keys.sorted().map { "\(remarks[$0] ?? 0) images: \($0)" }
    }

    /// Segments fill every image.
    var lacksBackground: Bool { pixels[0] == 0 && pixels.dropFirst().contains { $0 > 0 } }

    /// What cannot be learned from this set.
    func missingClasses(_ rule: MaskRule) -> [TrainingFailure] {
        occurrences.indices.dropFirst().filter { occurrences[$0] == 0 }.map {
            .missingClass(path: path, segment: $0, rule: rule.words)
        }
    }
}
