/// How a camera was held, as the EXIF blocks of a JPEG or PNG say: the Orientation that TIFF's tag 274 also has.
enum EXIFOrientation {
    /// 1…8; 1, which changes nothing, where nobody says it, or not in a way that can be obeyed: then with a warning.
    static func of(_ blocks: [EXIFBlock]) -> (orientation: Int, finding: RasterFinding?) {
        // Cameras that do not know how they are held write 0.
        let known = Set(blocks.compactMap(\.orientation).filter { $0 != 0 })
        func warning(_ text: String) -> RasterFinding {
            RasterFinding(.picture, isWarning: true, "\(text): the picture is not turned.")
        }
        guard let orientation = known.first else { return (1, nil) }
        guard known.count == 1 else { return (1, warning("two EXIF blocks say different orientations")) }
        guard (1...8).contains(orientation) else {
            return (1, warning("the EXIF orientation is damaged or none of those that there are (1 to 8)"))
        }
        return (orientation, nil)
    }
}
