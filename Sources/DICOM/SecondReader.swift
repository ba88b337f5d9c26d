import CDICOM

/// DCMTK as another pair of eyes on files that this program wrote.
package enum SecondReader {
    /// DCMTK parses the whole file, given as its bytes, and finds SOP Class and SOP Instance UID.
    ///
    /// *Throws* `corrupt` with DCMTK's condition; `installation` without its data dictionary.
    package static func check(_ bytes: [UInt8]) throws(DICOMFailure) {
        var error = cd_error()
        let status = cd_check_file(bytes, bytes.count, &error)
        guard status != CD_OK else { return }
        let text = DCMTK.text(error)
        throw status == CD_NO_DICTIONARY ? .installation(text) : .corrupt(text)
    }
}
