import DICOMObjects
import Storage

/// A TIFF that is to become DICOM: what is known of it before its pixels are decoded.
struct RasterSource: Sendable {
    let file: InputFile
    private let sidecar: InputFile?
    let identity: StudyIdentity
    let keys: RasterObject.Keys
    /// Of the file and its sidecar.
    let digest: String
    let studyInstanceUID: String
    let seriesInstanceUID: String

    /// *Throws* `SettingsFailure` for a sidecar that is wrong, `StorageFailure`.
    init(_ file: InputFile, digest: FileDigest) throws {
        let sidecar = try Sidecar(beside: file)
        self.file = file
        self.sidecar = sidecar?.file
        identity = sidecar?.identity ?? StudyIdentity(anonymous: digest.hex)
        let own = sidecar.map { FileDigest(of: digest.hex + "\n" + $0.digest).hex } ?? digest.hex
        let shared = sidecar.flatMap { $0.isForFolder ? $0.digest : nil } ?? own
        self.digest = own
        keys = RasterObject.Keys(study: shared, series: shared)
        studyInstanceUID = identity.study.uid ?? DerivedUID.uid(.importedStudy, [keys.study])
        seriesInstanceUID = identity.series.uid ?? DerivedUID.uid(.importedSeries, [keys.series])
    }

    /// *Throws* `StorageFailure.changed`.
    func checkUnchanged() throws(StorageFailure) {
        try file.checkUnchanged()
        try sidecar?.checkUnchanged()
    }
}
