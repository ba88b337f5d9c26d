package import Imaging

/// Whose pictures these are and where they belong: what a sidecar says about pictures that are no DICOM.
///
/// Empty texts mean: not known. *Source*: `docs/formats.md`, "hspsam-study.yaml".
package struct StudyIdentity: Sendable, Equatable {
    /// Patient (PS3.3 C.7.1.1).
    package struct Patient: Sendable, Equatable {
        /// Patient ID (0010,0020).
        package var id = ""
        /// Patient's Name (0010,0010), `Family^Given`.
        package var name = ""
        /// `YYYYMMDD`
        package var birthDate = ""
        /// `M`, `F`, `O` or empty.
        package var sex = ""
        /// Issuer of Patient ID (0010,0021).
        package var issuer = ""
        /// Nothing known.
        package init() {}
    }

    /// General Study (PS3.3 C.7.2.1).
    package struct Study: Sendable, Equatable {
        /// Study Instance UID; nil: derived.
        package var uid: String?
        /// Study ID (0020,0010).
        package var id = ""
        /// `YYYYMMDD`, `HHMMSS`
        package var date = ""
        /// See `date`.
        package var time = ""
        /// Study Description (0008,1030).
        package var description = ""
        /// Accession Number (0008,0050).
        package var accession = ""
        /// Referring Physician's Name (0008,0090).
        package var referring = ""
        /// Nothing known.
        package init() {}

        /// Nil without a legal date; midnight where only the day is known.
        var moment: JobTime? { JobTime(date: date, time: time.isEmpty ? "000000" : time) }
    }

    /// General Series (PS3.3 C.7.3.1).
    package struct Series: Sendable, Equatable {
        /// Series Instance UID; nil: derived.
        package var uid: String?
        /// Series Number (0020,0011); nil is 1.
        package var number: Int?
        /// Series Description (0008,103E).
        package var description = ""
        /// `XC` and `GM` make visible light objects, anything else a secondary capture; empty is `OT`.
        package var modality = ""
        /// Body Part Examined (0018,0015).
        package var bodyPart = ""
        /// `L`, `R` or empty.
        package var laterality = ""
        /// Nothing known.
        package init() {}
    }

    /// Whether and how identity was removed.
    package struct Deidentification: Sendable, Equatable {
        /// `YES` or `NO`
        package var removed: String
        /// De-identification Method (0012,0063).
        package var method: [String]

        /// As the sidecar says it.
        package init(removed: String, method: [String]) {
            self.removed = removed
            self.method = method
        }
    }

    /// Whose pictures.
    package var patient = Patient()
    /// Of which study.
    package var study = Study()
    /// Of which series.
    package var series = Series()
    /// Distance of pixel centres; nil when unknown.
    package var spacingMM: PixelSpacing?
    /// Nil when nothing is said.
    package var deidentified: Deidentification?

    /// Nothing known.
    package init() {}

    /// For a file without a sidecar: the patient's ID is `TIFF-` and the first 12 digits of the file's SHA-256, the name the same as
    /// family and given name.
    package init(anonymous digest: String) {
        patient.id = "TIFF-\(digest.prefix(12))"
        patient.name = "TIFF^\(digest.prefix(12))"
    }
}
