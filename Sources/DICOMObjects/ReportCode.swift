/// Concepts of a measurement report.
///
/// *Source*: PS3.16 2024e, TID 1500, 1501, 1001, 1004, 1410, 1411, 1419; CID 240, 244.
enum ReportCode {
    static let report = Code("126000", "DCM", "Imaging Measurement Report")
    static let language = Code("121049", "DCM", "Language of Content Item and Descendants")
    static let english = Code("en", "RFC5646", "English")
    static let observerType = Code("121005", "DCM", "Observer Type")
    static let device = Code("121007", "DCM", "Device")
    static let deviceUID = Code("121012", "DCM", "Device Observer UID")
    static let deviceName = Code("121013", "DCM", "Device Observer Name")
    static let deviceManufacturer = Code("121014", "DCM", "Device Observer Manufacturer")
    static let deviceModel = Code("121015", "DCM", "Device Observer Model Name")
    static let procedureReported = Code("121058", "DCM", "Procedure reported")
    static let imagingProcedure = Code("363679005", "SCT", "Imaging procedure")
    static let measurements = Code("126010", "DCM", "Imaging Measurements")
    static let group = Code("125007", "DCM", "Measurement Group")
    static let trackingIdentifier = Code("112039", "DCM", "Tracking Identifier")
    static let trackingUID = Code("112040", "DCM", "Tracking Unique Identifier")
    static let finding = Code("121071", "DCM", "Finding")
    static let findingSite = Code("363698007", "SCT", "Finding Site")
    static let laterality = Code("272741003", "SCT", "Laterality")
    static let topography = Code("106233006", "SCT", "Topographical modifier")
    static let algorithmName = Code("111001", "DCM", "Algorithm Name")
    static let algorithmVersion = Code("111003", "DCM", "Algorithm Version")
    static let referencedSegment = Code("121191", "DCM", "Referenced Segment")
    static let referencedFrame = Code("121214", "DCM", "Referenced Segmentation Frame")
    static let sourceSeries = Code("121232", "DCM", "Source series for segmentation")
    static let sourceImage = Code("121233", "DCM", "Source image for segmentation")
    static let presence = Code("121052", "DCM", "Presence of property")
    static let absent = Code("272519000", "SCT", "Absent")
    static let derivation = Code("121401", "DCM", "Derivation")
}

extension Code {
    /// A side (CID 244): right, left, both, one of them.
    var isLaterality: Bool {
        scheme == "SCT" && ["24028007", "7771000", "51440002", "66459002"].contains(value)
    }

    /// Right or left.
    package var isOneSide: Bool { isLaterality && ["24028007", "7771000"].contains(value) }

    /// Physical volume of a segment.
    package static let volume = Code("118565006", "SCT", "Volume")
    /// Of the frame where the segment is largest.
    package static let area = Code("42798000", "SCT", "Area")
    /// The longest diameter in one frame.
    package static let longAxis = Code("103339001", "SCT", "Long Axis")
    /// Across the longest diameter, in the same frame.
    package static let shortAxis = Code("103340004", "SCT", "Short Axis")
    /// X-ray attenuation.
    package static let attenuation = Code("112031", "DCM", "Attenuation Coefficient")
    /// Of magnetic resonance.
    package static let signalIntensity = Code("110852", "DCM", "MR signal intensity")
    /// Derivation: the mean.
    package static let mean = Code("373098007", "SCT", "Mean")
    /// Derivation: the median.
    package static let median = Code("373099004", "SCT", "Median")
    /// Derivation: the standard deviation.
    package static let standardDeviation = Code("386136009", "SCT", "Standard Deviation")
    /// Of the network, over the segment's pixels.
    package static let meanProbability = Code("HSP001", "99HSPSAM", "Mean foreground probability")
    /// Objects of a segment.
    package static let objectCount = Code("HSP002", "99HSPSAM", "Number of objects")
    /// Of one object, derived of all.
    package static let objectArea = Code("HSP003", "99HSPSAM", "Area of an object")
    /// Of one object that reaches over slices, derived of all.
    package static let objectVolume = Code("HSP004", "99HSPSAM", "Volume of an object")
    /// Of what was looked at.
    package static let objectDensity = Code("HSP005", "99HSPSAM", "Objects per area")

    /// mm³
    package static let cubicMillimetre = Code("mm3", "UCUM", "cubic millimeter")
    /// mm²
    package static let squareMillimetre = Code("mm2", "UCUM", "square millimeter")
    /// 1/mm²
    package static let perSquareMillimetre = Code("/mm2", "UCUM", "per square millimeter")
    /// µm²
    package static let squareMicrometre = Code("um2", "UCUM", "square micrometer")
    /// mm
    package static let millimetre = Code("mm", "UCUM", "millimeter")
    /// Pixels, where no spacing is known.
    package static let pixels = Code("{pixels}", "UCUM", "pixels")
    /// Hounsfield units
    package static let hounsfield = Code("[hnsf'U]", "UCUM", "Hounsfield unit")
    /// A number without unit.
    package static let noUnits = Code("1", "UCUM", "no units")
}
