import CDICOM

/// What other rooms ask of DCMTK.
package enum DCMTK {
    /// *Throws*: `installation` when DCMTK's data dictionary is missing: values without a written VR could not be told
    /// then.
    package static func checkInstallation() throws(DICOMFailure) {
        var error = cd_error()
        guard cd_initialize(&error) == CD_OK else { throw .installation(text(error) + ".") }
    }

    /// Loads the whole file at `path` as another reader would.
    ///
    /// *Throws*: `corrupt` with DCMTK's own reason when it cannot.
    package static func checkFile(_ path: String) throws(DICOMFailure) {
        var error = cd_error()
        switch cd_check_file(path, &error) {
        case CD_OK: return
        case CD_NO_DICTIONARY: throw .installation(text(error) + ".")
        default: throw .corrupt("DCMTK does not read the file (\(text(error))): it is damaged.")
        }
    }

    static func text(_ error: cd_error) -> String {
        withUnsafeBytes(of: error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
