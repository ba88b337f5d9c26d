import DICOM
import Failures
import ImageFiles
import Records
import Storage

/// What one file is, by its content; nothing of a patient.
enum FileFacts {
    /// Why a file, or the pixels of a DICOM file, cannot be read.
    struct PixelFailure {
        let record: FailureRecord
        /// No frame can be.
        let isWhole: Bool
    }

    /// - Parameters:
    ///   - path: where its bytes lie.
    ///   - hashesPixels: decodes every frame.
    /// *Returns* what keeps the file from being read again, or the pixels of a DICOM file from being decoded. Pictures have been decoded on their way to a volume.
    static func add(
        to record: inout InspectionRecord.File, at path: FilePath, hashesPixels: Bool
    ) -> PixelFailure? {
        let file: InputFile
        let head: [UInt8]
        do throws(StorageFailure) {
            file = try InputFile(path)
            head = try file.read(0..<min(file.size, 256))
        } catch {
            return PixelFailure(record: FailureRecord(error), isWhole: true)
        }
        switch InputFormat.picture(head) {
        case .tiff: tiff(&record, file, hashesPixels)
        case .png: picture(&record, "png", file, hashesPixels)
        case .jpeg: picture(&record, "jpeg", file, hashesPixels)
        case nil:
            if let dicom = try? DICOMFile(file) { return self.dicom(&record, dicom, hashesPixels) }
        }
        return nil
    }

    // MARK: DICOM

    private static func dicom(
        _ record: inout InspectionRecord.File, _ file: DICOMFile, _ hashesPixels: Bool
    ) -> PixelFailure? {
        let dataSet = file.dataSet
        record.format = "dicom"
        let sopClass = dataSet.uid(.sopClassUID) ?? file.meta.uid(.mediaStorageSOPClassUID)
        record.sopClass = sopClass.map { uid in SOPClass.of(uid).map { "\(uid) (\($0))" } ?? uid }
        record.transferSyntax = file.transferSyntax.name
        record.photometric = dataSet.string(.photometricInterpretation)
        (record.rows, record.columns) = (dataSet.int(.rows), dataSet.int(.columns))
        (record.samples, record.bits) = (dataSet.int(.samplesPerPixel), dataSet.int(.bitsStored))
        record.frames = dataSet.int(.numberOfFrames) ?? (record.rows == nil ? nil : 1)
        record.facts = file.warnings
        if let modality = dataSet.string(.modality) { record.facts.append("modality \(modality)") }
        for (index, segment) in dataSet.items(.segmentSequence).enumerated() {
            record.facts.append("segment \(index + 1): \(segment.text(.segmentLabel) ?? "")")
        }
        guard hashesPixels else { return nil }
        var first: DICOMFailure?
        var decoded = 0
        do throws(DICOMFailure) {
            let pixels = try PixelDescription(dataSet)
            let reader = try PixelReader(file, pixels)
            var digest = FileDigest.Accumulator()
            for number in 1...pixels.frames {
                do throws(DICOMFailure) {
                    digest.add(try reader.frame(number).canonicalBytes)
                    decoded += 1
                } catch {
                    first = first ?? error
                }
                // Whether it is one frame or all is known.
                if first != nil, decoded > 0 { break }
            }
            if first == nil { record.pixelSHA256 = digest.finish().hex }
        } catch {
            first = error
        }
        guard let first, first.code != "IN-NOTIMAGE" else { return nil }
        record.facts.append("pixels: \(first.code) \(first.message.withoutSubject)")
        return PixelFailure(record: FailureRecord(first), isWhole: decoded == 0)
    }

    // MARK: Pictures

    private static func tiff(_ record: inout InspectionRecord.File, _ file: InputFile, _ hashesPixels: Bool) {
        record.format = "tiff"
        do throws(ImageFilesFailure) {
            let tiff = try TIFFFile(file)
            let tags = try tiff.tags(0)
            (record.rows, record.columns, record.samples) = (tags.rows, tags.columns, tags.samples)
            (record.bits, record.frames) = (tags.bits, tiff.pageCount)
            record.transferSyntax = TIFFNames.compression(tags.compression)
            record.photometric = TIFFNames.photometric(tags.photometric)
            if hashesPixels {
                do throws(ImageFilesFailure) {
                    record.pixelSHA256 = try tiff.pixelDigest().hex
                } catch {
                    record.facts.append("pixels: \(error.code) \(error.message.withoutSubject)")
                }
            }
            let contents = try tiff.contents()
            record.facts += words(contents)
        } catch {
            record.facts.append("\(error.code) \(error.message.withoutSubject)")
        }
    }

    /// Program, pages and axes.
    private static func words(_ contents: TIFFContents) -> [String] {
        var facts: [String] = []
        if contents.program != .none { facts.append("written by or for \(contents.program.rawValue)") }
        for role in Set(contents.roles.map(\.rawValue)).subtracting([TIFFContents.Role.picture.rawValue]).sorted() {
            facts.append("\(contents.roles.count { $0.rawValue == role }) pages: \(role)")
        }
        for picture in contents.pictures {
            var axes = "\(picture.rows) × \(picture.columns) pixels"
            if picture.channels > 1 {
                axes +=
                    ", channels \((0..<picture.channels).prefix(12).map(picture.channelText).joined(separator: ", "))"
            }
            if picture.slices > 1 { axes += ", \(picture.slices) slices or pages" }
            if picture.times > 1 { axes += ", \(picture.times) times" }
            facts.append(axes)
            facts += picture.calibration.findings.map(\.text)
        }
        return facts + contents.findings.map(\.text)
    }

    private static func picture(
        _ record: inout InspectionRecord.File, _ format: String, _ file: InputFile, _ hashesPixels: Bool
    ) {
        record.format = format
        do throws(ImageFilesFailure) {
            guard let page = try ImageFile.readStored(file).first else { return }
            (record.rows, record.columns, record.samples) = (page.rows, page.columns, page.samples)
            (record.bits, record.frames) = (page.bits, 1)
            record.photometric = page.palette != nil ? "palette" : page.samples == 3 ? "RGB" : "grey"
            record.facts = page.findings.map(\.text)
            if hashesPixels { record.pixelSHA256 = FileDigest(of: page.bytes).hex }
        } catch {
            record.facts.append("\(error.code) \(error.message.withoutSubject)")
        }
    }
}
