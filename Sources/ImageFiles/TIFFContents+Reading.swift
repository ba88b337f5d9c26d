import Imaging

extension TIFFContents {
    /// Reads directories and descriptions; no pixel is decoded.
    ///
    /// *Throws* `ImageFilesFailure`: `axes` when the descriptions contradict the pages, `truncated` when pictures are missing,
    /// `corrupt` when a page contradicts itself.
    init(_ file: TIFFFile) throws(ImageFilesFailure) {
        var pages: [TIFFFile.PageTags] = []
        for index in 0..<file.pageCount {
            try file.checkTags(index)
            pages.append(try file.tags(index))
        }
        self = try ContentsReader(file: file, pages: pages).contents()
    }
}

/// One reading of a file's descriptions.
struct ContentsReader {
    let file: TIFFFile
    let pages: [TIFFFile.PageTags]
    /// What each page says of itself (Image Description).
    let descriptions: [String]
    /// Pages, slices and channels together.
    static let mostPlanes = 100_000
    /// Bytes of all descriptions.
    private static let mostText = 64 << 20

    /// Of the first page.
    var description: String { descriptions.first ?? "" }

    /// *Throws* `ImageFilesFailure`: `limit` for descriptions that together are longer than any program writes.
    init(file: TIFFFile, pages: [TIFFFile.PageTags]) throws(ImageFilesFailure) {
        (self.file, self.pages) = (file, pages)
        var descriptions: [String] = [], bytes = 0
        for index in pages.indices {
            let value = try file.value(270, page: index)
            bytes += value?.byteCount ?? 0
            guard bytes <= Self.mostText else {
                throw ImageFilesFailure(
                    path: file.path, reason: .limit("has descriptions of more than \(Self.mostText >> 20) MiB"))
            }
            descriptions.append(value?.text ?? "")
        }
        self.descriptions = descriptions
    }

    func failure(_ reason: ImageFilesFailure.Reason) -> ImageFilesFailure {
        ImageFilesFailure(path: file.path, reason: reason)
    }

    func contents() throws(ImageFilesFailure) -> TIFFContents {
        if let vendor = try VendorFormat.name(of: file, description) { throw failure(.vendor(vendor)) }
        if let ome = OMEDescription(description) { return try contents(ome) }
        let isAperio = description.hasPrefix("Aperio"), isVentana = hasVentanaLevels
        let roles = try roles(isAperio: isAperio, isVentana: isVentana)
        if let imageJ = ImageJDescription(description) { return try contents(imageJ, roles) }
        if let count = try file.value(33629, page: 0)?.fractionCount, count > 1, try file.value(33628, page: 0) != nil {
            return try stack(.metaMorph, roles, counts: (1, count, 1), try resolution(roles), nil)
        }
        if let info = try file.value(34412, page: 0), let lsm = LSMDescription(info) { return try contents(lsm, roles) }
        if let shaped = ShapedDescription(String(description.prefix(65_536))) {
            if let contents = try contents(shaped, roles) { return contents }
        }
        return try plain(isAperio ? .aperio : isVentana ? .ventana : .none, roles)
    }

    // MARK: Roles

    private var hasVentanaLevels: Bool {
        descriptions.contains { $0.contains("level=0 mag=") }
    }

    /// What each page is for, by its flags, its description and its place in a pyramid.
    private func roles(isAperio: Bool, isVentana: Bool) throws(ImageFilesFailure) -> [TIFFContents.Role] {
        var roles: [TIFFContents.Role] = []
        for (index, page) in pages.enumerated() {
            let text = descriptions[index]
            if page.isMask {
                roles.append(.mask)
            } else if let role = Self.role(named: text, isAperio: isAperio, isVentana: isVentana) {
                roles.append(role)
            } else if isAperio, page.isReduced, !page.isTiled {
                roles.append(page.subfile == 9 ? .macro : .label)
            } else if isAperio, index == 1, !page.isTiled {
                roles.append(.thumbnail)
            } else {
                var isCopy = page.isReduced
                if !isCopy { isCopy = try isLevel(index, roles, isDescribed: isAperio) }
                roles.append(isCopy ? .smaller : .picture)
            }
        }
        keepWhole(&roles)
        setAside(&roles)
        return roles
    }

    private func area(_ index: Int) -> Int { pages[index].rows * pages[index].columns }

