/// What an enhanced object's functional groups say of a frame, they say once.
enum GroupConsistency {
    /// A frame's place, size and values are said by one item of its group, and a place, a size and a rescale at the object's top, which
    /// readers apply too, are those of a frame.
    ///
    /// *Throws* `position`, `values`.
    static func check(_ frames: [SourceFrame], of instance: SourceInstance) throws(DICOMFailure) {
        guard instance.hasFunctionalGroups else { return }
        let dataSet = instance.dataSet
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence) + dataSet.items(.sharedFunctionalGroupsSequence)
        let said: [Attribute] = [
            .planePositionSequence, .planeOrientationSequence, .pixelMeasuresSequence,
            .pixelValueTransformationSequence, .planePositionSlideSequence,
        ]
        for group in groups {
            for macro in said where group.items(macro).count > 1 {
                throw .position(
                    "\(macro.keyword) \(macro.tag) of a frame has \(group.items(macro).count) items: which of them is right is unknown.",
                    cure: "Export the object again.")
            }
        }
        guard dataSet.items(.sharedFunctionalGroupsSequence).count < 2 else {
            throw .position(
                "Shared Functional Groups (5200,9229) has several items: which of them is right is unknown.",
                cure: "Export the object again.")
        }
        try checkShared(of: instance)
        if instance.isClassic { try checkTop(of: instance) }
        for used in Used.all where !instance.isClassic {
            for attribute in used.numbers {
                guard let bound = atTop[attribute], dataSet.states(attribute.tag) else { continue }
                // Zero is how some writers say that a distance is unknown.
                if attribute == .pixelSpacing, dataSet.doubles(attribute).contains(0) { continue }
                let own = frames.map { $0.group(used.macro) }.filter { $0.states(attribute.tag) }
                guard own.isEmpty || own.contains(where: { isAlike(dataSet, $0, attribute, bound) }) else {
                    throw .position(
                        "\(attribute.keyword) \(attribute.tag) at the top of the object is that of none of its frames: which of them is right is unknown.",
                        cure: "Export the object again.")
                }
            }
        }
        for attribute in [Attribute.rescaleSlope, .rescaleIntercept] where dataSet.has(attribute) {
            let top = dataSet.doubles(attribute)
            let own = frames.map { $0.group(.pixelValueTransformationSequence).doubles(attribute) }
                .filter { !$0.isEmpty }
            guard own.isEmpty || own.contains(where: { isAlike($0, top) }) else {
                throw .values(
                    "\(attribute.keyword) \(attribute.tag) at the top of the object is that of none of its frames: which of them is right is unknown.",
                    cure: "Export the object again.")
            }
        }
    }

    /// What some programs leave there, rounded: how far it may differ from a frame's.
    private static let atTop: [Attribute: @Sendable (Double) -> Double] = [
        .imagePositionPatient: { _ in Tolerance.copied.place },
        .imageOrientationPatient: { _ in Tolerance.copied.cosine },
        .pixelSpacing: { Tolerance.copied.spacing * $0 },
    ]

    /// What is taken from a macro, and how far two numbers may differ that say it twice.
    private struct Used {
        let macro: Attribute
        let numbers: [Attribute]
        var texts: [Attribute] = []
        /// Of a number's magnitude.
        let bound: @Sendable (Double) -> Double

        /// *Throws* `position`, `values` where two data sets say it differently; `text` tells of which attribute.
        func check(_ one: DataSet, _ other: DataSet, _ text: (Attribute) -> String) throws(DICOMFailure) {
            let number = numbers.first { !isAlike(one, other, $0, bound) }
            let word = texts.first { attribute in
                guard let a = one.text(attribute), let b = other.text(attribute) else { return false }
                return a.uppercased() != b.uppercased()
            }
            guard let attribute = number ?? word else { return }
            switch macro {
            case .pixelValueTransformationSequence, .frameVOILUTSequence:
                throw .values(text(attribute), cure: "Export the object again.")
            default: throw .position(text(attribute), cure: "Export the object again.")
            }
        }

        static let all = [
            Used(macro: .planePositionSequence, numbers: [.imagePositionPatient]) { _ in Tolerance.place },
            Used(macro: .planeOrientationSequence, numbers: [.imageOrientationPatient]) { _ in Tolerance.cosine },
            Used(macro: .pixelMeasuresSequence, numbers: [.pixelSpacing, .sliceThickness]) { Tolerance.spacing * $0 },
            Used(
                macro: .pixelValueTransformationSequence, numbers: [.rescaleSlope, .rescaleIntercept],
                texts: [.rescaleType]
            ) { Tolerance.decimals * $0 },
            Used(
                macro: .frameVOILUTSequence, numbers: [.windowCenter, .windowWidth], texts: [.voiLUTFunction]
            ) { Tolerance.decimals * $0 },
            Used(
                macro: .planePositionSlideSequence,
                numbers: [.rowPositionInTotalImagePixelMatrix, .columnPositionInTotalImagePixelMatrix]
            ) { _ in 0 },
        ]
    }

    /// A macro stands among the shared groups or in the frames', never in both; where it does, both say the same.
    ///
    /// *Throws* `position`, `values`. *Source*: PS3.3 C.7.6.16.1.1.
    static func checkShared(of instance: SourceInstance) throws(DICOMFailure) {
        guard let groups = instance.dataSet.item(.sharedFunctionalGroupsSequence) else { return }
        let perFrame = instance.dataSet.items(.perFrameFunctionalGroupsSequence)
        for used in Used.all {
            guard let shared = groups.item(used.macro) else { continue }
            for (index, group) in perFrame.enumerated() {
                guard let own = group.item(used.macro) else { continue }
                try used.check(shared, own) { attribute in
                    "\(attribute.keyword) \(attribute.tag) of frame \(index + 1) is another in its own functional group than in the shared one: which of them is right is unknown."
                }
            }
        }
    }

    /// What a classic object says itself its functional groups, which it should not have, do not deny.
    ///
    /// *Throws* `position`, `values`.
    private static func checkTop(of instance: SourceInstance) throws(DICOMFailure) {
        let dataSet = instance.dataSet
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence) + dataSet.items(.sharedFunctionalGroupsSequence)
        for used in Used.all {
            for item in groups.compactMap({ $0.item(used.macro) }) {
                try used.check(dataSet, item) { attribute in
                    "\(attribute.keyword) \(attribute.tag) in the functional groups of an object whose class has none is another than at its top: which of them is right is unknown."
                }
            }
        }
    }

    /// Whether two items say one thing, or one of them nothing.
    private static func isAlike(
        _ one: DataSet, _ other: DataSet, _ attribute: Attribute, _ bound: (Double) -> Double
    ) -> Bool {
        guard one.states(attribute.tag), other.states(attribute.tag) else { return true }
        let (a, b) = (one.doubles(attribute), other.doubles(attribute))
        return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= bound(max($0.magnitude, $1.magnitude)) }
    }

    private static func isAlike(_ one: [Double], _ two: [Double]) -> Bool {
        one.count == two.count
            && zip(one, two).allSatisfy { abs($0 - $1) <= Tolerance.spacing * max($0.magnitude, $1.magnitude) }
    }
}
