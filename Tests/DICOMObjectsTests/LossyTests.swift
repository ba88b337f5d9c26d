import DICOM
import DICOMObjects
import Imaging
import Testing

@Suite("Lossy compression")
struct LossyTests {
    /// A picture with what its source says about loss, and what the result then says.
    private func result(_ change: (inout DataSet) -> Void) throws -> DataSet {
        let volume = try #require(try RawSources.volumes(.picture, changing: change).first)
        let made = try Segmentation(
            volume, masks: SampleVolumes.masks(volume, segments: 1, seed: 1), segments: SampleVolumes.segments(1),
            producer: SampleVolumes.producer, options: .init())
        return try #require(made).dataSet
    }

    @Test("what the source says of its loss is copied, and nothing is invented where it does not say how much")
    func stated() throws {
        let whole = try result {
            $0.put(.lossyImageCompression, "01")
            $0.put(.lossyImageCompressionRatio, ["12.5", "3"])
            $0.put(.lossyImageCompressionMethod, ["ISO_10918_1", "ISO_15444_1"])
        }
        #expect(whole.strings(.lossyImageCompressionRatio) == ["12.5", "3"])
        #expect(whole.strings(.lossyImageCompressionMethod) == ["ISO_10918_1", "ISO_15444_1"])
        for illegal in ["", "twelve"] {
            let half = try result {
                $0.put(.lossyImageCompression, "01")
                $0[.lossyImageCompressionRatio] = RawSources.element(.lossyImageCompressionRatio, Array(illegal.utf8))
            }
            #expect(half.string(.lossyImageCompression) == "01")
            #expect(!half.has(.lossyImageCompressionRatio) && !half.has(.lossyImageCompressionMethod))
        }
        let none = try result { $0.put(.lossyImageCompression, "00") }
        #expect(none.string(.lossyImageCompression) == "00" && !none.has(.lossyImageCompressionRatio))
    }
}
