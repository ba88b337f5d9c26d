import DICOM
import ImageFiles
import Storage

/// What a file is by its first bytes.
enum InputFormat {
    /// The format of a picture that becomes DICOM; nil for everything else. A preamble may be a TIFF header as well (PS3.10 7.1); such a
    /// file is DICOM.
    static func picture(_ head: [UInt8]) -> ImageFile.Format? {
        let hasMark = head.count >= 132 && head[128..<132].elementsEqual([0x44, 0x49, 0x43, 0x4D])
        return hasMark ? nil : ImageFile.format(of: head)
    }

    /// Formats that people put beside images, named so that they know what was found; nil for what may be DICOM.
    static func other(_ head: [UInt8], name: FilePath) -> InputFailure? {
        if head.isEmpty { return .empty }
        if Sidecar.isName(name) { return .sidecar }
        if DICOMFile.looksLikeDICOM(head) { return nil }
        if MediaDirectory.isName(name) { return .mediumUnknown }
        if ZipInput.isZip(head) {
            return .notImage("a zip archive inside a zip archive.", cure: "Unpack it and give the folder.")
        }
        if head.starts(with: Array("%PDF".utf8)) {
            return .notImage("a PDF: neither DICOM nor TIFF, PNG or JPEG.", cure: "")
        }
        let isText = head.allSatisfy { $0 >= 32 && $0 != 127 || [9, 10, 12, 13].contains($0) }
        return .notImage(
            isText
                ? "a text file: neither DICOM nor TIFF, PNG or JPEG, whatever its name says."
                : "neither DICOM nor TIFF, PNG or JPEG by its content.", cure: "")
    }
}