    /// Pages flagged as smaller copies of which no larger picture is there are pictures, whatever their flag says.
    private func keepWhole(_ roles: inout [TIFFContents.Role]) {
        // Something is a picture: of copies alone the largest.
        if !roles.contains(.picture) {
            let copies = roles.indices.filter { roles[$0] == .smaller }
            let first = copies.min { (-area($0), $0) < (-area($1), $1) } ?? roles.indices.first
            if let first { roles[first] = .picture }
        }
        let pictures = roles.indices.filter { roles[$0] == .picture }
        for index in roles.indices where roles[index] == .smaller && pages[index].isReduced {
            let isCopy = pictures.contains {
                pages[$0].rows > pages[index].rows || pages[$0].columns > pages[index].columns
            }
            if !isCopy { roles[index] = .picture }
        }
    }

    /// Beside a pyramid in tiles, pages in strips that are far smaller are the slide's label or overview, whoever wrote it.
    private func setAside(_ roles: inout [TIFFContents.Role]) {
        let pictures = roles.indices.filter { roles[$0] == .picture }
        guard let largest = pictures.max(by: { area($0) < area($1) }), pages[largest].isTiled,
            roles.indices.contains(where: { roles[$0] == .smaller && pages[$0].isTiled })
        else { return }
        for index in pictures where !pages[index].isTiled && area(index) <= area(largest) / 16 {
            roles[index] = .macro
        }
    }

    private static func role(named text: String, isAperio: Bool, isVentana: Bool) -> TIFFContents.Role? {
        if isAperio {
            let words = text.split(whereSeparator: { $0.isNewline }).dropFirst().first?.split(separator: " ").first
            let first = text.split(separator: " ").dropFirst().first
            for word in [words, first] {
                if word == "label" { return .label }
                if word == "macro" { return .macro }
            }
            return nil
        }
        switch text.trimmed.lowercased().replacing("_", with: " ") {
        case "label", "label image": return .label
        case "macro", "macro image": return .macro
        case "thumbnail": return .thumbnail
        case "probability image": return .mask
        default: break
        }
        if isVentana, let level = text.split(separator: " ").first(where: { $0.hasPrefix("level=") }) {
            return level == "level=0" ? .picture : .smaller
        }
        return nil
    }

    /// Whether a page that nothing flags is a smaller copy of the tiled page before it: of one kind and of one shape, and of one picture.
    ///
    /// - Parameter isDescribed: its program always writes it so.
    private func isLevel(
        _ index: Int, _ roles: [TIFFContents.Role], isDescribed: Bool
    ) throws(ImageFilesFailure) -> Bool {
        guard let last = roles.lastIndex(where: { $0 == .picture || $0 == .smaller }) else { return false }
        let (page, larger) = (pages[index], pages[last])
        guard larger.isTiled, page.isTiled, page.kind == larger.kind, page.rows > 0, page.columns > 0 else {
            return false
        }
        let (down, across) = (Double(larger.rows) / Double(page.rows), Double(larger.columns) / Double(page.columns))
        guard min(down, across) >= 1.5,
            abs(down - across) <= 0.02 * max(down, across) + 2 / Double(min(page.rows, page.columns))
        else { return false }
        if isDescribed { return true }
        return try file.showsTheSame(index, as: last)
    }

    // MARK: Pictures

    /// *Throws* `.distance` for slices that lie as far apart as none do. A picture of one slice may say anything of it.
    func check(_ calibration: PixelCalibration, slices: Int) throws(ImageFilesFailure) {
        if slices > 1, let problem = calibration.sliceProblem { throw failure(.distance(problem)) }
    }

    /// *Throws* `.axes` for pages of one stack that are numbered in another order than they stand in: which one holds is unknown. Pages
    /// that share a number are not numbered.
    ///
    /// *Source*: TIFF 6.0, section 12, PageNumber: "pages need not appear in numerical order".
    private func checkOrder(_ chosen: [Int]) throws(ImageFilesFailure) {
        var numbers: [Int] = []
        for index in chosen {
            guard let number = try file.value(297, page: index)?.whole.first else { return }
            numbers.append(number)
        }
        guard Set(numbers).count == numbers.count, numbers != numbers.sorted() else { return }
        throw failure(.axes("numbers the pages of a stack (PageNumber) in another order than they stand in"))
    }

