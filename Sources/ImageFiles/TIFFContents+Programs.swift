import Imaging
import Storage

extension ContentsReader {
    // MARK: ImageJ

    func contents(_ imageJ: ImageJDescription, _ roles: [TIFFContents.Role]) throws(ImageFilesFailure) -> TIFFContents {
        guard let axes = imageJ.axes else {
            throw failure(.axes("has an ImageJ description whose channels, slices and frames do not make its images"))
        }
        guard !imageJ.hasOtherFunction else {
            throw failure(.axes("has values that ImageJ calibrates with a curve, which is not known here"))
        }
        let chosen = roles.firstIndex(of: .picture) ?? 0, page = pages[chosen]
        var calibration = try resolution(of: chosen)
        if let own = imageJ.calibration(rowsPerUnit: page.rowResolution, columnsPerUnit: page.columnResolution) {
            calibration = own
        }
        // Signed samples have their sign already: ImageJ's line is the one that takes it back.
        let line = page.format == 2 ? nil : imageJ.values16
        let values = line.map { ValueMapping(slope: $0.slope, intercept: $0.intercept) }
        // A file of one picture says nothing of its number; pages behind it are frames.
        let count = roles.count { $0 == .picture }
        let axesOrPages = imageJ.images == 1 && count > 1 ? (channels: 1, slices: 1, times: count) : axes
        return try stack(.imageJ, roles, counts: axesOrPages, calibration, values)
    }

    // MARK: tifffile

    /// Nil when the description is not of these pages: another program changed the file and left it standing.
    func contents(
        _ shaped: ShapedDescription, _ roles: [TIFFContents.Role]
    ) throws(ImageFilesFailure) -> TIFFContents? {
        let chosen = pages.indices.filter { roles[$0] == .picture }
        let page = pages[chosen[0]]
        guard
            let axes = shaped.stack(
                rows: page.rows, columns: page.columns, samples: page.samples, isPlanar: page.isPlanar)
        else { return nil }
        var counts: (channels: Int, slices: Int, times: Int) = (1, 1, 1)
        var order: [Character] = []
        for (axis, count) in axes where count > 1 {
            let known: Character = axis == "C" || axis == "S" ? "C" : axis == "T" ? "T" : "Z"
            // More planes than a file can hold: not a description of this one.
            guard counts.channels * counts.slices * counts.times <= Self.mostPlanes / count else { return nil }
            switch known {
            case "C": counts.channels *= count
            case "T": counts.times *= count
            default: counts.slices *= count
            }
            if order.last != known { order.append(known) }
        }
        let total = counts.channels * counts.slices * counts.times
        guard total > 1 else { return nil }
        guard chosen.count == total || chosen.count == 1 else { return nil }
        if chosen.count == 1, page.depth == 1, !shaped.isTruncated { return nil }
        let isUsual = order == ["T", "Z", "C"].filter(order.contains)
        let samples = try channelSamples(chosen[0])
        guard Set(order).count == order.count, isUsual || samples == 1 else {
            throw failure(.axes("has axes that its description mixes"))
        }
        let calibration = try resolution(of: chosen[0])
        // The slowest axis first; a stack has the channel fastest.
        let stack = try stack(.tifffile, roles, counts: counts, calibration, nil)
        return isUsual ? stack : stack.reordered(order.reversed(), counts)
    }

    // MARK: Zeiss LSM

    func contents(_ lsm: LSMDescription, _ roles: [TIFFContents.Role]) throws(ImageFilesFailure) -> TIFFContents {
        let calibration = PixelCalibration(
            program: "The LSM header", rowMM: lsm.voxelMM.row, columnMM: lsm.voxelMM.column, sliceMM: lsm.voxelMM.slice
        ).confirmed(by: try resolution(roles), ("the LSM header", "the resolution tags"))
        return try stack(.zeissLSM, roles, counts: (1, lsm.slices, lsm.times), calibration, nil)
    }

    // MARK: OME

