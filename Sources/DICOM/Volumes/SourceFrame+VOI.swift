package import Imaging

extension SourceFrame {
    /// What the file says about displaying this frame: its own Frame VOI LUT group, the shared one, or the classic
    /// attributes.
    package var voi: VOI {
        let group = group(.frameVOILUTSequence)
        let centers = group.doubles(.windowCenter)
        let widths = group.doubles(.windowWidth)
        let explanations = group.strings(.windowCenterWidthExplanation)
        let windows = zip(centers, widths).enumerated().map { index, pair in
            let explanation = explanations.indices.contains(index) ? explanations[index] : ""
            // What cannot be one keeps its place: the next has its number all the same.
            guard Self.isPossible(pair) else {
                return VOI.Window(center: .nan, width: .nan, explanation: explanation)
            }
            return VOI.Window(center: pair.0, width: pair.1, explanation: explanation)
        }
        let function = group.string(.voiLUTFunction).flatMap(VOI.Function.init(rawValue:)) ?? .linear
        // The table's input are modality values, which may be negative when the pixels are not.
        let isSigned = instance.pixels.isSigned || (instance.dataSet.double(.rescaleIntercept) ?? 0) < 0
        let table = group.item(.voiLUTSequence).flatMap { LookUpTable($0, signedInput: isSigned) }
        return VOI(windows: windows, function: function, table: table)
    }

    /// A window that is stated but cannot be one.
    var hasImpossibleWindow: Bool {
        let group = group(.frameVOILUTSequence)
        guard group.text(.windowCenter) != nil, group.text(.windowWidth) != nil else { return false }
        return zip(group.doubles(.windowCenter), group.doubles(.windowWidth)).contains { !Self.isPossible($0) }
    }

    private static func isPossible(_ window: (center: Double, width: Double)) -> Bool {
        CheckedNumbers.Range.value.contains(window.center) && CheckedNumbers.Range.scale.contains(window.width)
    }
}