    /// Samples of a pixel that are channels of their own: those of a grey page that are no alpha. 1 for everything else.
    func channelSamples(_ index: Int) throws(ImageFilesFailure) -> Int {
        let page = pages[index]
        guard page.photometric <= 1, page.samples > 1 else { return 1 }
        let extras = try file.value(338, page: index)?.whole ?? []
        return max(1, page.samples - extras.count { $0 == 1 || $0 == 2 })
    }

    /// The pages that are pictures: one stack when they are of one size, kind and scale, else each by itself.
    private func plain(_ program: TIFFContents.Program, _ roles: [TIFFContents.Role]) throws(ImageFilesFailure)
        -> TIFFContents
    {
        let chosen = pages.indices.filter { roles[$0] == .picture }
        if chosen.count == 1, pages[chosen[0]].depth > 1 {
            let calibration = try resolution(roles)
            return try stack(.sgiVolume, roles, counts: (1, pages[chosen[0]].depth, 1), calibration, nil)
        }
        for index in chosen where pages[index].depth > 1 {
            throw failure(.axes("holds several pages, one of them a volume of \(pages[index].depth) slices"))
        }
        var isStack = true
        for index in chosen.dropFirst() where isStack {
            isStack = try isOfOneStack(index, chosen[0], program)
        }
        if isStack, chosen.count > 1 { try checkOrder(chosen) }
        var pictures: [TIFFPicture] = []
        for group in isStack ? [chosen] : chosen.map({ [$0] }) {
            let samples = try channelSamples(group[0])
            guard group.count <= Self.mostPlanes / samples else {
                throw failure(.limit("holds more than \(Self.mostPlanes) pictures"))
            }
            var planes: [TIFFPlane] = []
            for (slice, page) in group.enumerated() {
                planes += TIFFPlane.planes(page: page, slice: slice, samples: samples)
            }
            let smaller = chosen.count == 1 ? pages.indices.filter { roles[$0] == .smaller } : []
            pictures.append(
                TIFFPicture(
                    rows: pages[group[0]].rows, columns: pages[group[0]].columns, planes: planes, channels: samples,
                    channelNames: [], slices: group.count, times: 1,
                    calibration: try calibration(of: group[0], program),
                    smaller: smaller,
                    values: nil))
        }
        return TIFFContents(program: program, roles: roles, pictures: pictures, findings: findings(roles), set: [])
    }

    private func findings(_ roles: [TIFFContents.Role]) -> [RasterFinding] {
        let others = roles.filter { $0 != .picture }
        guard !others.isEmpty else { return [] }
        let kinds = Set(others.map(\.rawValue)).sorted().joined(separator: ", ")
        return [
            RasterFinding(.pages, "\(others.count) pages are no pictures of their own and were left aside: \(kinds).")
        ]
    }

    /// Whether a page can be in one stack with the first: of one size and kind, and its pixels as large as far as pages say it.
    func isOfOneStack(
        _ index: Int, _ first: Int, _ program: TIFFContents.Program
    ) throws(ImageFilesFailure) -> Bool {
        let (page, other) = (pages[index], pages[first])
        guard page.size == other.size, page.kind == other.kind else { return false }
        switch program {
        case .zeissLSM: return true  // Its header speaks for all pages.
        case .imageJ:
            // So does the description of the first; further pages may repeat its resolution.
            return page.rowResolution == 0 || page.columnResolution == 0
                || page.rowResolution.isNear(other.rowResolution)
                    && page.columnResolution.isNear(other.columnResolution)
        default: return try calibration(of: index, program).isSame(as: calibration(of: first, program))
        }
    }