    func contents(_ ome: OMEDescription) throws(ImageFilesFailure) -> TIFFContents {
        guard ome.isWhole else { throw failure(.truncated("its OME description ends too early")) }
        let set = ome.set
        if ome.isElsewhere || ome.images.isEmpty {
            throw failure(.axes("is a part of an OME data set whose description stands in another file"))
        }
        func isOwn(_ block: OMEDescription.Block) -> Bool {
            if let uuid = block.uuid, let own = ome.uuid, !uuid.isEmpty { return uuid == own }
            return block.file.map { $0 == file.file.path.name.text } ?? true
        }
        var roles = [TIFFContents.Role](repeating: .smaller, count: pages.count)
        var pictures: [TIFFPicture] = []
        var isAsideOnly = true
        for image in ome.images {
            let first = image.blocks.first(where: isOwn)?.page ?? 0
            guard image.blocks.isEmpty || image.blocks.contains(where: isOwn) else { continue }
            guard pages.indices.contains(first) else {
                throw failure(.axes("has an OME description of more pages than it holds"))
            }
            let samples = try channelSamples(first)
            guard pages.count <= Self.mostPlanes / samples else {
                throw failure(.limit("holds more than \(Self.mostPlanes) pictures"))
            }
            guard let planes = image.planes(pages: pages.count, samples: samples, isOwn: isOwn), !planes.isEmpty else {
                throw failure(.axes("has an OME description that its pages contradict"))
            }
            let page = pages[planes[0].page]
            guard planes.allSatisfy({ pages[$0.page].size == page.size && pages[$0.page].kind == page.kind }),
                page.size == [image.rows, image.columns]
            else {
                throw failure(.axes("has an OME description of pictures of another size than its pages"))
            }
            guard image.samplesAre(bits: page.bits, format: page.format) else {
                throw failure(.axes("has an OME description of samples of another type than its pages"))
            }
            if image.sizes.isEmpty {
                for plane in planes where plane.page != planes[0].page {
                    guard try isOfOneStack(plane.page, planes[0].page, .none) else {
                        throw failure(.axes("has an OME description of one picture whose pages differ in resolution"))
                    }
                }
            }
            let expected = image.channelPlanes(samples: samples) * image.slices * image.times * samples
            guard planes.count == expected || !set.isEmpty else {
                throw failure(
                    .truncated("\(planes.count) of \(expected) planes of the OME description are in the file"))
            }
            try check(image.calibration, slices: image.slices)
            let role = Self.role(ofImage: image.name)
            for plane in planes { roles[plane.page] = role }
            if role == .picture { isAsideOnly = false }
            var picture = TIFFPicture(
                rows: page.rows, columns: page.columns, planes: planes,
                channels: image.channelPlanes(samples: samples) * samples,
                channelNames: image.described.map(\.name), slices: image.slices, times: image.times,
                calibration: image.sizes.isEmpty
                    ? try resolution(of: planes[0].page)
                    : image.calibration.confirmed(
                        by: try resolution(of: planes[0].page), ("the OME description", "the resolution tags")),
                smaller: [], values: nil)
            picture.isPart = planes.count < expected
            picture.significantBits = image.significantBits
            pictures.append(picture)
        }
        guard !pictures.isEmpty else { throw failure(.axes("has an OME description of other files alone")) }
        let used = Set(pictures.flatMap(\.planes).map(\.page))
        let sizes = Set(pictures.map { [$0.rows, $0.columns] })
        let unused = pages.indices.filter { !used.contains($0) && !pages[$0].isReduced && !pages[$0].isMask }
        guard unused.allSatisfy({ !sizes.contains(pages[$0].size) }) || !set.isEmpty else {
            throw failure(.axes("holds more pages than its OME description tells of"))
        }
        let wanted = isAsideOnly ? pictures : pictures.filter { roles[$0.planes[0].page] == .picture }
        let aside = pictures.count - wanted.count
        var findings: [RasterFinding] = []
        if aside > 0 {
            findings.append(
                RasterFinding(.pages, "\(aside) pictures of the slide's label or overview were left aside."))
        }
        if !unused.isEmpty {
            findings.append(
                RasterFinding(.pages, "\(unused.count) pages that the OME description does not name were left aside."))
        }
        if !set.isEmpty {
            findings.append(
                RasterFinding(.pages, "the file is one of an OME set of \(set.count) files, one study."))
        }
        return TIFFContents(program: .ome, roles: roles, pictures: wanted, findings: findings, set: set)
    }

    private static func role(ofImage name: String) -> TIFFContents.Role {
        switch name.trimmed.lowercased() {
        case "label", "label image": .label
        case "macro", "macro image", "overview": .macro
        case "thumbnail", "thumbnail image": .thumbnail
        default: .picture
        }
    }
}

extension TIFFContents {
    /// The same pages with their axes in another order, the fastest first.
    fileprivate func reordered(_ order: [Character], _ counts: (channels: Int, slices: Int, times: Int)) -> TIFFContents
    {
        let lengths: [Character: Int] = ["C": counts.channels, "Z": counts.slices, "T": counts.times]
        let pictures = pictures.map { picture in
            var picture = picture
            picture.planes = picture.planes.enumerated().map { index, plane in
                var rest = index, at: [Character: Int] = [:]
                for axis in order {
                    at[axis] = rest % (lengths[axis] ?? 1)
                    rest /= lengths[axis] ?? 1
                }
                return TIFFPlane(
                    page: plane.page, inPage: plane.inPage, sample: plane.sample, channel: at["C"] ?? 0,
                    slice: at["Z"] ?? 0, time: at["T"] ?? 0)
            }
            return picture
        }
        return TIFFContents(program: program, roles: roles, pictures: pictures, findings: findings, set: set)
    }
}

/// The header of a confocal microscope's file.
///
/// *Source*: Zeiss LSM 5 file format description, CZ_LSMINFO.
struct LSMDescription {
    let slices: Int
    let times: Int
    /// Sizes of a voxel.
    let voxelMM: (row: Double, column: Double, slice: Double)

    init?(_ value: TIFFValue) {
        guard value.byteCount >= 64, let depth = value.int32(at: 16), let count = value.int32(at: 24), depth > 0,
            count > 0,
            let column = value.double(at: 40), let row = value.double(at: 48), let slice = value.double(at: 56)
        else { return nil }
        (slices, times) = (depth, count)
        // In metres.
        voxelMM = (row * 1000, column * 1000, slice * 1000)
    }
}
