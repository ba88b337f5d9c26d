package import DICOM
import Imaging
import Numbers

/// DICOM objects of pictures that were none: multi-frame secondary captures, or visible light photographs.
///
/// *Source*: PS3.3 A.8.3 to A.8.5, A.32.2, A.32.4.
package struct RasterObject: Sendable {
    /// What the UIDs of study and series are derived from where the identity gives none.
    package struct Keys: Sendable {
        /// The same for all files of one study (a digest of the file or of the folder's sidecar).
        package var study: String
        /// The same for all files of one series.
        package var series: String
        /// From 1; the first instance's number in its series.
        package var firstInstanceNumber: Int

        /// Digests as text; the instance itself is named by its contents.
        package init(study: String, series: String, firstInstanceNumber: Int = 1) {
            self.study = study
            self.series = series
            self.firstInstanceNumber = firstInstanceNumber
        }
    }

    /// Whole, with its UIDs.
    package let dataSet: DataSet
    /// Derived from the digest of everything in `dataSet`.
    package let sopInstanceUID: String
    /// What the pixels and the modality make of it.
    package let sopClass: SOPClass

    /// One object of all pages, or one a page for visible light (which knows no frames).
    ///
    /// All pages have one size, sample count and depth: a caller makes a stack of each kind. Dates are the identity's, else the page's;
    /// without either the object has none.
    /// *Throws* `mismatch` for pages of two kinds, `illegal` for an identity that DICOM cannot hold.
    package static func objects(
        _ pages: [RasterPixels], identity: StudyIdentity, keys: Keys
    ) throws(ObjectFailure) -> [RasterObject] {
        guard let first = pages.first else { throw .mismatch("no pages") }
        for page in pages
        where (page.rows, page.columns, page.samples, page.bits) != (
            first.rows, first.columns, first.samples, first.bits
        ) {
            throw .mismatch(
                "pages of \(first.rows)×\(first.columns)×\(first.samples) and \(page.rows)×\(page.columns)×\(page.samples) in one stack"
            )
        }
        let sopClass = objectClass(first, identity.series.modality)
        let groups = isVisibleLight(sopClass) ? pages.map { [$0] } : [pages]
        var objects: [RasterObject] = []
        for (index, pages) in groups.enumerated() {
            objects.append(try RasterObject(pages, sopClass, identity, keys, number: keys.firstInstanceNumber + index))
        }
        return objects
    }

    private static func objectClass(_ page: RasterPixels, _ modality: String) -> SOPClass {
        if page.samples == 3 {
            switch modality {
            case "XC": return .vlPhotographicImageStorage
            case "GM": return .vlMicroscopicImageStorage
            default: return .multiFrameTrueColorSecondaryCaptureImageStorage
            }
        }
        // The byte class allows no other values than the stored ones (PS3.3 C.8.6.3).
        let isRescaled = page.rescale.map { $0.slope != 1 || $0.intercept != 0 } ?? false
        return page.bits > 8 || isRescaled
            ? .multiFrameGrayscaleWordSecondaryCaptureImageStorage
            : .multiFrameGrayscaleByteSecondaryCaptureImageStorage
    }

    private static func isVisibleLight(_ sopClass: SOPClass) -> Bool {
        sopClass == .vlPhotographicImageStorage || sopClass == .vlMicroscopicImageStorage
    }

    private init(
        _ pages: [RasterPixels], _ sopClass: SOPClass, _ identity: StudyIdentity, _ keys: Keys, number: Int
    ) throws(ObjectFailure) {
        let page = pages[0]
        self.sopClass = sopClass
        let time = identity.study.moment ?? page.time
        var dataSet = DataSet()
        dataSet.put(.specificCharacterSet, "ISO_IR 192")
        dataSet.put(.sopClassUID, sopClass.uid)
        dataSet.put(.instanceCreatorUID, InstanceCreator.imports)
        dataSet.put(.instanceNumber, number)
        // Of a picture that nobody dated, nothing is said (Type 2C).
        dataSet.put(.contentDate, time?.date ?? "")
        dataSet.put(.contentTime, time?.time ?? "")
        Self.put(identity, keys, page.time, into: &dataSet)
        if dataSet.string(.modality) == nil {
            dataSet.put(.modality, sopClass == .vlPhotographicImageStorage ? "XC" : "OT")
        }
        Self.putSpacing(page, identity, into: &dataSet)
        Self.putGeometry(pages, identity, keys, number, into: &dataSet)
        Self.putPixels(pages, sopClass, into: &dataSet)
        // The digest of everything in it: a UID never names two contents.
        sopInstanceUID = DerivedUID.uid(
            .importedInstance, [DataSetEncoder.writerRevision, DerivedUID.digest(try DataSetEncoder.data(dataSet))])
        dataSet.put(.sopInstanceUID, sopInstanceUID)
        self.dataSet = dataSet
    }

    /// Patient, Study, Series and Equipment.
    static func put(_ identity: StudyIdentity, _ keys: Keys, _ time: JobTime?, into dataSet: inout DataSet) {
        let (patient, study, series) = (identity.patient, identity.study, identity.series)
        dataSet.put(.patientName, name(patient.name))
        dataSet.put(.patientID, patient.id)
        dataSet.put(.patientBirthDate, patient.birthDate)
        dataSet.put(.patientSex, patient.sex)
        if !patient.issuer.isEmpty { dataSet.put(.issuerOfPatientID, patient.issuer) }
        // A DICOMDIR wants these three of every study (PS3.3 F.5.2): what nobody knows is told by a number of our own and 1970.
        let uid = study.uid ?? DerivedUID.uid(.importedStudy, [keys.study])
        dataSet.put(
            .studyID, study.id.isEmpty ? "P\(DerivedUID.digest(Array(uid.utf8)).prefix(8).uppercased())" : study.id)
        let day: JobTime? = study.date.isEmpty ? time ?? .unknown : nil
        dataSet.put(.studyDate, day?.date ?? study.date)
        dataSet.put(.studyTime, day?.time ?? (study.time.isEmpty ? JobTime.unknown.time : study.time))
        dataSet.put(.studyInstanceUID, uid)
        dataSet.put(.accessionNumber, study.accession)
        dataSet.put(.referringPhysicianName, name(study.referring))
        if !study.description.isEmpty { dataSet.put(.studyDescription, study.description) }
        dataSet.put(.seriesInstanceUID, series.uid ?? DerivedUID.uid(.importedSeries, [keys.series]))
        dataSet.put(.seriesNumber, series.number ?? 1)
        if !series.description.isEmpty { dataSet.put(.seriesDescription, series.description) }
        if !series.modality.isEmpty { dataSet.put(.modality, series.modality) }
        if !series.bodyPart.isEmpty { dataSet.put(.bodyPartExamined, series.bodyPart) }
        dataSet.put(.laterality, series.laterality)
        dataSet.putEmpty(.manufacturer)
        if let removal = identity.deidentified {
            dataSet.put(.patientIdentityRemoved, removal.removed)
            if !removal.method.isEmpty { dataSet.put(.deidentificationMethod, removal.method) }
        }
    }

    /// A Person Name of one component says that it is the family name (PS3.5 6.2.1): `Doe` becomes `Doe^`, which means the same.
    private static func name(_ text: String) -> String {
        text.isEmpty || text.contains("^") || text.contains("=") ? text : text + "^"
    }

    private static func putSpacing(_ page: RasterPixels, _ identity: StudyIdentity, into dataSet: inout DataSet) {
        if let spacing = identity.spacingMM ?? page.spacing {
            dataSet.put(.pixelSpacing, decimals: [spacing.row, spacing.column])
        } else if let aspect = page.pixelAspect, aspect.row > 0, aspect.column > 0, aspect.row != aspect.column {
            // IS holds whole numbers: thousandths are finer than any scanner.
            let scale = 1000 / max(aspect.row, aspect.column)
            dataSet.put(
                .pixelAspectRatio, [aspect.row, aspect.column].map { Int(rounding: $0 * scale, clampedTo: 1...1000) })
        }
    }

    /// Functional groups of slices whose distance is known, relative to the first of them; nothing for other pages.
    private static func putGeometry(
        _ pages: [RasterPixels], _ identity: StudyIdentity, _ keys: Keys, _ number: Int, into dataSet: inout DataSet
    ) {
        let positions = pages.compactMap(\.positionMM)
        guard pages.count > 1, positions.count == pages.count, Set(positions).count == pages.count,
            let spacing = identity.spacingMM ?? pages[0].spacing
        else { return }
        let step = zip(positions.sorted(), positions.sorted().dropFirst()).map { $1 - $0 }.min() ?? 0
        dataSet.put(
            .frameOfReferenceUID,
            DerivedUID.uid(.syntheticFrameOfReference, [keys.series, keys.study, String(number)]))
        dataSet.put(.positionReferenceIndicator, "")
        // With functional groups a date is Type 1: that of results of undated sources.
        if dataSet.string(.contentDate) == nil {
            dataSet.put(.contentDate, JobTime.unknown.date)
            dataSet.put(.contentTime, JobTime.unknown.time)
        }
        dataSet.put(
            .sharedFunctionalGroupsSequence,
            item: DataSet(composing: { shared in
                shared.put(
                    .planeOrientationSequence,
                    item: DataSet(composing: { $0.put(.imageOrientationPatient, decimals: [1, 0, 0, 0, 1, 0]) }))
                shared.put(
                    .pixelMeasuresSequence,
                    item: DataSet(composing: {
                        $0.put(.pixelSpacing, decimals: [spacing.row, spacing.column])
                        $0.put(.sliceThickness, decimals: [step])
                        $0.put(.spacingBetweenSlices, decimals: [step])
                    }))
            }))
        dataSet.put(
            .perFrameFunctionalGroupsSequence,
            items: positions.map { position in
                DataSet(composing: {
                    $0.put(.frameContentSequence, item: DataSet())
                    $0.put(
                        .planePositionSequence,
                        item: DataSet(composing: { $0.put(.imagePositionPatient, decimals: [0, 0, position]) }))
                })
            })
    }

    private static func putPixels(_ pages: [RasterPixels], _ sopClass: SOPClass, into dataSet: inout DataSet) {
        let page = pages[0]
        let isWord = sopClass == .multiFrameGrayscaleWordSecondaryCaptureImageStorage
        let derivation = pages.lazy.compactMap(\.derivation).first
        let isDerived = derivation != nil || (page.samples == 3 && page.bits > 8)
        dataSet.put(.imageType, [isDerived ? "DERIVED" : "ORIGINAL", "PRIMARY"])
        if let derivation = derivation ?? (isDerived ? "high 8 of \(page.bits) bits" : nil) {
            dataSet.put(.derivationDescription, derivation)
        }
        dataSet.putEmpty(.patientOrientation)
        dataSet.put(.samplesPerPixel, page.samples)
        dataSet.put(.photometricInterpretation, page.samples == 3 ? "RGB" : "MONOCHROME2")
        if page.samples == 3 { dataSet.put(.planarConfiguration, 0) }
        dataSet.put(.rows, page.rows)
        dataSet.put(.columns, page.columns)
        dataSet.put(.bitsAllocated, isWord ? 16 : 8)
        let bitsStored = !isWord ? 8 : page.bits > 8 ? page.bits : 16
        dataSet.put(.bitsStored, bitsStored)
        dataSet.put(.highBit, bitsStored - 1)
        dataSet.put(.pixelRepresentation, 0)
        // One page that lost something is enough; of several the one that lost most.
        let most = pages.compactMap(\.lossy).max { $0.ratio < $1.ratio }
        Lossy.put(most, into: &dataSet)
        if isVisibleLight(sopClass) {
            dataSet.put(.acquisitionContextSequence, items: [])
        } else {
            dataSet.put(.conversionType, "DI")
            dataSet.put(.burnedInAnnotation, "NO")
            dataSet.put(.numberOfFrames, pages.count)
            if pages.count > 1 {
                dataSet.put(.frameIncrementPointer, pointers: [.pageNumberVector])
                dataSet.put(.pageNumberVector, Array(1...pages.count))
            }
            if page.samples == 1 {
                if let padding = page.padding { dataSet.put(.pixelPaddingValue, padding) }
                dataSet.put(.presentationLUTShape, "IDENTITY")
                dataSet.put(.rescaleIntercept, decimals: [page.rescale?.intercept ?? 0])
                dataSet.put(.rescaleSlope, decimals: [page.rescale?.slope ?? 1])
                dataSet.put(.rescaleType, "US")
            }
        }
        var bytes: [UInt8] = []
        for page in pages { bytes += isWord ? page.words : page.bytes }
        if bytes.count % 2 == 1 { bytes.append(0) }
        dataSet[.pixelData] = Element(Attribute.pixelData.tag, isWord ? .OW : .OB, .bytes(bytes))
    }
}
