package import DICOM
package import Imaging
import Numbers

/// A picture with the segments burnt in, for viewers that know no segmentation: one shown frame.
///
/// *Source*: PS3.3 A.8.1, C.8.6.
package struct SecondaryCapture: Sendable {
    /// Whole, with its UIDs.
    package let dataSet: DataSet
    /// Attributes that stand as in the source, legal or not.
    package let kept: Set<Tag>
    private let volume: Volume
    private let frame: Int
    private let image: DisplayImage

    /// - Parameters:
    ///   - frame: index of the source frame in the volume; of a slide, of which all is shown, 0.
    ///   - image: the source's frame with what was drawn on it.
    ///   - spacing: of the image's pixels; nil when unknown.
    ///   - options: of the segmentation that is drawn.
    ///   - number: from 1 in the series.
    /// *Throws* what `Segmentation.check` throws.
    package init(
        _ volume: Volume, frame: Int, _ image: DisplayImage, spacing: PixelSpacing?, segments: [SegmentDescription],
        producer: Producer, options: Segmentation.Options, seriesNumber: Int, number: Int
    ) throws(ObjectFailure) {
        let uids = ResultUIDs(volume, segments, producer, options)
        let header = try ResultHeader(volume, producer, time: uids.time, texts: []) {
            copy, copied throws(ObjectFailure) in
            try copy.copy([.bodyPartExamined, .requestAttributesSequence, .burnedInAnnotation], .type3, into: &copied)
            // The side that was examined stands where the source has it, or no body part says it (Type 2C).
            if copy.source.has(.laterality) || !copied.has(.bodyPartExamined) {
                try copy.copy([.laterality], .type2, into: &copied)
            }
            try Lossy.put(volume.instances, into: &copied)
        }
        var dataSet = header.dataSet(
            .secondaryCaptureImageStorage,
            .init(
                modality: volume.modality, uid: uids.uid(.captureSeries), number: seriesNumber,
                title: "AI SC \(producer.pipelineName)"))
        dataSet.put(.instanceNumber, number)
        dataSet.put(.conversionType, "WSD")
        dataSet.put(.imageType, ["DERIVED", "SECONDARY"])
        dataSet.put(
            .derivationDescription, "segments of an automatic segmentation drawn over a source image; not for diagnosis"
        )
        dataSet.putEmpty(.patientOrientation)
        // Ultrasound devices write the patient's name into their pictures. Of others nobody knows where the source does not say it (Type 3).
        if dataSet.string(.burnedInAnnotation) == nil, ["US", "IVUS", "BDUS"].contains(volume.modality) {
            dataSet.put(.burnedInAnnotation, "YES")
        }
        // A slide is shown as a whole: every instance that holds tiles of it.
        let sources =
            volume.slide == nil
            ? [DataSet.reference(volume.frames[frame])]
            : volume.instances.map { DataSet.reference($0.sopClassUID, $0.sopInstanceUID) }
        dataSet.put(
            .sourceImageSequence,
            items: sources.map { source in
                var source = source
                source.put(.purposeOfReferenceCodeSequence, item: Code.sourceImage.item)
                return source
            })
        if let spacing {
            dataSet.put(.pixelSpacing, decimals: [spacing.row.withoutNoise, spacing.column.withoutNoise])
        }
        dataSet.putImagePixel(rows: image.rows, columns: image.columns, samples: 3, bits: 8)
        let pixels = image.pixels.count % 2 == 0 ? image.pixels : image.pixels + [0]
        dataSet.put(
            .sopInstanceUID,
            uids.instance(
                .captureInstance, try DataSetEncoder.data(dataSet, kept: header.kept), pixels: pixels))
        dataSet.put(.pixelData, bytes: pixels)
        self.dataSet = dataSet
        kept = header.kept
        self.volume = volume
        self.frame = frame
        self.image = image
    }

    /// Writes the object, reads it back and compares it with the picture and the source before it gets its name.
    ///
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    package func write(to path: String) throws {
        try ObjectFile.write(dataSet, kept: kept, to: path) { written in
            try Verification.patientAndStudy(written, volume)
            let read = written.dataSet
            guard
                read.item(.sourceImageSequence)?.string(.referencedSOPInstanceUID)
                    == volume.frames[frame].instance.sopInstanceUID
            else { throw ObjectFailure.verify("the picture refers to another source") }
            guard read.int(.rows) == image.rows, read.int(.columns) == image.columns,
                let element = read[.pixelData],
                try written.value(of: element).prefix(image.pixels.count).elementsEqual(image.pixels)
            else { throw ObjectFailure.verify("the file holds another picture") }
        }
    }
}
