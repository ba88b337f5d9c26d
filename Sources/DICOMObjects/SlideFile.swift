import DICOM
import Storage

/// A slide's level as a file whose tiles are written as they come: its pixels are never in memory together.
package enum SlideFile {
    /// Bytes of pixels that one object can hold, its other attributes beside them.
    package static let mostBytes = DataSetEncoder.maximumLength - (1 << 20)

    private static func frames(_ image: SlideImage) -> Int {
        let across = (image.columns + image.tileColumns - 1) / image.tileColumns
        return across * ((image.rows + image.tileRows - 1) / image.tileRows)
    }

    private static func tileBytes(_ image: SlideImage) -> Int {
        image.tileRows * image.tileColumns * image.samples * (image.bits > 8 ? 2 : 1)
    }

    /// Writes a TILED_FULL level; the file appears whole under its name or not at all.
    ///
    /// - Parameters:
    ///   - contents: what identifies the pixels: the UID is derived from it and from the attributes.
    ///   - next: the tiles from top to bottom and from left to right, each as `SlideImage.dataSet` takes it; nil behind the last.
    /// *Throws* `size`; `mismatch` for other tiles than there are; `illegal`; `StorageFailure`; what `next` throws. *Cost*: memory of
    /// one tile.
    package static func write(
        _ image: SlideImage, contents: String, to path: String, next: () throws -> [UInt8]?
    ) throws {
        let (frames, tileBytes) = (frames(image), tileBytes(image))
        let total = frames * tileBytes
        guard total <= mostBytes else { throw ObjectFailure.size("a slide of \(image.rows) × \(image.columns) pixels") }
        var head = try DataSetEncoder.file(
            try image.dataSet(frames: frames, pixels: [0, 0], contents: contents))
        // Pixel Data is the last element, and two bytes stand for it: its length is written anew.
        head.removeLast(2 + 4)
        head += UInt32(clamping: total + total % 2).littleEndianBytes
        var file = try DurableFile(path)
        try file.append(head)
        var written = 0
        while let tile = try next() {
            guard tile.count == tileBytes else {
                throw ObjectFailure.mismatch("a tile of \(tile.count) bytes instead of \(tileBytes)")
            }
            try file.append(tile)
            written += 1
        }
        guard written == frames else {
            throw ObjectFailure.mismatch("\(written) tiles instead of \(frames)")
        }
        if total % 2 == 1 { try file.append([0]) }
        try file.commit()
    }
}
