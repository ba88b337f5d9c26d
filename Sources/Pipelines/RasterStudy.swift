import DICOM
import DICOMObjects
import ImageFiles
import Imaging
import Numbers
import Storage

/// TIFF pages, PNG and JPEG pictures to DICOM objects in the study's folder: from then on they are sources like any other.
///
/// *Source*: `docs/formats.md`, "TIFF, PNG and JPEG".
enum RasterStudy {
    private static let ending = ".image.dcm"

    /// Whether a file of a study's folder is such an image.
    static func isImage(_ name: String) -> Bool { name.hasSuffix(ending) }

    /// Where the image of a series that has this number is written.
    static func path(in folder: String, seriesInstanceUID: String, number: Int) -> String {
        let series = StudyNames.series(seriesInstanceUID)
        return Folder.join(folder, "\(series)-\(StudyNames.number(number, digits: 3))\(ending)")
    }

    /// Larger pages are read from their pyramid.
    static let maxSide = 8192
    /// Of all pages of a file together: a stack becomes one object, held in memory once.
    static let maxSamples = 1 << 28

    /// An image that was made, and which choices of planes it is the answer to.
    struct Image {
        let instance: SourceInstance
        var selections: Set<TIFFSelection>
        let findings: [Finding]
    }

    /// What the samples of a file need to be held in 16 bits. *Throws* as `images`.
    static func survey(_ source: RasterSource, _ request: RasterRequest) throws -> SampleSurvey {
        guard source.format == .tiff else {
            return try ImageFile.survey(source.file, source.format, limits: request.limits.images)
        }
        var survey = SampleSurvey()
        let file = try TIFFFile(source.file, limits: request.limits.images)
        for choice in try choices(file, source, request) {
            if let slide = choice.slide {
                survey.add(try slide.survey(for: request.pipelines(of: choice.selections)))
            } else {
                for plane in choice.planes { survey.add(try file.survey(plane)) }
            }
        }
        return survey
    }

    /// Writes the images of one file into `folder` and reads them again.
    ///
    /// - Parameters:
    ///   - request: what the pipelines ask for; one image for each choice of planes that differs.
    ///   - survey: of all files of the series.
    ///   - number: the next instance's number in its series; moved on.
    /// *Throws* `ImageFilesFailure`, `InputFailure.scale`, `ObjectFailure`, `StorageFailure`, `DICOMFailure`.
    static func images(
        of source: RasterSource, _ request: RasterRequest, survey: SampleSurvey, in folder: String, number: inout Int
    ) throws -> [Image] {
        guard source.format == .tiff else {
            let page = try ImageFile.picture(
                source.file, source.format, survey: survey, limits: request.limits.images)
            try checkScale(page.saysTwoScales, page.findings, source)
            return try write([page], source, request.selections, page.findings, folder, &number)
        }
        let file = try TIFFFile(source.file, limits: request.limits.images)
        var images: [Image] = []
        for choice in try choices(file, source, request) {
            try checkScale(
                choice.picture.calibration.saysTwoScales, choice.picture.calibration.findings, source)
            let findings = choice.findings + choice.picture.findings(choice.mostOpen)
            if let slide = choice.slide {
                let scales = contradictions(
                    source.identity.spacingMM, [choice.picture.calibration.spacing].compactMap { $0 })
                let levels = try slide.images(
                    of: source, for: request.pipelines(of: choice.selections), survey: survey,
                    series: choice.series(source),
                    in: folder, number: &number)
                images += levels.map {
                    Image(
                        instance: $0.instance, selections: choice.selections,
                        findings: (findings + choice.picture.calibration.findings + scales).map(Finding.init)
                            + $0.findings)
                }
                continue
            }
            var pages: [RasterPage] = []
            for plane in choice.planes { pages.append(try file.page(plane, of: choice.picture, survey: survey)) }
            images += try write(
                pages, source, choice.selections, try findings + missing(in: pages, file) + pages.flatMap(\.findings),
                folder, &number)
        }
        return images
    }

