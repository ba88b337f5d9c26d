import DICOM
import ImageFiles
import Storage

/// What a file is by its first bytes.
enum InputFormat {
    /// A preamble may be a TIFF header as well (PS3.10 7.1); such a file is DICOM.
    static func isTIFF(_ head: [UInt8]) -> Bool {
        let hasMark = head.count >= 132 && head[128..<132].elementsEqual([0x44, 0x49, 0x43, 0x4D])
        return !hasMark && ImageFile.format(of: head) == .tiff
    }

    /// Formats that people put beside images, named so that they know what was found; nil for what may be DICOM.
    static func other(_ head: [UInt8], name: FilePath) -> InputFailure? {
        if head.isEmpty { return .empty }
        if Sidecar.isName(name) { return .sidecar }
        if DICOMFile.looksLikeDICOM(head) { return nil }
        switch ImageFile.format(of: head) {
        case .png:
            return .notImage("a PNG picture: neither DICOM nor TIFF.", cure: "Save it as TIFF to have it segmented.")
        case .jpeg:
            return .notImage("a JPEG picture: neither DICOM nor TIFF.", cure: "Save it as TIFF to have it segmented.")
        case .tiff, nil: break
        }
        if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            return .notImage("a zip archive: neither DICOM nor TIFF.", cure: "Unpack it and give the folder.")
        }
        if head.starts(with: Array("%PDF".utf8)) { return .notImage("a PDF: neither DICOM nor TIFF.", cure: "") }
        let isText = head.allSatisfy { $0 >= 32 && $0 != 127 || [9, 10, 12, 13].contains($0) }
        return .notImage(
            isText
                ? "a text file: neither DICOM nor TIFF, whatever its name says."
                : "neither DICOM nor TIFF by its content.", cure: "")
    }
}
