/// What an enhanced object's functional groups say of a frame, they say once.
enum GroupConsistency {
    /// A frame's place, size and values are said by one item of its group, and a rescale at the object's top, which readers apply too, is
    /// that of a frame.
    ///
    /// *Throws* `position`, `values`.
    static func check(_ frames: [SourceFrame], of instance: SourceInstance) throws(DICOMFailure) {
        guard instance.hasFunctionalGroups else { return }
        let dataSet = instance.dataSet
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence) + dataSet.items(.sharedFunctionalGroupsSequence)
        let said: [Attribute] = [
            .planePositionSequence, .planeOrientationSequence, .pixelMeasuresSequence,
            .pixelValueTransformationSequence,
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

    private static func isAlike(_ one: [Double], _ two: [Double]) -> Bool {
        one.count == two.count
            && zip(one, two).allSatisfy { abs($0 - $1) <= Tolerance.spacing * max($0.magnitude, $1.magnitude) }
    }
}
