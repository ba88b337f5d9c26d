package import Imaging

/// The total pixel matrix of a slide's level as a display shows it, in bands of one tile's height from top to bottom.
///
/// Each tile is decoded once, or twice where it lies across two bands. Where no tile lies the slide is glass: white in colour, black in
/// grey (fluorescence). *Cost*: memory of one band (3 bytes a pixel) and of one tile.
package struct SlideBands {
    private let volume: Volume
    private let matrix: SlideMatrix
    private let show: (Frame, SourceFrame) -> DisplayImage
    /// Frames by the bands that they reach into.
    private let frames: [[Int]]
    private var band = 0

    /// - Parameter show: a decoded tile as the display shows it.
    package init(_ volume: Volume, _ matrix: SlideMatrix, show: @escaping (Frame, SourceFrame) -> DisplayImage) {
        self.volume = volume
        self.matrix = matrix
        self.show = show
        var frames = [[Int]](repeating: [], count: (matrix.rows + volume.rows - 1) / volume.rows)
        for (index, origin) in matrix.origins.enumerated() {
            let last = min(origin.row + volume.rows, matrix.rows) - 1
            for band in origin.row / volume.rows...last / volume.rows { frames[band].append(index) }
        }
        self.frames = frames
    }

    /// Nil behind the last band. *Throws* what `FrameDecoding.frame` throws.
    package mutating func next(_ decoding: FrameDecoding) throws(DICOMFailure) -> DisplayImage? {
        guard band < frames.count else { return nil }
        let top = band * volume.rows
        let height = min(volume.rows, matrix.rows - top)
        var pixels = [UInt8](repeating: volume.samples == 3 ? 255 : 0, count: height * matrix.columns * 3)
        for index in frames[band] {
            let source = volume.frames[index]
            let tile = show(try decoding.frame(source), source)
            paste(tile, at: matrix.origins[index], top: top, height: height, into: &pixels)
        }
        band += 1
        return DisplayImage(rows: height, columns: matrix.columns, pixels: pixels)
    }

    private func paste(
        _ tile: DisplayImage, at origin: SlideMatrix.Origin, top: Int, height: Int, into pixels: inout [UInt8]
    ) {
        let width = min(tile.columns, matrix.columns - origin.column) * 3
        for row in max(origin.row, top)..<min(origin.row + tile.rows, top + height) {
            let from = (row - origin.row) * tile.columns * 3
            let to = ((row - top) * matrix.columns + origin.column) * 3
            pixels.replaceSubrange(to..<to + width, with: tile.pixels[from..<from + width])
        }
    }
}
