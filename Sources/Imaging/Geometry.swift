/// A vector in the patient's coordinate system. *Units*: mm; x to the left, y to the back, z to the head (PS3.3 C.7.6.2.1.1).
package struct Vector3: Sendable, Equatable {
    package var x: Double
    package var y: Double
    package var z: Double

    package init(_ x: Double, _ y: Double, _ z: Double) {
        self.x = x
        self.y = y
        self.z = z
    }

    package static func + (a: Vector3, b: Vector3) -> Vector3 { Vector3(a.x + b.x, a.y + b.y, a.z + b.z) }
    package static func - (a: Vector3, b: Vector3) -> Vector3 { Vector3(a.x - b.x, a.y - b.y, a.z - b.z) }
    package static func * (a: Vector3, s: Double) -> Vector3 { Vector3(a.x * s, a.y * s, a.z * s) }

    package func dot(_ o: Vector3) -> Double { x * o.x + y * o.y + z * o.z }

    package func cross(_ o: Vector3) -> Vector3 {
        Vector3(y * o.z - z * o.y, z * o.x - x * o.z, x * o.y - y * o.x)
    }

    package var length: Double { dot(self).squareRoot() }
}

/// Where a frame lies in the patient (Image Plane, PS3.3 C.7.6.2).
package struct Plane: Sendable, Equatable {
    /// Image Position (Patient): centre of the first pixel, mm.
    package var position: Vector3
    /// Direction of increasing column index, unit length.
    package var rowCosine: Vector3
    /// Direction of increasing row index, unit length.
    package var columnCosine: Vector3

    package init(position: Vector3, rowCosine: Vector3, columnCosine: Vector3) {
        self.position = position
        self.rowCosine = rowCosine
        self.columnCosine = columnCosine
    }

    /// Unit normal: row × column cosines.
    package var normal: Vector3 { rowCosine.cross(columnCosine) }
    /// Distance of the plane from the origin along its normal, mm.
    package var distance: Double { position.dot(normal) }
}

/// Distance between pixel centres, mm.
package struct PixelSpacing: Sendable, Equatable {
    /// Between rows (vertical).
    package var row: Double
    /// Between columns (horizontal).
    package var column: Double

    package init(row: Double, column: Double) {
        self.row = row
        self.column = column
    }
}
