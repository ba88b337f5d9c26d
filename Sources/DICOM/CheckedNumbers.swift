/// The numbers of an attribute, checked where they enter geometry, windows and modality values.
package enum CheckedNumbers: Sendable, Equatable {
    /// The attribute is absent or empty: nothing is stated.
    case absent
    /// Every value is a number within the range.
    case valid([Double])
    /// A value is no number, not finite or out of range: nothing that such an attribute can mean.
    case invalid

    /// What numbers may be by what they measure; far beyond anything that is met, far below what loses precision.
    package enum Range {
        /// Coordinates in the patient, mm: 100 m.
        package static let position = -1e5...1e5
        /// Coordinates on a glass slide, mm: no glass is 300 mm long.
        package static let slide = -300.0...300.0
        /// From edge to edge of a picture on a glass slide, mm.
        package static let glass = 0.0...300.0
        /// Distances of pixels and slices, thicknesses, mm: a nanometre to a metre.
        package static let distance = 1e-6...1e3
        /// Components of a direction; those of unit vectors lie well within.
        package static let cosine = -1.01...1.01
        /// Modality values, windows, intercepts and the magnitude of slopes.
        package static let value = -1e12...1e12
        /// Magnitude of a slope or the width of a window.
        package static let scale = 1e-12...1e12
        /// What lies between slices of a body that were acquired, mm.
        package static let slices = 0.0...50.0
        /// From the first slice to the last, and from edge to edge of a picture, mm.
        package static let extent = 0.0...5e3
        /// From edge to edge of a picture of a body, mm.
        package static let body = 1.0...5e3
        /// Depth and width that ultrasound shows, mm; panoramas included.
        package static let ultrasound = 1.0...500.0
    }
}

extension DataSet {
    /// All values of an attribute, checked.
    package func numbers(_ attribute: Attribute, in range: ClosedRange<Double>) -> CheckedNumbers {
        let values = doubles(attribute)
        // An empty text is read as one value that is no number.
        if values.isEmpty || (self[attribute]?.vr.isText == true && text(attribute) == nil) { return .absent }
        return values.allSatisfy(range.contains) ? .valid(values) : .invalid
    }

    /// The first value of an attribute if it lies in the range; nil otherwise.
    package func number(_ attribute: Attribute, in range: ClosedRange<Double>) -> Double? {
        guard let value = double(attribute), range.contains(value) else { return nil }
        return value
    }
}
