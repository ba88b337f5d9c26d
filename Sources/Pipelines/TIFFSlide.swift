import DICOM
import DICOMObjects
import ImageFiles
import Imaging

/// A TIFF that is a whole slide: one picture of known scale that a slide scanner wrote, or that is too large to be held.
///
/// The level that suits each pipeline becomes a Whole Slide Microscopy object, whose tiles are written while the level is decoded band by
/// band: from then on it goes the way of every slide.
struct TIFFSlide {
    /// Of the tiles that are written.
    private static let tileSide = 512

    private let file: TIFFFile
    private let picture: TIFFPicture
    /// The finest first.
    private let levels: [TIFFLevel]
    /// Of the finest level.
    private let spacing: PixelSpacing

    /// Nil for a picture that is none.
    ///
    /// - Parameters:
    ///   - planes: those of the picture that a pipeline takes.
    ///   - spacing: what a sidecar says of the picture's pixels.
    /// *Throws* `ImageFilesFailure`.
    init?(
        _ file: TIFFFile, _ contents: TIFFContents, _ picture: TIFFPicture, _ planes: [TIFFPlane],
        spacing stated: PixelSpacing?
    ) throws(ImageFilesFailure) {
        guard planes.count == 1, let plane = planes.first, plane.inPage == 0,
            let spacing = stated ?? picture.calibration.spacing,
            contents.isOfSlideScanner || max(picture.rows, picture.columns) > RasterStudy.maxSide,
            Self.canBeTiles(try file.tags(plane.page), of: picture)
        else { return nil }
        levels = try file.levels(of: plane, in: picture)
        (self.file, self.picture, self.spacing) = (file, picture, spacing)
    }

    /// Samples that a slide's object can hold without a meaning of their own, upright.
    private static func canBeTiles(_ tags: TIFFFile.PageTags, of picture: TIFFPicture) -> Bool {
        let isColour = [2, 3, 6].contains(tags.photometric)
        return tags.orientation <= 1 && tags.depth == 1 && !picture.hasMeaning && [1, 4].contains(tags.format)
            && (isColour || tags.bits <= 16)
    }

    /// One level's distance of pixels.
    private func spacing(_ level: TIFFLevel) -> PixelSpacing {
        LevelReduction(of: (picture.rows, picture.columns), to: (level.rows, level.columns)).spacing(spacing)
    }

    /// What of the slide is decoded to find out which bits its colours use. *Throws* `ImageFilesFailure`.
    func survey(for pipelines: [PipelineDirectory]) throws(ImageFilesFailure) -> SampleSurvey {
        var survey = SampleSurvey()
        for index in chosen(for: pipelines).map(\.index) { survey.add(try file.survey(levels[index].plane)) }
        return survey
    }

    /// Levels that are written: for each pipeline the one that suits it, or the next that an object can hold.
    private func chosen(for pipelines: [PipelineDirectory]) -> [(index: Int, isCoarser: Bool)] {
        let sizes = levels.map {
            SlideLevels.Size(rows: $0.rows, columns: $0.columns, pixelMM: spacing($0).column)
        }
        // Nobody asks: what a look at the file costs least.
        let wanted =
            pipelines.isEmpty ? [levels.count - 1] : Set(pipelines.compactMap { SlideLevels.best(sizes, $0) }).sorted()
        var chosen: [(index: Int, isCoarser: Bool)] = []
        for index in wanted {
            let fitting = levels.indices.first { $0 >= index && mostBytes(levels[$0]) <= SlideFile.mostBytes }
            let taken = fitting ?? levels.count - 1
            if !chosen.contains(where: { $0.index == taken }) { chosen.append((taken, taken != index)) }
        }
        return chosen
    }

    private func mostBytes(_ level: TIFFLevel) -> Int {
        let side = Self.tileSide
        return (level.columns + side - 1) / side * ((level.rows + side - 1) / side) * side * side * 3
    }

