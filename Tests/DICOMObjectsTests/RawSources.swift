import DICOM
import DICOMObjects
import Foundation
import Imaging

/// Sources as others write them, legal or not: the encoder's rules are not asked.
enum RawSources {
    /// A data set as a file's bytes, whatever its values hold.
    static func bytes(_ dataSet: DataSet) throws -> [UInt8] {
        let meta = DataSet(composing: {
            $0.put(.mediaStorageSOPClassUID, dataSet.string(.sopClassUID) ?? "1.2.3")
            $0.put(.mediaStorageSOPInstanceUID, "1.2.3")
            $0.put(.transferSyntaxUID, TransferSyntax.explicitLittleEndian.uid)
        })
        return [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + (try DataSetEncoder.data(meta))
            + (try DataSetEncoder.data(dataSet, kept: Set(dataSet.elements.map(\.tag))))
    }

    /// The volumes of slices that were all changed in one way.
    static func volumes(
        _ variant: SampleVolumes.Variant = .slices, changing change: (inout DataSet) -> Void
    ) throws -> [Volume] {
        let sources = try SampleVolumes.dataSets(variant, .oblique, rows: 8, columns: 9, count: 2)
        var instances: [SourceInstance] = []
        for source in sources {
            var source = source
            change(&source)
            // What the reader refuses reaches no writer.
            if let instance = try? SourceInstance(DICOMFile(bytes: bytes(source))) { instances.append(instance) }
        }
        return VolumeBuilder.volumes(of: instances).volumes
    }

    static func element(_ attribute: Attribute, _ bytes: [UInt8]) -> Element {
        Element(attribute.tag, attribute.vr, .bytes(bytes.count % 2 == 0 ? bytes : bytes + [0x20]))
    }
}
