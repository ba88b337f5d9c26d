import Imaging

/// A multi-frame image that is cut into several objects.
///
/// *Source*: PS3.3 2024e, C.7.6.16.2.2.4.
enum Concatenation {
    /// What the objects of a series that are parts of concatenations do not say: how many parts there are (In-concatenation Total Number
    /// is of Type 3), so that one behind the last could be missing unseen.
    ///
    /// *Throws* `missingParts` where a part is missing or there twice.
    static func check(_ members: [SourceInstance]) throws(DICOMFailure) -> Finding? {
        let parts = members.filter { $0.dataSet.uid(.concatenationUID) != nil || isPart($0) }
        var unknown = 0
        for (_, parts) in Dictionary(grouping: parts, by: { $0.dataSet.uid(.concatenationUID) ?? "" })
            .sorted(by: { $0.key < $1.key })
        {
            if let lack = lack(inOrder(parts), countIsKnown: true) {
                throw .missingParts("\(lack.found): frames are missing.", cure: lack.cure)
            }
            unknown += parts.contains { $0.dataSet.int(.inConcatenationTotalNumber) == nil } ? parts.count : 0
        }
        guard unknown > 0 else { return nil }
        return Finding(
            "VOL-PARTS", .warning,
            "\(unknown == 1 ? "1 object is a part" : "\(unknown) objects are parts") of a concatenation that does not say how many it has (In-concatenation Total Number): frames behind the last may be missing."
        )
    }

    /// Parts say so by their numbers too, where what made the file anonymous took the Concatenation UID away: those of one series belong
    /// together.
    private static func isPart(_ instance: SourceInstance) -> Bool {
        let dataSet = instance.dataSet
        return number(instance) > 1 || (dataSet.int(.inConcatenationTotalNumber) ?? 1) > 1
            || (dataSet.int(.concatenationFrameOffsetNumber) ?? 0) > 0
    }

    static func inOrder(_ parts: [SourceInstance]) -> [SourceInstance] {
        parts.sorted { (number($0), $0.sopInstanceUID) < (number($1), $1.sopInstanceUID) }
    }

    /// Why parts in their order are not one whole image; nil where they are.
    ///
    /// - Parameter countIsKnown: something else tells how many frames there are, so that the last part cannot be missing unseen.
    static func lack(_ parts: [SourceInstance], countIsKnown: Bool) -> (found: String, cure: String)? {
        var offset = 0
        for (index, part) in parts.enumerated() {
            let total = part.dataSet.int(.inConcatenationTotalNumber)
            guard total == parts.count || (total == nil && countIsKnown) else {
                return (
                    "\(parts.count == 1 ? "1 part" : "\(parts.count) parts") of a concatenation that \(total.map { "has \($0)" } ?? "does not say how many it has")",
                    "Send all parts, with In-concatenation Total Number."
                )
            }
            guard number(part) == index + 1,
                (part.dataSet.int(.concatenationFrameOffsetNumber) ?? offset) == offset
            else { return ("part \(index + 1) of a concatenation is missing, or there twice", "Send all parts.") }
            offset += part.pixels.frames
        }
        return nil
    }

    private static func number(_ instance: SourceInstance) -> Int { instance.dataSet.int(.inConcatenationNumber) ?? 0 }
}
