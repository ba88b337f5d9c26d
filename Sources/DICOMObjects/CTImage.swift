package import DICOM
package import Imaging

/// One slice of a CT series, for phantoms of known truth.
///
/// *Source*: PS3.3 A.3, C.8.2.1.
package struct CTImage: Sendable {
    /// With the UIDs of study and series.
    package var identity: StudyIdentity
    /// Frame of Reference UID (0020,0052), one for the series.
    package var frameOfReferenceUID: String
    /// SOP Instance UID (0008,0018).
    package var sopInstanceUID: String
    /// Instance Number (0020,0013).
    package var instanceNumber: Int
    /// Content Date and Time.
    package var time: JobTime
    /// Where the slice lies in the patient.
    package var plane: Plane
    /// *Units*: mm.
    package var spacing: PixelSpacing
    /// *Units*: mm.
    package var sliceThickness: Double
    /// Pixels of a column.
    package let rows: Int
    /// Pixels of a row.
    package let columns: Int
    /// Hounsfield units, `[rows, columns]`; −1024…3071.
    package let values: [Int16]

    /// *Shape*: `values` `[rows, columns]`.
    package init(
        identity: StudyIdentity, frameOfReferenceUID: String, sopInstanceUID: String, instanceNumber: Int,
        time: JobTime,
        plane: Plane, spacing: PixelSpacing, sliceThickness: Double, rows: Int, columns: Int, values: [Int16]
    ) {
        precondition(values.count == rows * columns, "CTImage: \(values.count) values for \(rows)×\(columns)")
        self.identity = identity
        self.frameOfReferenceUID = frameOfReferenceUID
        self.sopInstanceUID = sopInstanceUID
        self.instanceNumber = instanceNumber
        self.time = time
        self.plane = plane
        self.spacing = spacing
        self.sliceThickness = sliceThickness
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    /// The data set. Study and series UIDs must stand in the identity.
    package var dataSet: DataSet {
        DataSet(composing: {
            $0.put(.specificCharacterSet, "ISO_IR 192")
            $0.put(.imageType, ["ORIGINAL", "PRIMARY", "AXIAL"])
            $0.put(.sopClassUID, SOPClass.ctImageStorage.uid)
            $0.put(.sopInstanceUID, sopInstanceUID)
            $0.put(.studyDate, identity.study.date)
            $0.put(.studyTime, identity.study.time)
            $0.put(.contentDate, time.date)
            $0.put(.contentTime, time.time)
            $0.put(.accessionNumber, identity.study.accession)
            $0.put(.modality, "CT")
            $0.put(.manufacturer, "hspsam phantom")
            $0.put(.referringPhysicianName, identity.study.referring)
            $0.put(.studyDescription, identity.study.description)
            $0.put(.seriesDescription, identity.series.description)
            $0.put(.patientName, identity.patient.name)
            $0.put(.patientID, identity.patient.id)
            $0.put(.patientBirthDate, identity.patient.birthDate)
            $0.put(.patientSex, identity.patient.sex)
            $0.put(.sliceThickness, decimals: [sliceThickness])
            $0.putEmpty(.kvp)
            $0.put(.patientPosition, "HFS")
            $0.put(.studyInstanceUID, identity.study.uid ?? "")
            $0.put(.seriesInstanceUID, identity.series.uid ?? "")
            $0.put(.studyID, identity.study.id)
            $0.put(.seriesNumber, identity.series.number ?? 1)
            // Only where the body part leaves it open (Type 2C).
            if identity.series.bodyPart.isEmpty {
                $0.putEmpty(.laterality)
            } else {
                $0.put(.bodyPartExamined, identity.series.bodyPart)
            }
            $0.putEmpty(.acquisitionNumber)
            $0.put(.instanceNumber, instanceNumber)
            $0.put(.imagePositionPatient, decimals: [plane.position.x, plane.position.y, plane.position.z])
            let (row, column) = (plane.rowCosine, plane.columnCosine)
            $0.put(.imageOrientationPatient, decimals: [row.x, row.y, row.z, column.x, column.y, column.z])
            $0.put(.frameOfReferenceUID, frameOfReferenceUID)
            $0.putEmpty(.positionReferenceIndicator)
            $0.put(.samplesPerPixel, 1)
            $0.put(.photometricInterpretation, "MONOCHROME2")
            $0.put(.rows, rows)
            $0.put(.columns, columns)
            $0.put(.pixelSpacing, decimals: [spacing.row, spacing.column])
            $0.put(.bitsAllocated, 16)
            $0.put(.bitsStored, 12)
            $0.put(.highBit, 11)
            $0.put(.pixelRepresentation, 0)
            $0.put(.windowCenter, "100")
            $0.put(.windowWidth, "600")
            $0.put(.rescaleIntercept, "-1024")
            $0.put(.rescaleSlope, "1")
            $0.put(.rescaleType, "HU")
            $0[.pixelData] = Element(
                Attribute.pixelData.tag, .OW,
                .bytes(
                    values.flatMap { value in
                        let stored = UInt16(min(max(Int(value) + 1024, 0), 4095))
                        return [UInt8(truncatingIfNeeded: stored), UInt8(stored >> 8)]
                    }))
        })
    }
}
