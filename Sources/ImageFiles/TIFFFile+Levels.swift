import CImageFiles

/// A picture of a pyramid: the picture itself or a smaller copy of it.
package struct TIFFLevel: Sendable, Hashable {
    /// A page of the file, or a directory below one.
    package let plane: TIFFPlane
    package let rows: Int
    package let columns: Int
}

extension TIFFFile {
    /// A plane and the smaller copies of it, the largest first: pages of the chain, and directories below the plane's page (SubIFDs).
    ///
    /// A copy has the picture's shape and kind of pixels; of two of one size the first is kept.
    /// *Throws* `ImageFilesFailure`: `axes` for a directory below the page that is larger than the page, `corrupt` for one that contradicts
    /// itself.
    package func levels(of plane: TIFFPlane, in picture: TIFFPicture) throws(ImageFilesFailure) -> [TIFFLevel] {
        let whole = try tags(plane.page)
        var levels = [TIFFLevel(plane: plane, rows: whole.rows, columns: whole.columns)]
        guard plane.inPage == 0, whole.depth == 1 else { return levels }
        let below = try subdirectories(plane.page)
        for index in (picture.planes.count == 1 ? picture.smaller : []) + below {
            // What cannot be described is no copy.
            guard let copy = try? tags(index), copy.isCopy(of: whole) else { continue }
            if below.contains(index), !copy.isReduced, copy.rows < whole.rows,
                try !showsTheSame(index, as: plane.page)
            {
                continue
            }
            guard copy.rows <= whole.rows, copy.columns <= whole.columns else {
                throw failure(.axes("has a page whose smaller copies are larger than it is"))
            }
            try checkTags(index)
            levels.append(TIFFLevel(plane: plane.at(page: index), rows: copy.rows, columns: copy.columns))
        }
        levels.sort { ($0.rows * $0.columns, $1.plane.page) > ($1.rows * $1.columns, $0.plane.page) }
        var seen: Set<[Int]> = []
        return levels.filter { seen.insert([$0.rows, $0.columns]).inserted }
    }

    /// What to say of pictures below a page (SubIFDs) that are no smaller copies of it: they are not read.
    ///
    /// *Throws* `ImageFilesFailure.axes` where one is larger than the page, as below the preview that cameras and scanners put first.
    func besides(_ index: Int) throws(ImageFilesFailure) -> RasterFinding? {
        let page = try tags(index)
        var others = 0
        for below in try subdirectories(index) {
            // What cannot be described, or has no size, is no picture.
            guard let picture = try? tags(below), picture.rows > 0, picture.columns > 0 else { continue }
            guard picture.rows <= page.rows, picture.columns <= page.columns else {
                throw failure(.axes("has a picture below a page (SubIFD) that is larger than the page"))
            }
            let isSmaller = picture.rows < page.rows || picture.columns < page.columns
            if picture.isMask || isSmaller && picture.isReduced { continue }
            if isSmaller, picture.isCopy(of: page), try showsTheSame(below, as: index) { continue }
            others += 1
        }
        guard others > 0 else { return nil }
        return RasterFinding(
            .pages, isWarning: true,
            "\(others) pictures below a page (SubIFDs) are no smaller copies of it, and are not read.")
    }

    /// Indices of the directories below a page (SubIFDs).
    private func subdirectories(_ index: Int) throws(ImageFilesFailure) -> Range<Int> {
        if let known = knownSubdirectories[index] { return known }
        var first: UInt32 = 0, count: UInt32 = 0
        var error = ci_error()
        guard ci_tiff_subdirectories(handle, UInt32(clamping: index), &first, &count, &error) == CI_OK else {
            throw failure(error)
        }
        let range = Int(first)..<Int(first) + Int(count)
        knownSubdirectories[index] = range
        return range
    }
}

extension TIFFPlane {
    /// The same plane in a page that is a smaller copy of its page.
    fileprivate func at(page: Int) -> TIFFPlane {
        TIFFPlane(page: page, inPage: 0, sample: sample, channel: channel, slice: slice, time: time)
    }
}

extension TIFFFile.PageTags {
    /// Whether a page shows what another one shows, smaller or larger: of its shape and its kind of pixels.
    func isCopy(of other: TIFFFile.PageTags) -> Bool {
        func shown(_ photometric: Int) -> Int { photometric == 6 ? 2 : photometric }
        guard samples == other.samples, bits == other.bits, format == other.format,
            shown(photometric) == shown(other.photometric), orientation == other.orientation, rows > 0, columns > 0
        else { return false }
        let (down, across) = (Double(other.rows) / Double(rows), Double(other.columns) / Double(columns))
        // Sides of copies are rounded up or down.
        return abs(down - across) <= 0.02 * max(down, across) + 2 / Double(min(rows, columns))
            * max(1, min(down, across))
    }
}