    /// One picture on axes whose planes are the file's pages, the channel fastest, or stand behind one another in one page.
    func stack(
        _ program: TIFFContents.Program, _ roles: [TIFFContents.Role],
        counts: (channels: Int, slices: Int, times: Int), _ calibration: PixelCalibration,
        _ values: ValueMapping?
    ) throws(ImageFilesFailure) -> TIFFContents {
        let chosen = pages.indices.filter { roles[$0] == .picture }
        let samples = try channelSamples(chosen[0])
        guard [counts.channels, counts.slices, counts.times].allSatisfy({ (1...Self.mostPlanes).contains($0) }),
            counts.channels * counts.slices * counts.times <= Self.mostPlanes / samples
        else { throw failure(.limit("says that it holds more than \(Self.mostPlanes) pictures, or none")) }
        let total = counts.channels * counts.slices * counts.times
        let first = pages[chosen[0]], isInOnePage = chosen.count == 1 && total > 1
        if isInOnePage, first.depth == 1 {
            guard first.compression == 1, !first.isTiled else {
                throw failure(
                    .axes("says that it holds \(total) pictures and has one page, which is compressed or in tiles"))
            }
            let following = try file.following(chosen[0])
            guard following >= total else {
                throw failure(.truncated("\(following) of \(total) pictures of the stack are in the file"))
            }
        }
        guard isInOnePage || chosen.count == total else {
            throw failure(.axes("says that it holds \(total) pictures and has \(chosen.count) pages"))
        }
        for index in chosen.dropFirst() {
            guard try isOfOneStack(index, chosen[0], program) else {
                throw failure(
                    .axes("says that its pages are one stack, and they differ in size, kind, orientation or resolution")
                )
            }
        }
        if !isInOnePage { try checkOrder(chosen) }
        try check(calibration, slices: counts.slices)
        var planes: [TIFFPlane] = []
        for index in 0..<total {
            planes += TIFFPlane.planes(
                page: isInOnePage ? chosen[0] : chosen[index], inPage: isInOnePage ? index : 0,
                channel: index % counts.channels, slice: index / counts.channels % counts.slices,
                time: index / counts.channels / counts.slices, samples: samples)
        }
        let picture = TIFFPicture(
            rows: first.rows, columns: first.columns, planes: planes,
            channels: counts.channels * samples, channelNames: [], slices: counts.slices, times: counts.times,
            calibration: calibration, smaller: [], values: values)
        return TIFFContents(program: program, roles: roles, pictures: [picture], findings: findings(roles), set: [])
    }

    // MARK: Calibration

    /// What the resolution tags of the first picture say.
    func resolution(_ roles: [TIFFContents.Role]) throws(ImageFilesFailure) -> PixelCalibration {
        try resolution(of: roles.firstIndex(of: .picture) ?? 0)
    }

    /// What a slide's description or the resolution tags say of a page.
    func calibration(of index: Int, _ program: TIFFContents.Program) throws(ImageFilesFailure) -> PixelCalibration {
        guard program == .aperio else { return try resolution(of: index) }
        let text = descriptions[index].isEmpty ? description : descriptions[index]
        guard let mpp = AperioDescription.pixelMicrometres(in: text) else { return try resolution(of: index) }
        let sizes = AperioDescription.sizes(in: text)
        guard sizes.isEmpty || sizes.contains(pages[index].size) else {
            return PixelCalibration(descriptionOfAnotherSizeBy: "Aperio", sizes[0])
        }
        if AperioDescription.magnificationContradicts(mpp, in: text) {
            return PixelCalibration(contradictedBy: "Aperio's magnification (AppMag)", "its size of a pixel (MPP)")
        }
        let own = PixelCalibration(program: "Aperio's MPP", rowMM: mpp / 1000, columnMM: mpp / 1000)
        return own.confirmed(by: try resolution(of: index), ("Aperio's MPP", "the resolution tags"))
    }

    /// What the resolution tags say of a page.
    func resolution(of index: Int) throws(ImageFilesFailure) -> PixelCalibration {
        let page = pages[index]
        guard page.rowResolution > 0, page.columnResolution > 0 else { return PixelCalibration() }
        guard let unit = try resolutionUnit(index) else {
            return PixelCalibration(notCalibratedBy: "A Resolution Unit that TIFF does not know")
        }
        return PixelCalibration(rows: page.rowResolution, columns: page.columnResolution, unit: unit)
    }
}

extension ContentsReader {
    /// Resolution Unit as it stands in the file, for libtiff passes over values that it does not know: an inch only where the tag
    /// is missing; nil for other values than those of the standard.
    ///
    /// *Source*: TIFF 6.0, section 8, ResolutionUnit.
    private func resolutionUnit(_ index: Int) throws(ImageFilesFailure) -> PixelCalibration.Unit? {
        guard let value = try file.value(296, page: index) else { return .inch }
        switch value.whole.first {
        case 1: return PixelCalibration.Unit.none
        case 2: return .inch
        case 3: return .centimetre
        default: return nil
        }
    }
}

extension TIFFFile.PageTags {
    var size: [Int] { [rows, columns] }
    /// What pages of one stack have in common.
    var kind: [Int] { [samples, bits, format, photometric, (2...8).contains(orientation) ? orientation : 1] }
}
