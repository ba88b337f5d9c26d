import DICOM
import DICOMObjects
import Imaging
import Settings
import Storage

/// Whose pictures TIFF, PNG and JPEG files are: what lies beside them.
///
/// First found: `<file>.yaml`, `<file>.json`, `hspsam-study.yaml` in the file's folder (`docs/formats.md`).
struct Sidecar {
    static let folderName = "hspsam-study.yaml"

    let file: InputFile
    let identity: StudyIdentity
    /// SHA-256 of the sidecar's bytes.
    let digest: String
    /// It speaks for every picture of its folder.
    let isForFolder: Bool

    private static let limit = 1 << 20

    /// The sidecar of a file, nil when there is none. *Throws* `SettingsFailure`, `StorageFailure`.
    init?(beside picture: InputFile) throws {
        let name = picture.path.name
        let candidates = [name.extended(".yaml"), name.extended(".json"), FilePath(Self.folderName)]
        var opened: InputFile?
        for candidate in candidates where opened == nil {
            opened = try picture.sibling(candidate, limit: Self.limit)
        }
        guard let file = opened else { return nil }
        let bytes = try file.read(0..<file.size)
        self.file = file
        digest = FileDigest(of: bytes).hex
        isForFolder = file.path.name == FilePath(Self.folderName)
        // Only the file's own name goes into messages: reports must not tell where files lie.
        identity = try Section.read(bytes, file: file.path.name.text) { try StudyIdentity($0) }
    }

    /// Endings of pictures, and of what a person may have meant as a sidecar.
    private static let pictures = ["tif", "tiff", "btf", "svs", "png", "jpg", "jpeg"]
    private static let endings = ["yaml", "yml", "json"]

    /// Whether a file is a sidecar by its name, of a picture that may lie beside it, or was meant to be one: in whatever case, and
    /// with any ending of YAML or JSON.
    static func isName(_ name: FilePath) -> Bool {
        guard let stem = stem(name) else { return false }
        return stem == "hspsam-study" || pictures.contains { stem.hasSuffix(".\($0)") }
    }

    /// Whether a file may be a sidecar that nothing finds: by its name, or YAML, which may be named after a picture without its ending.
    /// Files of systems (`._a.tif.yaml` in the archives of macOS) are none.
    static func mayBe(_ name: FilePath) -> Bool {
        guard !name.text.hasPrefix(".") else { return false }
        return isName(name) || stem(name) != nil && !name.text.lowercased().hasSuffix(".json")
    }

    /// A name in small letters, without the ending of a sidecar; nil for one that has none.
    private static func stem(_ name: FilePath) -> String? {
        let name = name.text.lowercased()
        return endings.first { name.hasSuffix(".\($0)") }.map { String(name.dropLast($0.count + 1)) }
    }
}

/// No failure here tells what was found: it may be a patient's name.
extension StudyIdentity {
    init(_ root: Section) throws {
        self.init()
        let patient = try root.section("patient")
        self.patient.id = try Self.line("id", patient)
        self.patient.name = try Self.line("name", patient)
        self.patient.birthDate = try Self.date("birth_date", patient)
        self.patient.sex = try patient.string("sex", default: "")
        guard ["", "M", "F", "O"].contains(self.patient.sex) else {
            throw patient.failure(
                "SIDE-VALUE", at: "sex", "sex is M, F, O or left out.", cure: "Correct it.")
        }
        self.patient.issuer = try Self.line("issuer", patient)

        let study = try root.section("study")
        self.study.uid = try Self.uid("uid", study)
        self.study.id = try Self.line("id", study, limit: 16)
        self.study.date = try Self.date("date", study)
        self.study.time = try study.string("time", default: "")
        guard self.study.time.isEmpty || JobTime(date: "20000101", time: self.study.time) != nil else {
            throw study.failure(
                "SIDE-VALUE", at: "time", "a time is written HHMMSS.",
                cure: "Correct it, in quotation marks.")
        }
        self.study.description = try Self.line("description", study)
        self.study.accession = try Self.line("accession", study, limit: 16)
        self.study.referring = try Self.line("referring", study)

        let series = try root.section("series")
        self.series.uid = try Self.uid("uid", series)
        self.series.number = try series.optionalInt("number", in: 0...Int(Int32.max))
        self.series.description = try Self.line("description", series)
        self.series.modality = try Self.keyword("modality", series)
        self.series.bodyPart = try Self.keyword("body_part", series)
        self.series.laterality = try series.string("laterality", default: "")
        guard ["", "L", "R"].contains(self.series.laterality) else {
            throw series.failure(
                "SIDE-VALUE", at: "laterality", "laterality is L, R or left out.",
                cure: "Correct it.")
        }
        if let spacing = try root.optionalDoubles("spacing_mm", count: 2...2) {
            guard spacing.allSatisfy({ $0 > 0 && $0 < 1000 }) else {
                throw root.failure(
                    "SIDE-VALUE", at: "spacing_mm",
                    "spacing is [between rows, between columns] in mm, above 0.", cure: "Correct it.")
            }
            spacingMM = PixelSpacing(row: spacing[0], column: spacing[1])
        }
        if let removal = try root.optionalSection("deidentified") {
            let removed = try removal.bool("removed")
            let method = try removal.optionalStrings("method") ?? []
            deidentified = Deidentification(removed: removed ? "YES" : "NO", method: method)
        }
    }

    /// A text of LO or PN: no backslash, no control characters, at most 64 characters.
    private static func line(_ key: String, _ section: Section, limit: Int = 64) throws -> String {
        let text = try section.string(key, default: "")
        guard text.unicodeScalars.count <= limit, !text.unicodeScalars.contains(where: { $0 == "\\" || $0.value < 32 })
        else {
            throw section.failure(
                "SIDE-VALUE", at: key,
                "a text has at most \(limit) characters, no backslash and no line end.", cure: "Correct it.")
        }
        return text
    }

    private static func date(_ key: String, _ section: Section) throws -> String {
        let text = try section.string(key, default: "")
        guard text.isEmpty || JobTime(date: text, time: "000000") != nil else {
            throw section.failure(
                "SIDE-VALUE", at: key, "a date is written YYYYMMDD.",
                cure: "Correct it, in quotation marks.")
        }
        return text
    }

    private static func keyword(_ key: String, _ section: Section) throws -> String {
        let text = try section.string(key, default: "").uppercased()
        let allowed = text.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 32 }
        guard text.utf8.count <= 16, allowed else {
            throw section.failure(
                "SIDE-VALUE", at: key, "a keyword has at most 16 of A-Z, 0-9, _ and space.",
                cure: "Correct it.")
        }
        return text
    }

    private static func uid(_ key: String, _ section: Section) throws -> String? {
        guard let text = try section.optionalString(key) else { return nil }
        guard UID.isWellFormed(text) else {
            throw section.failure(
                "SIDE-VALUE", at: key,
                "a UID is numbers joined by points, the first 0, 1 or 2, at most 64 characters, in quotation marks.",
                cure: "Correct it or leave it out.")
        }
        return text
    }
}
