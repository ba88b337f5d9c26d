package import Imaging

/// What was noticed about a volume and does not stop it.
package struct Finding: Sendable, Equatable {
    package enum Severity: String, Sendable { case note, warning }

    /// Short, stable, upper case: `VOL-GAP`.
    package let code: String
    package let severity: Severity
    /// One line for a person; nothing of a patient.
    package let text: String

    package init(_ code: String, _ severity: Severity, _ text: String) {
        self.code = code
        self.severity = severity
        self.text = text
    }
}

/// The ordered frames that are segmented together; one frame is a volume too.
///
/// *Source*: `docs/dicom-support.md`, "Volumes".
package struct Volume: Sendable {
    package enum Kind: String, Sendable {
        /// Frames lie in the patient: ascending along the normal, one Frame of Reference, one orientation.
        case spatial
        /// Frames without a position in the patient: a cine loop, photographs, pages. No third dimension, no mm³.
        case frames
    }

    package let kind: Kind
    /// In geometric order (`spatial`) or in the order of the object (`frames`).
    package let frames: [SourceFrame]
    /// The first frame's data set with the study's fullest value of each attribute that identifies patient and study: what results
    /// copy those from.
    package let patientAndStudy: DataSet
    package let rows: Int
    package let columns: Int
    /// 1 (grey) or 3 (colour) after decoding.
    package let samples: Int
    /// Of all frames; nil when no distance in mm is known.
    package let pixelSpacing: PixelSpacing?
    /// Where `pixelSpacing` holds in each frame; empty: everywhere.
    package let calibratedRegions: [PixelRectangle]
    /// Height of a pixel divided by its width: from the spacing, else Pixel Aspect Ratio, else 1.
    package let pixelAspect: Double
    /// Measured between slices, mm: mean when uniform, median otherwise. Nil for one frame and for `frames`.
    package let sliceSpacing: Double?
    /// What each frame stands for along the normal, mm: for volumes in mm³. Empty for `frames`.
    package let sliceWeights: [Double]
    package let findings: [Finding]
    /// The level of a whole slide whose tiles the frames are; nil for other images.
    package let slide: SlideMatrix?
    /// Part of its series, from 1, in a stable order.
    package let part: Int
    /// Volumes that the series gave.
    package let partCount: Int
    /// SHA-256 over the content digests of its instances in order: 64 hexadecimal digits.
    package let digest: String

    /// Distinct instances in the order of their first frame.
    package var instances: [SourceInstance] { frames.instances }

    /// What is segmented as one picture: each frame, or all tiles of a slide together.
    package var pictures: (count: Int, rows: Int, columns: Int) {
        slide.map { (1, $0.rows, $0.columns) } ?? (frames.count, rows, columns)
    }

    /// What a picture is called, from 1. Frames of one object have their numbers there, whichever of them were chosen or left out, as
    /// Referenced Frame Number (0008,1160) tells them; slices have their places in the volume.
    package func number(ofPicture picture: Int) -> Int {
        kind == .frames && slide == nil ? frames[picture].number : picture + 1
    }

    /// How many are numbered so: more than there are pictures where some were left out.
    package var numberedPictures: Int {
        kind == .frames && slide == nil ? first.pixels.frames : pictures.count
    }

    /// The first frame's instance: the one that descriptions are copied from.
    package var first: SourceInstance { frames[0].instance }

    /// Grey values are what the source says they are (Hounsfield units for CT); false where it says nothing usable.
    package var hasKnownValues: Bool { !findings.contains { $0.code == "VOL-VALUES" } }

    /// Frames lie in the patient, and distances between pixels are known: what a geometry in mm needs.
    package var hasPlace: Bool { kind == .spatial && pixelSpacing != nil }

    /// `pixelSpacing` where it holds for the whole picture: what is written beside all pixels. Nil for an ultrasound picture that has a
    /// scale in parts of it.
    package var pictureSpacing: PixelSpacing? { calibratedRegions.isEmpty ? pixelSpacing : nil }

    /// An ultrasound picture has scales, and none that holds for all of it.
    package var hasSeveralScales: Bool { frames[0].spacingOrigin.isOfSeveral }

    /// `pixelSpacing` where it holds for all of these masks: what lengths and areas are told with.
    package func spacing(of masks: [Mask]) -> PixelSpacing? { isCalibrated(masks) ? pixelSpacing : nil }

    /// `pixelSpacing` holds for every pixel of these masks: an ultrasound picture has a scale in its calibrated regions alone.
    package func isCalibrated(_ masks: [Mask]) -> Bool {
        !hasSeveralScales
            && (calibratedRegions.isEmpty || masks.allSatisfy { $0.lies(within: calibratedRegions) })
    }

    /// Slices that lie in space together: what is seen in one may reach into the next.
    package var reachesOverSlices: Bool { kind == .spatial && frames.count > 1 }

    package var studyInstanceUID: String { first.studyInstanceUID }
    package var seriesInstanceUID: String { first.seriesInstanceUID }
    package var frameOfReferenceUID: String? { first.frameOfReferenceUID }
    package var modality: String { first.modality }

    init(
        kind: Kind, frames: [SourceFrame], patientAndStudy: DataSet, sliceSpacing: Double?, sliceWeights: [Double],
        slide: SlideMatrix?, findings: [Finding], part: Int, partCount: Int, digest: String
    ) {
        precondition(!frames.isEmpty, "Volume: no frames")
        precondition(slide.map { $0.origins.count == frames.count } ?? true, "Volume: tiles have the wrong count")
        precondition(sliceWeights.isEmpty || sliceWeights.count == frames.count, "Volume: weights have the wrong count")
        self.kind = kind
        self.frames = frames
        self.patientAndStudy = patientAndStudy
        let pixels = frames[0].instance.pixels
        rows = pixels.rows
        columns = pixels.columns
        samples = pixels.photometric == .paletteColor ? 3 : pixels.samples
        pixelSpacing = frames[0].pixelSpacing
        calibratedRegions = frames[0].calibratedRegions
        pixelAspect = frames[0].pixelAspect
        self.sliceSpacing = sliceSpacing
        self.sliceWeights = sliceWeights
        self.slide = slide
        self.findings = findings
        self.part = part
        self.partCount = partCount
        self.digest = digest
    }
}
