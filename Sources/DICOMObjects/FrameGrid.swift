import DICOM

/// The grid that the frames of a segmentation lie on: the source's own, or a regular one made of it.
struct FrameGrid {
    let rows: Int
    let columns: Int
    /// For each frame that an object can have the frame of the volume that it is made of.
    let sources: [Int]
    /// Nil for the source's own.
    let regular: RegularGrid?

    /// *Throws* `mismatch` where a regular grid is asked for and the volume is one already; what `RegularGrid` throws.
    init(_ volume: Volume, _ options: Segmentation.Options) throws(ObjectFailure) {
        if options.isRegular {
            guard let grid = try RegularGrid(volume) else {
                throw .mismatch("a regular grid of a volume that has none or is one")
            }
            (rows, columns, sources, regular) = (grid.rows, grid.columns, grid.sources, grid)
        } else {
            (rows, columns, regular) = (volume.rows, volume.columns, nil)
            sources = Array(volume.frames.indices)
        }
    }

    var framePixels: Int { rows * columns }
}
