import Storage

/// A picture that stands in one split more than once: with masks that contradict each other nobody can learn from it or measure on it.
enum SamePictures {
    /// A labelled set with what its cases are like.
    struct Understood {
        let role: DataCheck.Role
        let set: LabelledSet
        let cases: [CaseCheck]
    }

    /// Of the pixels that either mask marks: people draw an edge a little otherwise each time.
    private static let mostUnlike = 0.2

    /// Entries of a plan's `data` that draw the files of another: each would weigh as often as it is named, and `weight` says how often.
    static func drawnTwice(_ sets: [Understood]) -> [TrainingFailure] {
        var first: [String: (entry: Int, pair: Dataset.Pair)] = [:]
        var found: [TrainingFailure] = []
        let learned = sets.filter(\.role.isLearned)
        for (entry, understood) in learned.enumerated() where learned.count > 1 {
            var again: (count: Int, one: Dataset.Pair, other: Dataset.Pair)?
            for one in understood.cases {
                guard let digest = one.digest, let key = try? fileKey(one.pair, digest) else { continue }
                guard let other = first[key] else {
                    first[key] = (entry, one.pair)
                    continue
                }
                guard other.entry != entry, let its = try? other.pair.mask.digest(),
                    its == (try? one.pair.mask.digest())
                else { continue }
                again = ((again?.count ?? 0) + 1, other.pair, one.pair)
            }
            if let again {
                found.append(
                    .drawnTwice(one: again.other.image.path, other: again.one.image.path, count: again.count))
            }
        }
        return found
    }

    /// One for a picture of one file, whatever its path is written like.
    private static func fileKey(_ pair: Dataset.Pair, _ digest: FileDigest) throws -> String {
        let file = try FileStatus(of: pair.image.path, followingLinks: true)
        return "\(file.device) \(file.inode) \(digest.hex)"
    }

    /// *Cost*: the masks of pictures that stand there more than once are read again.
    static func contradictions(_ sets: [Understood], segments: Int) -> [TrainingFailure] {
        var first: [String: (set: LabelledSet, pair: Dataset.Pair)] = [:]
        var found: [TrainingFailure] = []
        for understood in sets {
            for one in understood.cases where one.problems.isEmpty {
                guard let look = one.look else { continue }
                let key = "\(understood.role.split) \(look.hex)"
                guard let other = first[key] else {
                    first[key] = (understood.set, one.pair)
                    continue
                }
                guard other.pair.mask != one.pair.mask || other.set.rule != understood.set.rule,
                    let its = try? other.set.classes(other.pair, segments: segments).values,
                    let own = try? understood.set.classes(one.pair, segments: segments).values
                else { continue }
                let share = unlike(own, its)
                if share > mostUnlike {
                    found.append(
                        .contradicted(one: other.pair.image.path, other: one.pair.image.path, unlike: share))
                }
            }
        }
        return found
    }

    /// How many masks are those of other, unlike pictures of the set.
    static func repeatedMasks(_ cases: [CaseCheck]) -> Int {
        Dictionary(grouping: cases.filter { $0.maskLook != nil }, by: \.maskLook).values.reduce(0) { sum, same in
            sum + max(0, Set(same.compactMap(\.look)).count - 1)
        }
    }

    /// Of the pixels that either marks, the share that are not of one class.
    private static func unlike(_ one: [UInt8], _ other: [UInt8]) -> Double {
        var (marked, differing) = (0, 0)
        for (a, b) in zip(one, other) where a > 0 || b > 0 {
            marked += 1
            if a != b { differing += 1 }
        }
        return Double(differing) / Double(max(1, marked))
    }
}
