package import DICOM
import Failures
import Storage

/// Reads written files back and says whether they hold what was meant.
///
/// Two readers that no writer uses: our parser with limits, and DCMTK. *Source*: the design page on DICOM, section 7.
package enum Verification {
    /// DCMTK opens the file and finds its identity. *Throws* `verify`.
    package static func readable(_ path: String) throws(ObjectFailure) {
        do {
            try SecondReader.check(path)
        } catch {
            throw .verify("DCMTK cannot read the file: \(error.text)")
        }
    }

    /// Every attribute that was composed is in the file with the same value, and no other; the file is in order in itself.
    package static func same(_ file: DICOMFile, _ dataSet: DataSet) throws(ObjectFailure) {
        if let warning = file.warnings.first { throw .verify("the file is not as the standard wants it: \(warning)") }
        guard file.transferSyntax == .explicitLittleEndian else {
            throw .verify("the file is in \(file.transferSyntax.name)")
        }
        guard file.meta.string(.mediaStorageSOPInstanceUID) == dataSet.string(.sopInstanceUID),
            file.meta.string(.mediaStorageSOPClassUID) == dataSet.string(.sopClassUID)
        else { throw .verify("file meta group and data set name different objects") }
        do {
            try RequiredAttributes.check(file.dataSet)
        } catch {
            throw .verify(error.text)
        }
        try same(file.dataSet, dataSet, file)
    }

    private static func same(_ read: DataSet, _ meant: DataSet, _ file: DICOMFile) throws(ObjectFailure) {
        for (found, wanted) in zip(read.elements, meant.elements) {
            guard found.tag == wanted.tag, found.vr == wanted.vr else {
                throw .verify("\(found.tag) stands where \(wanted.tag) belongs")
            }
            switch (found.value, wanted.value) {
            case (.items(let a), .items(let b)):
                guard a.count == b.count else {
                    throw .verify("\(found.tag) has \(a.count) items instead of \(b.count)")
                }
                for (a, b) in zip(a, b) { try same(a, b, file) }
            case (_, .bytes(let wanted)):
                guard try bytes(found, of: file) == wanted else {
                    throw .verify("\(found.tag) has another value than composed")
                }
            default: throw .verify("\(found.tag) has another kind of value than composed")
            }
        }
        guard read.elements.count == meant.elements.count else {
            throw .verify("\(read.elements.count) attributes instead of \(meant.elements.count)")
        }
    }

    /// The value, wherever the reader left it.
    static func bytes(_ element: Element, of file: DICOMFile) throws(ObjectFailure) -> [UInt8] {
        switch element.value {
        case .bytes(let bytes): return bytes
        case .inFile(let offset, let length):
            guard let mapped = try? MappedFile(file.path), let bytes = mapped.copy(offset: offset, count: length) else {
                throw .verify("\(element.tag) cannot be read again")
            }
            return bytes
        case .items, .fragments: throw .verify("\(element.tag) has no plain value")
        }
    }
}
