import DICOM

extension Volume {
    /// An object may lie in several of its frames: slices of one volume in space.
    var reachesOverSlices: Bool { kind == .spatial && frames.count > 1 }
}