    /// *Throws* `InputFailure.scale` for a picture of which its file says two sizes of pixels, and nobody which is right.
    private static func checkScale(
        _ saysTwoScales: Bool, _ findings: [RasterFinding], _ source: RasterSource
    ) throws(InputFailure) {
        guard saysTwoScales, source.identity.spacingMM == nil else { return }
        let text = findings.last { $0.kind == .scale }?.text ?? "the file says two sizes of its pixels."
        throw .scale(
            text, cure: "Give the spacing in a sidecar (spacing_mm), or save the picture anew with one resolution.")
    }

    /// How many samples of a choice are no values. *Throws* `ImageFilesFailure.noValues` when all are.
    private static func missing(
        in pages: [RasterPage], _ file: TIFFFile
    ) throws(ImageFilesFailure) -> [RasterFinding] {
        let missing = pages.reduce(0) { $0 + $1.missing }, all = pages.reduce(0) { $0 + $1.values.count }
        guard missing > 0 else { return [] }
        guard missing < all else { throw ImageFilesFailure(path: file.path, reason: .noValues) }
        return [
            RasterFinding(
                .values, isWarning: true,
                "\(missing) of \(all) samples are NaN, infinite, beyond 10^12 or what the file calls no measurement: they are taken for padding."
            )
        ]
    }

    private static func write(
        _ pages: [RasterPage], _ source: RasterSource, _ selections: Set<TIFFSelection>, _ findings: [RasterFinding],
        _ folder: String, _ number: inout Int
    ) throws -> [Image] {
        var keys = source.keys
        keys.firstInstanceNumber = number
        var identity = source.identity
        // A sidecar speaks of the picture, not of the copy of it that was taken.
        if let reduction = pages.first?.reduction {
            identity.spacingMM = identity.spacingMM.map(reduction.spacing)
        }
        let findings = findings + contradictions(identity.spacingMM, pages.compactMap(\.spacing))
        var images: [Image] = []
        for object in try RasterObject.objects(pages.map(RasterPixels.init), identity: identity, keys: keys) {
            let path = path(in: folder, seriesInstanceUID: source.seriesInstanceUID, number: number)
            try ObjectFile.write(object.dataSet, to: path)
            images.append(
                Image(
                    instance: try SourceInstance(try DICOMFile(path: path)), selections: selections,
                    findings: findings.map(Finding.init)))
            number += 1
        }
        return images
    }

    /// Where a sidecar says another scale than the file.
    private static func contradictions(_ stated: PixelSpacing?, _ own: [PixelSpacing]) -> [RasterFinding] {
        // A hundredth is rounding.
        guard let stated, let own = own.first(where: { !$0.isNear(stated, within: 0.01) }) else { return [] }
        return [
            RasterFinding(
                .scale, isWarning: true,
                "the sidecar says pixels of \(NumberText.size(mm: stated.row, stated.column)), the file \(NumberText.size(mm: own.row, own.column)): the sidecar's are taken."
            )
        ]
    }

    // MARK: Which planes

    private struct Choice {
        let picture: TIFFPicture
        var planes: [TIFFPlane]
        var selections: Set<TIFFSelection>
        var findings: [RasterFinding]
        var slide: TIFFSlide?

        /// Of the pipelines that share it one that names no channel, if there is one: then a person has to.
        var mostOpen: TIFFSelection {
            selections.first { $0.channel == nil } ?? selections.first ?? TIFFSelection()
        }

        /// What a slide's series is derived from: several planes of a file, or slides of one folder, are several slides.
        func series(_ source: RasterSource) -> String {
            let plane = planes[0]
            return "\(source.digest) slide \(plane.page) \(plane.sample ?? 0)"
        }
    }

