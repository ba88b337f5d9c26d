package import DICOM
package import Imaging

/// One level of a whole slide as a VL Whole Slide Microscopy object, or a part of its concatenation: of phantoms, and of slides that were
/// no DICOM.
///
/// *Source*: PS3.3 2024e, A.32.8, C.7.6.17.3, C.8.12.4.
package struct SlideImage: Sendable {
    package enum Flavor: String, Sendable {
        case volume = "VOLUME"
        case label = "LABEL"
    }

    /// A part of a concatenation.
    package struct Part: Sendable {
        package var uid: String
        /// From 1.
        package var number: Int
        package var count: Int
        /// Frames of the parts before it.
        package var offset: Int

        package init(uid: String, number: Int, count: Int, offset: Int) {
            (self.uid, self.number, self.count, self.offset) = (uid, number, count, offset)
        }
    }

    /// With the UIDs of study and series, or keys that they are derived from.
    package var identity: StudyIdentity
    package var keys: RasterObject.Keys
    package var frameOfReferenceUID: String
    package var flavor = Flavor.volume
    /// Derived from a finer level.
    package var isResampled = false
    /// Of the total pixel matrix.
    package var rows: Int
    package var columns: Int
    package var tileRows: Int
    package var tileColumns: Int
    package var spacing: PixelSpacing
    /// 1 (grey) or 3 (RGB).
    package var samples: Int
    /// Where each frame's tile lies, in the frames' order; nil for TILED_FULL.
    package var origins: [SlideMatrix.Origin]?
    package var part: Part?
    /// 8, or 9 to 16 in grey.
    package var bits = 8
    /// Lossy compression of the file that the pixels are from: DICOM's defined term (nil when it has none) and the ratio.
    package var lossy: (method: String?, ratio: Double)?
    /// In the file that the pixels are from.
    package var time: JobTime?

    package init(
        identity: StudyIdentity, keys: RasterObject.Keys, frameOfReferenceUID: String, rows: Int, columns: Int,
        tileRows: Int, tileColumns: Int, spacing: PixelSpacing, samples: Int
    ) {
        self.identity = identity
        self.keys = keys
        self.frameOfReferenceUID = frameOfReferenceUID
        (self.rows, self.columns) = (rows, columns)
        (self.tileRows, self.tileColumns) = (tileRows, tileColumns)
        self.spacing = spacing
        self.samples = samples
    }

    /// The middle of the matrix's first pixel, mm: a corner of the slide that nothing is known of.
    private static let corner = Vector3(20, 40, 0)
    private static let (rowCosine, columnCosine) = (Vector3(0, -1, 0), Vector3(-1, 0, 0))

    /// The object with its UIDs.
    ///
    /// - Parameters:
    ///   - pixels: one byte a sample, two (little-endian) above 8 bits, frame after frame, colour by pixel.
    ///   - contents: what identifies the pixels where they are not given.
    /// *Throws* `illegal` for an identity that DICOM cannot hold.
    package func dataSet(frames: Int, pixels: [UInt8], contents: String = "") throws(ObjectFailure) -> DataSet {
        var dataSet = DataSet()
        dataSet.put(.specificCharacterSet, "ISO_IR 192")
        dataSet.put(.sopClassUID, SOPClass.vlWholeSlideMicroscopyImageStorage.uid)
        dataSet.put(.instanceCreatorUID, InstanceCreator.imports)
        dataSet.put(.instanceNumber, keys.firstInstanceNumber)
        let content = identity.study.moment ?? time ?? .unknown
        dataSet.put(.contentDate, content.date)
        dataSet.put(.contentTime, content.time)
        dataSet.put(.acquisitionDateTime, content.dateTime)
        RasterObject.put(identity, keys, time, into: &dataSet)
        // A slide has no side.
        dataSet[.laterality] = nil
        dataSet.put(.modality, "SM")
        dataSet.put(.manufacturer, "hspsam")
        dataSet.put(.manufacturerModelName, "hspsam")
        dataSet.put(.deviceSerialNumber, "1")
        dataSet.put(.softwareVersions, "1")
        dataSet.put(.imageType, ["DERIVED", "PRIMARY", flavor.rawValue, isResampled ? "RESAMPLED" : "NONE"])
        dataSet.put(.frameOfReferenceUID, frameOfReferenceUID)
        dataSet.put(.positionReferenceIndicator, "SLIDE_CORNER")
        putTiling(frames, into: &dataSet)
        putSpecimen(into: &dataSet)
        putPixels(frames, pixels, into: &dataSet)
        let uid = DerivedUID.uid(
            .importedInstance,
            [DataSetEncoder.writerRevision, DerivedUID.digest(try DataSetEncoder.data(dataSet))]
                + (contents.isEmpty ? [] : [contents]))
        dataSet.put(.sopInstanceUID, uid)
        return dataSet
    }

    private func putTiling(_ frames: Int, into dataSet: inout DataSet) {
        let organization = DerivedUID.uid(.importedSeries, [keys.series, "tiles"])
        dataSet.put(
            .dimensionOrganizationSequence,
            item: DataSet(composing: { $0.put(.dimensionOrganizationUID, organization) }))
        dataSet.put(.dimensionOrganizationType, origins == nil ? "TILED_FULL" : "TILED_SPARSE")
        dataSet.put(.volumetricProperties, "VOLUME")
        dataSet.put(.imagedVolumeWidth, bytes: Self.float(Double(columns) * spacing.column))
        dataSet.put(.imagedVolumeHeight, bytes: Self.float(Double(rows) * spacing.row))
        dataSet.put(.imagedVolumeDepth, bytes: Self.float(1))
        let matrix = SlideMatrix(
            rows: rows, columns: columns, origins: origins ?? [], position: Self.corner, rowCosine: Self.rowCosine,
            columnCosine: Self.columnCosine)
        matrix.put(into: &dataSet)
        dataSet.put(.numberOfOpticalPaths, 1)
        let frameType = dataSet[.imageType].map { Element(Attribute.frameType.tag, .CS, $0.value) }
        dataSet.put(
            .sharedFunctionalGroupsSequence,
            item: DataSet(composing: { shared in
                shared.put(
                    .pixelMeasuresSequence,
                    item: DataSet(composing: {
                        $0.put(.pixelSpacing, decimals: [spacing.row, spacing.column])
                        $0.put(.sliceThickness, "0.001")
                    }))
                shared.put(
                    .opticalPathIdentificationSequence,
                    item: DataSet(composing: { $0.put(.opticalPathIdentifier, "1") }))
                shared.put(
                    .wholeSlideMicroscopyImageFrameTypeSequence,
                    item: DataSet(composing: { $0[.frameType] = frameType }))
            }))
        if let part {
            dataSet.put(.concatenationUID, part.uid)
            dataSet.put(.inConcatenationNumber, part.number)
            dataSet.put(.inConcatenationTotalNumber, part.count)
            dataSet.put(.concatenationFrameOffsetNumber, part.offset)
        }
        guard let origins else { return }
        func index(_ pointer: Attribute) -> DataSet {
            DataSet(composing: {
                $0.put(.dimensionOrganizationUID, organization)
                $0.put(.dimensionIndexPointer, pointers: [pointer])
                $0.put(.functionalGroupPointer, pointers: [.planePositionSlideSequence])
            })
        }
        dataSet.put(
            .dimensionIndexSequence,
            items: [index(.rowPositionInTotalImagePixelMatrix), index(.columnPositionInTotalImagePixelMatrix)])
        dataSet.put(.perFrameFunctionalGroupsSequence, items: origins.indices.map { group($0, matrix) })
    }

    /// The groups of one tile of TILED_SPARSE.
    private func group(_ frame: Int, _ matrix: SlideMatrix) -> DataSet {
        let origin = matrix.origins[frame]
        return DataSet(composing: { group in
            group.put(
                .frameContentSequence,
                item: DataSet(composing: {
                    $0.put(.dimensionIndexValues, [origin.row / tileRows + 1, origin.column / tileColumns + 1])
                }))
            group.put(.planePositionSlideSequence, item: matrix.place(frame, spacing: spacing))
        })
    }

    /// One specimen of which nothing is known, on one slide.
    private func putSpecimen(into dataSet: inout DataSet) {
        let name = String(keys.series.prefix(16))
        dataSet.put(.containerIdentifier, name)
        dataSet.putEmpty(.issuerOfTheContainerIdentifierSequence)
        dataSet.put(.containerTypeCodeSequence, item: Code("433466003", "SCT", "Microscope slide").item)
        dataSet.put(.acquisitionContextSequence, items: [])
        dataSet.put(
            .specimenDescriptionSequence,
            item: DataSet(composing: {
                $0.put(.specimenIdentifier, name)
                $0.put(.specimenUID, DerivedUID.uid(.importedSeries, [keys.series, "specimen"]))
                $0.putEmpty(.issuerOfTheSpecimenIdentifierSequence)
                $0.putEmpty(.specimenPreparationSequence)
            }))
        dataSet.put(.specimenLabelInImage, flavor == .label ? "YES" : "NO")
        dataSet.put(.focusMethod, "AUTO")
        dataSet.put(.extendedDepthOfField, "NO")
        dataSet.put(
            .opticalPathSequence,
            item: DataSet(composing: {
                $0.put(.opticalPathIdentifier, "1")
                let illumination =
                    samples == 3
                    ? Code("111744", "DCM", "Brightfield illumination")
                    : Code("111743", "DCM", "Epifluorescence illumination")
                $0.put(.illuminationTypeCodeSequence, item: illumination.item)
                $0.put(.illuminationColorCodeSequence, item: Code("414298005", "SCT", "Full Spectrum").item)
            }))
    }

    private func putPixels(_ frames: Int, _ pixels: [UInt8], into dataSet: inout DataSet) {
        dataSet.putImagePixel(rows: tileRows, columns: tileColumns, samples: samples, bits: bits > 8 ? 16 : 8)
        if bits > 8 {
            dataSet.put(.bitsStored, bits)
            dataSet.put(.highBit, bits - 1)
        }
        dataSet.put(.numberOfFrames, frames)
        dataSet.put(.burnedInAnnotation, flavor == .label ? "YES" : "NO")
        if samples == 1 {
            dataSet.put(.presentationLUTShape, "IDENTITY")
            dataSet.put(.rescaleIntercept, "0")
            dataSet.put(.rescaleSlope, "1")
        }
        Lossy.put(lossy, into: &dataSet)
        let bytes = pixels.count % 2 == 0 ? pixels : pixels + [0]
        dataSet[.pixelData] = Element(
            Attribute.pixelData.tag, bits > 8 ? .OW : Attribute.pixelData.vr, .bytes(bytes))
    }

    private static func float(_ value: Double) -> [UInt8] { Float(value).bitPattern.littleEndianBytes }
}
