import DICOMObjects
import ImageFiles
import Storage

/// A TIFF, PNG or JPEG that is to become DICOM: what is known of it before its pixels are decoded.
struct RasterSource: Sendable {
    let file: InputFile
    let format: ImageFile.Format
    private let sidecar: InputFile?
    let identity: StudyIdentity
    let keys: RasterObject.Keys
    /// Of the file and its sidecar.
    let digest: String
    let studyInstanceUID: String
    let seriesInstanceUID: String

    /// - Parameter set: names of the files that belong to one data set with this one; empty for a file that stands alone.
    /// *Throws* `SettingsFailure` for a sidecar that is wrong, `StorageFailure`.
    init(_ file: InputFile, _ format: ImageFile.Format, digest: FileDigest, set: [String]) throws {
        let sidecar = try Sidecar(beside: file)
        self.file = file
        self.format = format
        self.sidecar = sidecar?.file
        let own = sidecar.map { FileDigest(of: digest.hex + "\n" + $0.digest).hex } ?? digest.hex
        var shared: String?
        if let sidecar, sidecar.isForFolder { shared = sidecar.digest }
        if sidecar == nil, !set.isEmpty {
            var fields = CanonicalEncoding("hspsam set 1")
            fields.add("files", set)
            shared = fields.digest.hex
        }
        // Files of one data set are one patient's.
        var identity = sidecar?.identity ?? StudyIdentity(anonymous: shared ?? digest.hex)
        if identity.series.description.isEmpty, shared == nil {
            identity.series.description = Self.description(file.path.name)
        }
        self.identity = identity
        self.digest = own
        keys = RasterObject.Keys(study: shared ?? own, series: shared ?? own)
        studyInstanceUID = identity.study.uid ?? DerivedUID.uid(.importedStudy, [keys.study])
        seriesInstanceUID = identity.series.uid ?? DerivedUID.uid(.importedSeries, [keys.series])
    }

    /// The file's own name as a Series Description holds it: at most 64 characters, no backslash, no control characters.
    private static func description(_ name: FilePath) -> String {
        let scalars = name.text.unicodeScalars.map { $0.value < 32 || $0.value == 127 || $0 == "\\" ? "_" : $0 }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars.prefix(64))
        return String(text)
    }

    /// *Throws* `StorageFailure.changed`.
    func checkUnchanged() throws(StorageFailure) {
        try file.checkUnchanged()
        try sidecar?.checkUnchanged()
    }
}