    /// The pictures that are segmented, by what the pipelines ask for: their planes, or, of a picture too large that is no slide,
    /// its largest copy that is not.
    private static func choices(
        _ file: TIFFFile, _ source: RasterSource, _ request: RasterRequest
    ) throws -> [Choice] {
        let contents = try file.contents()
        var choices: [Choice] = [], total = 0
        for picture in contents.pictures {
            var ofPicture: [Choice] = []
            for selection in request.selections.sorted(by: { "\($0)" < "\($1)" }) {
                let planes = try picture.planes(selection, path: file.path)
                // A volume is the slices of one time.
                let parts =
                    picture.isVolume
                    ? Dictionary(grouping: planes, by: \.time).sorted { $0.key < $1.key }.map(\.value) : [planes]
                for part in parts {
                    if let same = ofPicture.firstIndex(where: { $0.planes == part }) {
                        ofPicture[same].selections.insert(selection)
                        continue
                    }
                    ofPicture.append(
                        Choice(
                            picture: picture, planes: part, selections: [selection], findings: contents.findings,
                            slide: try TIFFSlide(
                                file, contents, picture, part, spacing: source.identity.spacingMM)))
                }
            }
            choices += ofPicture
        }
        for index in choices.indices where choices[index].slide == nil {
            choices[index] = try held(choices[index], file)
            total += try samples(choices[index].planes, file)
            guard total <= maxSamples else {
                throw ImageFilesFailure(
                    path: file.path, reason: .limit("holds more than \(maxSamples) samples in its pages"))
            }
        }
        return choices
    }

    private static func samples(_ planes: [TIFFPlane], _ file: TIFFFile) throws(ImageFilesFailure) -> Int {
        var total = 0
        for plane in planes {
            let tags = try file.tags(plane.page)
            let isColour = plane.sample == nil && [2, 3, 6].contains(tags.photometric)
            total += tags.rows * tags.columns * (isColour ? 3 : 1)
        }
        return total
    }

    /// What is held of a choice: all of it, or of a picture that is too large and no slide the largest copy that is not.
    private static func held(_ choice: Choice, _ file: TIFFFile) throws(ImageFilesFailure) -> Choice {
        let picture = choice.picture, size = "\(picture.rows) × \(picture.columns) pixels"
        guard max(picture.rows, picture.columns) > maxSide else { return choice }
        guard choice.planes.count == 1,
            let copy = try file.levels(of: choice.planes[0], in: picture).first(where: {
                max($0.rows, $0.columns) <= maxSide
            })
        else {
            throw ImageFilesFailure(
                path: file.path,
                reason: .limit(
                    "has a page of \(size) and no copy within \(maxSide), and does not say how large its pixels are"))
        }
        let finding = RasterFinding(
            .level, isWarning: true,
            "the picture has \(size), more than \(maxSide) a side: its copy of \(copy.rows) × \(copy.columns) was taken."
        )
        var held = choice
        held.planes = [copy.plane]
        held.findings.append(finding)
        return held
    }
}

extension Finding {
    init(_ finding: RasterFinding) {
        self.init(finding.kind.rawValue, finding.isWarning ? .warning : .note, finding.text)
    }
}

extension RasterPixels {
    /// A page as the object's writer takes it.
    init(_ page: RasterPage) {
        self.init(rows: page.rows, columns: page.columns, samples: page.samples, bits: page.bits, values: page.values)
        spacing = page.spacing
        positionMM = page.positionMM
        pixelAspect = page.pixelAspect
        if let mapping = page.mapping, page.samples == 1 {
            rescale = (mapping.slope, mapping.intercept)
            if mapping.hasPadding { padding = 0 }
            if mapping.slope != 1 || mapping.hasPadding {
                derivation = "value = stored * \(mapping.slope) + \(mapping.intercept)"
            }
        }
        lossy = page.loss?.stated
        time = page.dateTime.flatMap(JobTime.init(tiff:))
    }
}

extension RasterPage.LossyCompression {
    /// As an object states it.
    var stated: (method: String?, ratio: Double) { (method, max(1, ratio).rounded(decimals: 2)) }
}

extension JobTime {
    /// TIFF's tag 306, `YYYY:MM:DD HH:MM:SS`; nil for what is no date.
    init?(tiff text: String) {
        let digits = text.filter(\.isNumber)
        self.init(date: String(digits.prefix(8)), time: String(digits.dropFirst(8).prefix(6)))
    }
}
