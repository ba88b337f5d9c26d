import DICOM
import DICOMObjects
import ImageFiles
import Numbers
import Storage

/// TIFF pages, PNG and JPEG pictures to DICOM objects in the study's folder: from then on they are sources like any other.
///
/// *Source*: the design page on DICOM, sections 5.1 and 5.2.
enum RasterStudy {
    private static let ending = ".image.dcm"

    /// Whether a file of a study's folder is such an image.
    static func isImage(_ name: String) -> Bool { name.hasSuffix(ending) }

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
    static func survey(_ source: RasterSource, _ selections: Set<TIFFSelection>) throws -> SampleSurvey {
        var survey = SampleSurvey()
        guard source.format == .tiff else { return survey }
        let file = try TIFFFile(source.file)
        for choice in try choices(file, selections) {
            for plane in choice.planes { survey.add(try file.survey(plane)) }
        }
        return survey
    }

    /// Writes the images of one file into `folder` and reads them again.
    ///
    /// - Parameters:
    ///   - selections: what the pipelines ask for; one image for each that differs.
    ///   - survey: of all files of the series.
    ///   - number: the next instance's number in its series; moved on.
    /// *Throws* `ImageFilesFailure`, `ObjectFailure`, `StorageFailure`, `DICOMFailure`.
    static func images(
        of source: RasterSource, _ selections: Set<TIFFSelection>, survey: SampleSurvey, in folder: String,
        number: inout Int
    ) throws -> [Image] {
        guard source.format == .tiff else {
            let page = try ImageFile.picture(source.file, source.format)
            return try write([page], source, selections, page.findings, folder, &number)
        }
        let file = try TIFFFile(source.file)
        var images: [Image] = []
        for choice in try choices(file, selections) {
            var pages: [RasterPage] = []
            for plane in choice.planes { pages.append(try file.page(plane, of: choice.picture, survey: survey)) }
            let findings =
                choice.findings + choice.picture.findings(choice.selections.first ?? TIFFSelection())
                + pages.flatMap(\.findings)
            images += try write(pages, source, choice.selections, findings, folder, &number)
        }
        return images
    }

    private static func write(
        _ pages: [RasterPage], _ source: RasterSource, _ selections: Set<TIFFSelection>, _ findings: [RasterFinding],
        _ folder: String, _ number: inout Int
    ) throws -> [Image] {
        var keys = source.keys
        keys.firstInstanceNumber = number
        var images: [Image] = []
        for object in try RasterObject.objects(pages.map(RasterPixels.init), identity: source.identity, keys: keys) {
            let series = StudyNames.series(source.seriesInstanceUID)
            let path = Folder.join(folder, "\(series)-\(StudyNames.number(number, digits: 3))\(ending)")
            try ObjectFile.write(object.dataSet, to: path)
            images.append(
                Image(
                    instance: try SourceInstance(try DICOMFile(path: path)), selections: selections,
                    findings: findings.map(Finding.init)))
            number += 1
        }
        return images
    }

    // MARK: Which planes

    private struct Choice {
        let picture: TIFFPicture
        let planes: [TIFFPlane]
        var selections: Set<TIFFSelection>
        let findings: [RasterFinding]
    }

    /// The pictures that are segmented, by what the pipelines ask for: their planes, or, of a picture too large, its largest copy
    /// that is not.
    private static func choices(_ file: TIFFFile, _ selections: Set<TIFFSelection>) throws -> [Choice] {
        let contents = try file.contents()
        var choices: [Choice] = [], total = 0
        func count(_ planes: [TIFFPlane]) throws {
            for plane in planes {
                let tags = try file.tags(plane.page)
                let isColour = plane.sample == nil && [2, 3, 6].contains(tags.photometric)
                total += tags.rows * tags.columns * (isColour ? 3 : 1)
            }
            guard total <= maxSamples else {
                throw ImageFilesFailure(
                    path: file.path, reason: .limit("holds more than \(maxSamples) samples in its pages"))
            }
        }
        for picture in contents.pictures {
            var ofPicture: [Choice] = []
            for selection in selections.sorted(by: { "\($0)" < "\($1)" }) {
                var planes = try picture.planes(selection, path: file.path)
                if max(picture.rows, picture.columns) > maxSide {
                    planes = [try copy(of: picture, file)]
                }
                // A volume is the slices of one time.
                let parts =
                    picture.isVolume
                    ? Dictionary(grouping: planes, by: \.time).sorted { $0.key < $1.key }.map(\.value) : [planes]
                for part in parts {
                    if let same = ofPicture.firstIndex(where: { $0.planes == part }) {
                        ofPicture[same].selections.insert(selection)
                        continue
                    }
                    try count(part)
                    ofPicture.append(
                        Choice(picture: picture, planes: part, selections: [selection], findings: contents.findings))
                }
            }
            choices += ofPicture
        }
        return choices
    }

    private static func copy(of picture: TIFFPicture, _ file: TIFFFile) throws -> TIFFPlane {
        for index in picture.smaller where picture.planes.count == 1 {
            let tags = try file.tags(index)
            if max(tags.rows, tags.columns) <= maxSide { return .page(index) }
        }
        throw ImageFilesFailure(
            path: file.path,
            reason: .limit("has a page of \(picture.rows) × \(picture.columns) pixels and no copy within \(maxSide)"))
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
        lossy = page.loss.map { ($0.method, max(1, $0.ratio).rounded(decimals: 2)) }
        let digits = (page.dateTime ?? "").filter(\.isNumber)
        time = JobTime(date: String(digits.prefix(8)), time: String(digits.dropFirst(8).prefix(6)))
    }
}
