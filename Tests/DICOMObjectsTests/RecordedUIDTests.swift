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
                SampleVolumes.Variant.slices, "2.25.94957106971770566768508909080367506358",
                "2.25.8016965408203909408185553259145174365"
            ),
            (
                .enhanced, "2.25.135230397502336974411441351022246046719",
                "2.25.120489399516765465839622272632954044914"
            ),
            (
                .stackSynthetic, "2.25.42659079328776509632586040014238550596",
                "2.25.53006011840481496135704351488690796787"
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
        #expect(one == "2.25.226108260505419570818228553378780850788")
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
