import DICOM
import DICOMObjects
import Foundation
import Imaging
import Testing

/// UIDs, and with them the bytes that they are made of, recorded once: a refactoring that changes one would make a second object of the same work in every archive. Where a
/// change is meant, `DataSetEncoder.writerRevision` is raised and these are recorded anew.
@Suite("Recorded UIDs")
struct RecordedUIDTests {
    @Test("the writer's revision")
    func revision() { #expect(DataSetEncoder.writerRevision == "6") }

    @Test("a UID of each kind")
    func kinds() {
        #expect(
            DerivedUID.uid(.segmentationSeries, salt: "s", ["a", "b"])
                == "2.25.227088870692188235401632927504936128082")
        #expect(DerivedUID.uid(.importedStudy, ["a"]) == "2.25.41514496308151981804046883517899368535")
    }

    @Test(
        "a segmentation of slices, of an enhanced object, of pictures",
        arguments: [
            (
                SampleVolumes.Variant.slices, "2.25.238057090088370439687439115249774624337",
                "2.25.48611339843950720950592731826884374278"
            ),
            (
                .enhanced, "2.25.264635186876091730307882034748477638853",
                "2.25.157118111228214869291375881215852207091"
            ),
            (
                .stackSynthetic, "2.25.30740707146832958280116891883475675062",
                "2.25.173730790075375476821201748872530090714"
            ),
        ])
    func segmentation(
        variant: SampleVolumes.Variant, series: String, instance: String
    ) throws {
        let folder = try TemporaryFolder()
        let volume = try SampleVolumes.volume(variant, .oblique, rows: 13, columns: 11, count: 4, in: folder.path)
        let made = try Segmentation(
            volume, masks: SampleVolumes.masks(volume, segments: 2, seed: 5), segments: SampleVolumes.segments(2),
            producer: SampleVolumes.producer, options: SampleVolumes.options(variant))
        let object = try #require(made)
        #expect(object.seriesInstanceUID == series)
        // Of the digest of every attribute and of the pixels.
        #expect(object.sopInstanceUID == instance)
    }

    @Test("an image made of a picture, and one that differs in any one thing")
    func image() throws {
        func uid(_ change: (inout StudyIdentity, inout RasterPixels, inout RasterObject.Keys) -> Void) throws -> String
        {
            var identity = StudyIdentity(anonymous: "0123456789abcdef")
            var page = RasterPixels(rows: 8, columns: 9, samples: 1, bits: 8, values: [UInt16](repeating: 7, count: 72))
            var keys = RasterObject.Keys(study: "s", series: "t")
            change(&identity, &page, &keys)
            return try RasterObject.objects([page], identity: identity, keys: keys)[0].sopInstanceUID
        }
        let one = try uid { _, _, _ in }
        #expect(one == "2.25.55647459810248701615501192103048525579")
        let others = [
            try uid { identity, _, _ in identity.patient.name = "Doe^J" },
            try uid { identity, _, _ in identity.study.date = "20240102" },
            try uid { identity, _, _ in identity.series.description = "other" },
            try uid { _, page, _ in page.time = SampleVolumes.time },
            try uid { _, page, _ in page.spacing = PixelSpacing(row: 1, column: 2) },
            try uid { _, page, _ in
                page = RasterPixels(rows: 8, columns: 9, samples: 1, bits: 8, values: [UInt16](repeating: 8, count: 72))
            },
            try uid { _, _, keys in keys.firstInstanceNumber = 2 },
            try uid { _, _, keys in keys.study = "other" },
        ]
        #expect(Set(others + [one]).count == others.count + 1)
    }
}
