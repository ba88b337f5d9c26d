import Failures

/// Pictures and patients that stand in two splits: a figure on them would measure memory. Whether what is learned from has masks makes no
/// difference.
enum Leaks {
    /// *Cost*: a comparison of 1,160 numbers for each pair of pictures of different splits.
    static func between(
        _ roles: [DataCheck.Role], _ examined: [[CaseCheck]], allowsSimilar: Bool
    ) -> [FailureRecord] {
        var found: [FailureRecord] = []
        for (one, first) in roles.enumerated() {
            for (other, second) in roles.enumerated().dropFirst(one + 1)
            where first.group != second.group && !(first.isLearned && second.isLearned) {
                found += shared(examined[one], examined[other], (first.split, second.split), allowsSimilar)
            }
        }
        return found
    }

    private static func shared(
        _ one: [CaseCheck], _ other: [CaseCheck], _ splits: (String, String), _ allowsSimilar: Bool
    ) -> [FailureRecord] {
        var found: [FailureRecord] = []
        /// With the page of a file that has several.
        func name(_ one: CaseCheck) -> String {
            one.pair.image.path + one.pair.name.drop { $0 != "#" }
        }
        func add(_ a: CaseCheck, _ b: CaseCheck, _ what: String) {
            found.append(
                FailureRecord(
                    TrainingFailure.leak(
                        one: name(a), other: name(b), splits: "\(splits.0) and \(splits.1)", what: what)))
        }
        let patients = Dictionary(one.compactMap { c in c.pair.patient.map { ($0.lowercased(), c) } }) { first, _ in
            first
        }
        for b in other {
            if let patient = b.pair.patient, let a = patients[patient.lowercased()] { add(a, b, "are of one patient") }
            for a in one {
                if let digest = a.digest, digest == b.digest {
                    add(a, b, "are the same file")
                } else if let look = a.look, look == b.look {
                    add(a, b, "are the same picture")
                } else if !allowsSimilar, a.pair.image.sharesFile(with: b.pair.image) {
                    add(a, b, "are pages of one file, as slices of one volume are,")
                } else if !allowsSimilar, let thumbnail = a.thumbnail, let its = b.thumbnail,
                    thumbnail.correlation(with: its) > Thumbnail.limit
                {
                    add(a, b, "are nearly the same picture")
                } else if !allowsSimilar, let thumbnail = a.thumbnail, let its = b.thumbnail,
                    thumbnail.isMirrored(of: its)
                {
                    add(a, b, "are nearly the same picture, mirrored or turned,")
                }
            }
        }
        return found
    }
}
