package import DICOM
import Failures

/// Judges what was read back: does it hold what was meant?
///
/// Nothing of the encoder is used.
package enum Verification {
    /// Every attribute that was composed is in the file with the same value, and no other; the file is in order in itself.
    package static func same(_ written: WrittenObject, _ dataSet: DataSet) throws(ObjectFailure) {
        let file = written.file
        if let warning = file.warnings.first { throw .verify("the file is not as the standard wants it: \(warning)") }
        guard file.transferSyntax == dataSet.transferSyntax else {
            throw .verify("the file is in \(file.transferSyntax.name)")
        }
        guard file.meta.string(.mediaStorageSOPInstanceUID) == dataSet.string(.sopInstanceUID),
            file.meta.string(.mediaStorageSOPClassUID) == dataSet.string(.sopClassUID)
        else { throw .verify("file meta group and data set name different objects") }
        do {
            try RequiredAttributes.check(file.dataSet)
        } catch {
            throw .verify(error.message.withoutSubject)
        }
        try same(file.dataSet, dataSet, written)
    }

    /// Runs are bytes, whatever the words of the pixels (PS3.5 A.4).
    private static func isCompressed(_ element: Element) -> Bool {
        if case .fragments = element.value { element.vr == .OB } else { false }
    }

    private static func same(
        _ read: DataSet, _ meant: DataSet, _ written: WrittenObject
    ) throws(ObjectFailure) {
        for (found, wanted) in zip(read.elements, meant.elements) {
            guard found.tag == wanted.tag, found.vr == wanted.vr || isCompressed(found) else {
                throw .verify("\(found.tag) stands where \(wanted.tag) belongs")
            }
            switch (found.value, wanted.value) {
            case (.items(let a), .items(let b)):
                guard a.count == b.count else {
                    throw .verify("\(found.tag) has \(a.count) items instead of \(b.count)")
                }
                for (a, b) in zip(a, b) { try same(a, b, written) }
            case (_, .bytes(let wanted)):
                guard try written.value(of: found).elementsEqual(wanted) else {
                    throw .verify("\(found.tag) has another value than composed")
                }
            default: throw .verify("\(found.tag) has another kind of value than composed")
            }
        }
        guard read.elements.count == meant.elements.count else {
            throw .verify("\(read.elements.count) attributes instead of \(meant.elements.count)")
        }
    }
}
