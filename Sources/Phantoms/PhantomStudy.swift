import DICOMObjects
import DICOM
import ImageFiles
import Imaging
import Storage

/// Synthetic studies as files, with their truth beside them.
///
/// The study's files stand in `folder`; `folder.truth` holds masks as PNG (255 inside) and `truth.json`.
package struct PhantomStudy: Sendable {
    /// What the pictures show.
    package enum Kind: String, Sendable, CaseIterable {
        case dermoscopy, fluorescence, body, slide
    }

    /// Of this study.
    package let kind: Kind
    /// Of its random numbers.
    package let seed: UInt64

    /// Of a body.
    package let matrix: BodyPhantom.Matrix

    /// Nothing is made before `write`.
    package init(_ kind: Kind, seed: UInt64, matrix: BodyPhantom.Matrix = .init()) {
        self.kind = kind
        self.seed = seed
        self.matrix = matrix
    }

    /// Writes the study and its truth; both folders are made.
    ///
    /// The same seed gives the same bytes. *Throws* `StorageFailure`, `ObjectFailure`, `ImageFilesFailure`.
    package func write(to folder: String) throws {
        let folder = Self.trimmed(folder)
        let truth = Self.truthFolder(of: folder)
        try Folder.make(folder)
        try Folder.make(truth)
        var found = PhantomTruth(kind: kind.rawValue, seed: String(seed), images: [])
        switch kind {
        case .dermoscopy: found.images = try dermoscopy(folder, truth)
        case .fluorescence: found.images = try fluorescence(folder, truth)
        case .body: (found.images, found.stack) = try body(folder, truth)
        case .slide: found.images = try slide(folder, truth)
        }
        try DurableFile.write(try found.json, to: truth + "/truth.json")
    }

    /// Where the truth of a study in `folder` stands.
    package static func truthFolder(of folder: String) -> String { trimmed(folder) + ".truth" }

    private static func trimmed(_ folder: String) -> String {
        var folder = folder
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        return folder
    }

    private func dermoscopy(_ folder: String, _ truth: String) throws -> [PhantomTruth.Image] {
        let phantom = DermoscopyPhantom(seed: seed)
        let pixels = RasterPixels(
            rows: phantom.picture.rows, columns: phantom.picture.columns, samples: 3, bits: 8,
            values: phantom.picture.pixels.map(UInt16.init))
        let objects = try RasterObject.objects([pixels], identity: identity, keys: .init(study: key, series: key))
        for object in objects { try ObjectFile.write(object.dataSet, to: folder + "/lesion.dcm") }
        try Self.write(phantom.truth, to: truth + "/lesion.png")
        return objects.map {
            PhantomTruth.Image(
                file: "lesion.dcm", mask: "lesion.png", pixels: phantom.truth.count, sopInstanceUID: $0.sopInstanceUID)
        }
    }

    private func fluorescence(_ folder: String, _ truth: String) throws -> [PhantomTruth.Image] {
        var images: [PhantomTruth.Image] = []
        for (index, bits) in [8, 16].enumerated() {
            let phantom = FluorescencePhantom(seed: seed, bits: bits)
            let (rows, columns) = (FluorescencePhantom.rows, FluorescencePhantom.columns)
            let page = RasterPage(rows: rows, columns: columns, samples: 1, bits: bits, values: phantom.values)
            let name = "nuclei-\(index + 1)"
            try DurableFile.write(try ImageFile.tiff([page]), to: "\(folder)/\(name).tif")
            try Self.write(phantom.truth, to: "\(truth)/\(name).png")
            images.append(
                .init(
                    file: "\(name).tif", mask: "\(name).png", pixels: phantom.truth.count, nuclei: phantom.nuclei))
        }
        try DurableFile.write(sidecar, to: folder + "/hspsam-study.yaml")
        return images
    }

    private func body(
        _ folder: String, _ truth: String
    ) throws -> (images: [PhantomTruth.Image], stack: PhantomTruth.Stack) {
        let phantom = BodyPhantom(seed: seed, matrix: matrix)
        var identity = identity
        identity.study.uid = uid("study")
        identity.series.uid = uid("series")
        let count = phantom.slices.count
        var slices: [PhantomTruth.Image] = []
        for index in 0..<count {
            // Numbered against the geometric order, so that a reader who sorts by number turns the volume over.
            let number = count - index
            let image = CTImage(
                identity: identity, frameOfReferenceUID: uid("frame of reference"),
                sopInstanceUID: uid("slice \(index)"),
                instanceNumber: number, time: Self.time, plane: phantom.planes[index], spacing: phantom.spacing,
                sliceThickness: phantom.sliceSpacing, rows: phantom.matrix.rows, columns: phantom.matrix.columns,
                values: phantom.slices[index])
            let name = Self.numbered("slice", number)
            try ObjectFile.write(image.dataSet, to: "\(folder)/\(name).dcm")
            let mask = Self.numbered("mask", index + 1)
            try Self.write(phantom.truth[index], to: "\(truth)/\(mask).png")
            let position = phantom.planes[index].position
            slices.append(
                .init(
                    file: "\(name).dcm", mask: "\(mask).png", pixels: phantom.truth[index].count,
                    sopInstanceUID: image.sopInstanceUID, position: [position.x, position.y, position.z]))
        }
        let (row, column) = (phantom.planes[0].rowCosine, phantom.planes[0].columnCosine)
        return (
            slices,
            .init(
                volume: phantom.volumeML, rows: phantom.matrix.rows, columns: phantom.matrix.columns,
                pixelSpacing: [phantom.spacing.row, phantom.spacing.column], sliceSpacing: phantom.sliceSpacing,
                orientation: [row.x, row.y, row.z, column.x, column.y, column.z])
        )
    }

    /// Two levels and a label of a slide, tissue in a few places.
    private func slide(_ folder: String, _ truth: String) throws -> [PhantomTruth.Image] {
        let phantom = SlidePhantom(seed: seed, rows: 2000, columns: 3000, filled: 5)
        var mask = Mask(rows: phantom.rows, columns: phantom.columns)
        for row in 0..<phantom.rows {
            for column in 0..<phantom.columns where phantom.isNucleus(row: row, column: column) {
                mask[row, column] = true
            }
        }
        try Self.write(mask, to: truth + "/level-1.png")
        var identity = identity
        identity.study.uid = uid("study")
        identity.series.uid = uid("series")
        var keys = RasterObject.Keys(study: key, series: key)
        let reference = uid("frame of reference")
        var images: [PhantomTruth.Image] = []
        for (index, factor) in [1, 2].enumerated() {
            keys.firstInstanceNumber = index + 1
            let objects = try phantom.level(
                factor: factor, isSparse: factor == 1, identity: identity, keys: keys, frameOfReferenceUID: reference)
            for object in objects {
                try ObjectFile.write(object, to: "\(folder)/level-\(index + 1).dcm")
                guard factor == 1 else { continue }
                images.append(
                    .init(
                        file: "level-1.dcm", mask: "level-1.png", pixels: mask.count,
                        sopInstanceUID: object.string(.sopInstanceUID)))
            }
        }
        keys.firstInstanceNumber = 3
        let label = try phantom.label(identity: identity, keys: keys, frameOfReferenceUID: reference)
        try ObjectFile.write(label, to: folder + "/label.dcm")
        return images
    }

    // MARK: Identity

    private static let time = JobTime.phantom
    private var key: String { "phantom \(kind.rawValue) \(seed)" }
    private func uid(_ what: String) -> String { DerivedUID.uid(.phantom, [kind.rawValue, String(seed), what]) }

    private var identity: StudyIdentity {
        var identity = StudyIdentity()
        identity.patient.id = "PHANTOM-\(seed)"
        identity.patient.name = "Phantom^\(kind.rawValue)"
        identity.patient.sex = "O"
        identity.study.id = String(String(seed).suffix(16))
        identity.study.date = Self.time.date
        identity.study.time = Self.time.time
        identity.study.description = "Synthetic study of known truth"
        identity.series.number = 1
        identity.series.description = "hspsam phantom \(kind.rawValue)" + (kind == .slide ? ", fluorescence" : "")
        switch kind {
        case .dermoscopy:
            identity.series.modality = "XC"
            identity.series.bodyPart = "SKIN"
        case .fluorescence: identity.series.modality = "GM"
        case .slide: identity.series.modality = "SM"
        case .body:
            identity.series.modality = "CT"
            identity.series.bodyPart = "ABDOMEN"
        }
        return identity
    }

    /// `hspsam-study.yaml`: the identity of files that carry none.
    private var sidecar: String {
        let identity = identity
        return """
            patient: {id: \(identity.patient.id), name: \(identity.patient.name), sex: \(identity.patient.sex)}
            study:
              uid: \(uid("study"))
              id: "\(identity.study.id)"
              date: "\(identity.study.date)"
              time: "\(identity.study.time)"
              description: \(identity.study.description)
            series:
              uid: \(uid("series"))
              number: 1
              description: \(identity.series.description)
              modality: \(identity.series.modality)

            """
    }

    // MARK: Files

    /// `slice-007`
    static func numbered(_ name: String, _ number: Int) -> String {
        let digits = String(number)
        return "\(name)-" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// A mask as PNG: 255 inside, 0 outside.
    static func write(_ mask: Mask, to path: String) throws {
        try write(grey: mask.flags.map { $0 ? 255 : 0 }, rows: mask.rows, columns: mask.columns, to: path)
    }

    static func write(grey: [UInt8], rows: Int, columns: Int, to path: String) throws {
        let page = RasterPage(rows: rows, columns: columns, samples: 1, bits: 8, values: grey.map(UInt16.init))
        try DurableFile.write(try ImageFile.png(page), to: path)
    }
}
