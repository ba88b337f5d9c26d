import CDICOM

/// What other rooms ask of DCMTK.
package enum DCMTK {
    /// *Throws*: `installation` when DCMTK's data dictionary is missing: values without a written VR could not be read
    /// then.
    package static func checkInstallation() throws(DICOMFailure) {
        var error = cd_error()
        guard cd_initialize(&error) == CD_OK else { throw .installation(text(error) + ".") }
    }

    static func text(_ error: cd_error) -> String {
        withUnsafeBytes(of: error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
