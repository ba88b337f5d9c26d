import CDICOM

/// DCMTK as another pair of eyes on files that this program wrote.
package enum SecondReader {
    /// DCMTK loads the whole file and finds SOP Class and SOP Instance UID.
    ///
    /// *Throws* `corrupt` with DCMTK's condition; `installation` without its data dictionary.
    package static func check(_ path: String) throws(DICOMFailure) {
        var error = cd_error()
        let status = cd_check_file(path, &error)
        guard status != CD_OK else { return }
        let text = DCMTK.text(error)
        throw status == CD_NO_DICTIONARY ? .installation(text) : .corrupt(text)
    }
}
