/// Whether the images of one series say alike what they are: results copy it from one of them, and pipelines are chosen by it.
///
/// *Source*: PS3.3 2024e, C.7.3.1: attributes of the General Series module are one for all images of a series.
enum SeriesConsistency {
    /// Its whole series has one, and a class of CT, MR or PET images has its own.
    ///
    /// *Throws* `identity`.
    static func checkModality(_ members: [SourceInstance]) throws(DICOMFailure) {
        let count = Set(members.map(\.modality)).count
        guard count <= 1 else {
            throw .identity(
                "\(Attribute.modality.keyword) \(Attribute.modality.tag) has \(count) values in one series: what its images are is uncertain.",
                cure: cure)
        }
        for instance in members {
            // Any other Modality than these three is imprecise, and says nothing else.
            guard let expected = SOPClass.of(instance.sopClassUID)?.modality, expected != instance.modality,
                ["CT", "MR", "PT"].contains(instance.modality)
            else { continue }
            throw .identity(
                "\(Attribute.modality.keyword) \(Attribute.modality.tag) is \(instance.modality) in an object whose class is that of \(expected) images: which of both it is is uncertain.",
                cure: cure)
        }
    }

    /// An image of one side is not of a series of the other: a result would repeat the series'.
    ///
    /// *Throws* `identity`.
    static func checkSides(_ members: [SourceInstance]) throws(DICOMFailure) {
        for instance in members {
            let sides = [Attribute.laterality, .imageLaterality].map { instance.dataSet.string($0)?.uppercased() ?? "" }
            guard sides == ["L", "R"] || sides == ["R", "L"] else { continue }
            throw .identity(
                "\(Attribute.laterality.keyword) \(Attribute.laterality.tag) and \(Attribute.imageLaterality.keyword) \(Attribute.imageLaterality.tag) name the two sides of the body in one image: which of them it shows is uncertain.",
                cure: cure)
        }
    }

    /// What the images of one volume say of their series. An image that says nothing contradicts none.
    ///
    /// Volumes of one series are not compared with each other: each says itself what it is.
    ///
    /// *Throws* `identity` naming the attribute.
    static func check(_ instances: [SourceInstance]) throws(DICOMFailure) {
        guard instances.count > 1 else { return }
        for attribute in [
            Attribute.seriesNumber, .seriesDescription, .protocolName, .bodyPartExamined, .laterality, .patientPosition,
        ] {
            let values = Set(instances.compactMap { meaning(attribute, $0.dataSet) })
            guard values.count > 1 else { continue }
            throw .identity(
                "\(attribute.keyword) \(attribute.tag) has \(values.count) values in the images of one volume: whether they belong together is uncertain.",
                cure: "Correct the series at its source, or send its images as the series that they are.")
        }
    }

    private static let cure = "Correct the series at its source."

    /// A number whatever its zeros are, a text whatever its case and the blanks around it are; nil for nothing.
    private static func meaning(_ attribute: Attribute, _ dataSet: DataSet) -> String? {
        if attribute.vr == .IS, let number = dataSet.int(attribute) { return String(number) }
        return dataSet.text(attribute)?.lowercased()
    }
}