    /// Writes the levels that the pipelines take into `folder` and reads them again.
    ///
    /// - Parameters:
    ///   - survey: of all files of the series.
    ///   - series: what tells this slide's series from others of the file and its study.
    ///   - number: the next instance's number in its series; moved on.
    /// *Throws* `ImageFilesFailure`, `ObjectFailure`, `StorageFailure`, `DICOMFailure`.
    func images(
        of source: RasterSource, for pipelines: [PipelineDirectory], survey: SampleSurvey, series: String,
        in folder: String, number: inout Int
    ) throws -> [(instance: SourceInstance, findings: [Finding])] {
        var images: [(instance: SourceInstance, findings: [Finding])] = []
        for (index, isCoarser) in chosen(for: pipelines) {
            var keys = source.keys
            (keys.series, keys.firstInstanceNumber) = (series, number)
            var identity = source.identity
            identity.series.uid = nil
            identity.spacingMM = nil
            let uid = DerivedUID.uid(.importedSeries, [series])
            let path = RasterStudy.path(in: folder, seriesInstanceUID: uid, number: number)
            let found = try write(
                levels[index], isFinest: index == 0, identity, keys, survey, digest: source.digest, to: path)
            var findings = findings(index, isCoarser: isCoarser) + found.map(Finding.init)
            if source.identity.series.uid != nil {
                findings.append(
                    Finding(
                        "RAS-LEVEL", .warning, "a slide is a series of its own: the sidecar's series UID is not used."))
            }
            images.append((try SourceInstance(try DICOMFile(path: path)), findings))
            number += 1
        }
        return images
    }

    private func findings(_ index: Int, isCoarser: Bool) -> [Finding] {
        if levels.count == 1 { return [] }
        let level = levels[index]
        let reason = isCoarser ? ": a finer one suits the pipeline better and is more than one object can hold." : "."
        return [
            Finding(
                "RAS-LEVEL", isCoarser ? .warning : .note,
                "of the slide's \(levels.count) levels number \(index + 1) was taken, \(level.rows) × \(level.columns) pixels\(reason)"
            )
        ]
    }

    /// Gives what a person should know of the level's pixels.
    private func write(
        _ level: TIFFLevel, isFinest: Bool, _ identity: StudyIdentity, _ keys: RasterObject.Keys,
        _ survey: SampleSurvey,
        digest: String, to path: String
    ) throws -> [RasterFinding] {
        var rows = try TIFFRows(file, level.plane, survey: survey)
        var next = try rows.next()
        let side = Self.tileSide
        var image = SlideImage(
            identity: identity, keys: keys,
            frameOfReferenceUID: DerivedUID.uid(.syntheticFrameOfReference, [keys.series, keys.study]),
            rows: level.rows, columns: level.columns, tileRows: min(side, (level.rows + 7) / 8 * 8),
            tileColumns: min(side, (level.columns + 7) / 8 * 8), spacing: spacing(level), samples: rows.samples)
        image.bits = rows.samples == 1 ? next?.bits ?? 8 : 8
        image.isResampled = !isFinest
        image.lossy = try file.loss(of: level.plane)?.stated
        image.time = try file.dateTime(of: level.plane).flatMap(JobTime.init(tiff:))
        var tiles = TileCutter(image)
        try SlideFile.write(
            image, contents: "\(digest) page \(level.plane.page) sample \(level.plane.sample ?? -1)", to: path
        ) {
            try tiles.next {
                defer { next = nil }
                return try next ?? rows.next()
            }
        }
        return rows.findings
    }
}

/// Rows that arrive from top to bottom, cut into tiles; what of a tile lies beyond the picture is glass: white in colour, black in grey.
private struct TileCutter {
    private let image: SlideImage
    /// Rows that have arrived and are not cut yet, from the top of the row of tiles on.
    private var bytes: [UInt8] = []
    private var top = 0
    private var left = 0

    init(_ image: SlideImage) { self.image = image }

    /// The next tile; nil behind the last, and where the rows end too early.
    mutating func next(_ more: () throws -> RasterPage?) throws -> [UInt8]? {
        guard top < image.rows else { return nil }
        let each = image.samples * (image.bits > 8 ? 2 : 1)
        let height = min(image.tileRows, image.rows - top), width = image.columns * each
        while bytes.count < height * width {
            guard let page = try more() else { return nil }
            bytes += image.samples == 3 ? page.values8 : page.bytes
        }
        var tile = [UInt8](
            repeating: image.samples == 3 ? 255 : 0, count: image.tileRows * image.tileColumns * each)
        let length = min(image.tileColumns, image.columns - left) * each
        for row in 0..<height {
            let (from, to) = (row * width + left * each, row * image.tileColumns * each)
            tile.replaceSubrange(to..<to + length, with: bytes[from..<from + length])
        }
        left += image.tileColumns
        if left >= image.columns {
            bytes.removeFirst(height * width)
            (left, top) = (0, top + image.tileRows)
        }
        return tile
    }
}
