package import DICOM
package import DICOMObjects
import Imaging

/// A fluorescence slide: patches of nuclei here and there on a large dark slide, in two levels.
///
/// The slide is a grid of cells of 512 × 512 pixels; `filled` of them hold the picture of a `FluorescencePhantom`. Nothing of the whole
/// matrix is held, so slides of any size can be made.
package struct SlidePhantom: Sendable {
    package static let cell = 512
    package static let tile = 256
    /// Of the finest level, mm.
    package static let pixelMM = 0.0005

    /// Cells, top to bottom and left to right.
    package let cells: (rows: Int, columns: Int)
    /// Of the finest level; below `cells · 512` where edge tiles reach over the matrix.
    package let rows: Int
    package let columns: Int
    /// Nuclei by their cell (row-major), `[512 · 512]` grey, with their truth.
    private let patches: [Int: (values: [UInt8], truth: Mask)]

    /// - Parameter size: of the finest level; the last cells may reach over it.
    package init(seed: UInt64, rows: Int, columns: Int, filled: Int) {
        (self.rows, self.columns) = (rows, columns)
        cells = ((rows + Self.cell - 1) / Self.cell, (columns + Self.cell - 1) / Self.cell)
        var random = PhantomRandom(seed: seed &+ 0x51DE)
        var patches: [Int: (values: [UInt8], truth: Mask)] = [:]
        while patches.count < min(filled, cells.rows * cells.columns) {
            let index = random.integer(0...cells.rows * cells.columns - 1)
            guard patches[index] == nil else { continue }
            let phantom = FluorescencePhantom(seed: seed &+ UInt64(index), bits: 8)
            var values = [UInt8](repeating: 0, count: Self.cell * Self.cell)
            var truth = Mask(rows: Self.cell, columns: Self.cell)
            for row in 0..<FluorescencePhantom.rows {
                for column in 0..<FluorescencePhantom.columns {
                    values[row * Self.cell + column] = UInt8(
                        truncatingIfNeeded: phantom.values[row * FluorescencePhantom.columns + column])
                    if phantom.truth[row, column] { truth[row, column] = true }
                }
            }
            patches[index] = (values, truth)
        }
        self.patches = patches
    }

    /// Whether a pixel of the finest level lies in a nucleus.
    package func isNucleus(row: Int, column: Int) -> Bool {
        patches[row / Self.cell * cells.columns + column / Self.cell]?.truth[row % Self.cell, column % Self.cell]
            ?? false
    }

    /// Whether a patch lies within so many pixels of a place.
    package func isTissue(near row: Int, _ column: Int, within reach: Int) -> Bool {
        patches.keys.contains { index in
            let (top, left) = (index / cells.columns * Self.cell, index % cells.columns * Self.cell)
            return (top - reach..<top + Self.cell + reach).contains(row)
                && (left - reach..<left + Self.cell + reach).contains(column)
        }
    }

    /// A tile of a level, `[256 · 256]`; nil where the slide is empty.
    ///
    /// - Parameter factor: 1 (the finest level) or 2.
    func tile(row: Int, column: Int, factor: Int) -> [UInt8]? {
        let (top, left) = (row * Self.tile * factor, column * Self.tile * factor)
        guard top < cells.rows * Self.cell, left < cells.columns * Self.cell,
            let patch = patches[top / Self.cell * cells.columns + left / Self.cell]
        else { return nil }
        var pixels = [UInt8](repeating: 0, count: Self.tile * Self.tile)
        for y in 0..<Self.tile {
            for x in 0..<Self.tile {
                var sum = 0
                for dy in 0..<factor {
                    let start = (top % Self.cell + y * factor + dy) * Self.cell + left % Self.cell + x * factor
                    for dx in 0..<factor { sum += Int(patch.values[start + dx]) }
                }
                pixels[y * Self.tile + x] = UInt8(truncatingIfNeeded: sum / (factor * factor))
            }
        }
        return pixels.contains { $0 > 0 } ? pixels : nil
    }

    /// A level as objects.
    ///
    /// - Parameters:
    ///   - isSparse: TILED_SPARSE without the empty tiles; else TILED_FULL.
    ///   - parts: objects of a concatenation; 1 for none.
    /// *Throws* `ObjectFailure`.
    package func level(
        factor: Int, isSparse: Bool, parts: Int = 1, identity: StudyIdentity, keys: RasterObject.Keys,
        frameOfReferenceUID: String
    ) throws -> [DataSet] {
        let (rows, columns) = ((rows + factor - 1) / factor, (columns + factor - 1) / factor)
        var image = SlideImage(
            identity: identity, keys: keys, frameOfReferenceUID: frameOfReferenceUID, rows: rows, columns: columns,
            tileRows: Self.tile, tileColumns: Self.tile,
            spacing: PixelSpacing(row: Self.pixelMM * Double(factor), column: Self.pixelMM * Double(factor)), samples: 1
        )
        image.isResampled = factor > 1
        let empty = [UInt8](repeating: 0, count: Self.tile * Self.tile)
        var tiles: [(origin: SlideMatrix.Origin, pixels: [UInt8])] = []
        for row in 0..<(rows + Self.tile - 1) / Self.tile {
            for column in 0..<(columns + Self.tile - 1) / Self.tile {
                let pixels = tile(row: row, column: column, factor: factor)
                guard let pixels = pixels ?? (isSparse ? nil : empty) else { continue }
                tiles.append((.init(row: row * Self.tile, column: column * Self.tile), pixels))
            }
        }
        var objects: [DataSet] = []
        let uid = DerivedUID.uid(.phantom, ["concatenation", keys.series, String(factor)])
        for part in 0..<parts {
            let range = tiles.count * part / parts..<tiles.count * (part + 1) / parts
            image.origins = isSparse ? tiles[range].map(\.origin) : nil
            image.part = parts == 1 ? nil : .init(uid: uid, number: part + 1, count: parts, offset: range.lowerBound)
            image.keys.firstInstanceNumber = keys.firstInstanceNumber + part
            objects.append(try image.dataSet(frames: range.count, pixels: tiles[range].flatMap(\.pixels)))
        }
        return objects
    }

    /// A small picture of the slide's label, which is no tissue. *Throws* `ObjectFailure`.
    package func label(
        identity: StudyIdentity, keys: RasterObject.Keys, frameOfReferenceUID: String
    ) throws -> DataSet {
        var image = SlideImage(
            identity: identity, keys: keys, frameOfReferenceUID: frameOfReferenceUID, rows: 64, columns: 64,
            tileRows: 64, tileColumns: 64, spacing: PixelSpacing(row: 0.3, column: 0.3), samples: 1)
        image.flavor = .label
        return try image.dataSet(frames: 1, pixels: (0..<64 * 64).map { UInt8($0 / 64 * 4) })
    }
}
