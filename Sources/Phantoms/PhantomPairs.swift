import Storage

/// Training pairs: slices of phantom bodies as 8-bit pictures with their masks.
package enum PhantomPairs {
    /// Slices taken from each body, evenly over the stack: with and without the body in them.
    package static let slicesPerBody = 8

    /// Writes `count` pairs `images/SEED-SLICE.png` and `masks/SEED-SLICE.png`, from bodies with the seeds `seed`, `seed` + 1, …
    ///
    /// Pictures are windowed from −200 to 400 HU (centre 100, width 600). *Throws* as `PhantomStudy.write`.
    package static func writeBodies(_ count: Int, seed: UInt64, to folder: String) throws {
        let (images, masks) = (folder + "/images", folder + "/masks")
        try Folder.make(images)
        try Folder.make(masks)
        var written = 0
        var seed = seed
        while written < count {
            let body = BodyPhantom(seed: seed)
            for index in 0..<min(slicesPerBody, count - written) {
                let slice = (2 * index + 1) * body.slices.count / (2 * slicesPerBody)
                let name = PhantomStudy.numbered(String(seed), slice + 1) + ".png"
                try PhantomStudy.write(
                    grey: body.display(slice), rows: body.matrix.rows, columns: body.matrix.columns,
                    to: "\(images)/\(name)")
                try PhantomStudy.write(body.truth[slice], to: "\(masks)/\(name)")
                written += 1
            }
            seed &+= 1
        }
    }
}
