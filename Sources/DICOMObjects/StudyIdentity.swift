package import Imaging

/// Whose pictures these are and where they belong: what a sidecar says about pictures that are no DICOM.
///
/// Empty texts mean: not known. *Source*: the design page on DICOM, section 5.3.
package struct StudyIdentity: Sendable, Equatable {
    package struct Patient: Sendable, Equatable {
        package var id = ""
        package var name = ""
        /// `YYYYMMDD`
        package var birthDate = ""
        /// `M`, `F`, `O` or empty.
        package var sex = ""
        package var issuer = ""
        package init() {}
    }

    package struct Study: Sendable, Equatable {
        package var uid: String?
        package var id = ""
        /// `YYYYMMDD`, `HHMMSS`
        package var date = ""
        package var time = ""
        package var description = ""
        package var accession = ""
        package var referring = ""
        package init() {}
    }

    package struct Series: Sendable, Equatable {
        package var uid: String?
        package var number: Int?
        package var description = ""
        /// `XC` and `GM` make visible light objects, anything else a secondary capture; empty is `OT`.
        package var modality = ""
        package var bodyPart = ""
        package var laterality = ""
        package init() {}
    }

    package struct Deidentification: Sendable, Equatable {
        /// `YES` or `NO`
        package var removed: String
        package var method: [String]

        package init(removed: String, method: [String]) {
            self.removed = removed
            self.method = method
        }
    }

    package var patient = Patient()
    package var study = Study()
    package var series = Series()
    /// Distance of pixel centres; nil when unknown.
    package var spacingMM: PixelSpacing?
    package var deidentified: Deidentification?

    package init() {}

    /// For a file without a sidecar: patient and name are `TIFF-` and the first 12 digits of the file's SHA-256.
    package init(anonymous digest: String) {
        patient.id = "TIFF-\(digest.prefix(12))"
        patient.name = patient.id
    }
}
