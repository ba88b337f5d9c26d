import Imaging

extension Volume {
    /// Where in the patient left, right, top and bottom of the first frame lie: `A`, `LP`, `LE`; empty where no letter is known. Nil
    /// for frames that do not lie in space.
    ///
    /// *Source*: PS3.3 2024e, C.7.6.1.1.1 and C.7.6.2.1.1.
    package var sides: [String]? {
        guard hasPlace, let plane = frames[0].plane else { return nil }
        let isQuadruped = first.dataSet.string(.anatomicalOrientationType) == "QUADRUPED"
        let (row, column) = (plane.rowCosine, plane.columnCosine)
        return [row * -1, row, column * -1, column].map(isQuadruped ? Self.quadrupedLetters : Self.letters)
    }

    /// A biped's sides in the order of their share.
    private static func letters(_ direction: Vector3) -> String {
        let parts = [(direction.x, "L", "R"), (direction.y, "P", "A"), (direction.z, "H", "F")]
            .filter { abs($0.0) > 0.25 }.sorted { abs($0.0) > abs($1.0) }
        return parts.prefix(2).map { $0.0 > 0 ? $0.1 : $0.2 }.joined()
    }

    /// Of a quadruped only left and right are told: what y and z are (dorsal, cranial, rostral, proximal) depends on the part of its
    /// body, which is not the same for trunk, head and limbs.
    private static func quadrupedLetters(_ direction: Vector3) -> String {
        guard abs(direction.x) > max(abs(direction.y), abs(direction.z)) else { return "" }
        return direction.x > 0 ? "LE" : "RT"
    }
}
