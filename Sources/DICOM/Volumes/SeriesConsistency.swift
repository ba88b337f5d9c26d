/// Whether the images of one series say alike what they are: results copy it from one of them, and pipelines are chosen by it.
///
/// *Source*: PS3.3 2024e, C.7.3.1 and C.7.5.1: attributes of the General Series and General Equipment modules are one for all images of a
/// series.
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
            let dataSet = instance.dataSet
            let groups =
                dataSet.items(.sharedFunctionalGroupsSequence) + dataSet.items(.perFrameFunctionalGroupsSequence)
            let anatomy = groups.flatMap { $0.items(.frameAnatomySequence) }
            let own = [Attribute.laterality, .imageLaterality].compactMap { side(dataSet.string($0)) }
            let frames = anatomy.compactMap { side($0.string(.frameLaterality)) }
            let regions = [dataSet] + anatomy
            // Frames of both sides, or a region on both of them, name none.
            let sides = [own, single(frames), single(regions.flatMap(regionSides))].flatMap { $0 }
            guard Set(sides).count > 1 || own.contains(where: { !frames.isEmpty && !frames.contains($0) }) else {
                continue
            }
            throw .identity(
                "\(Attribute.laterality.keyword) \(Attribute.laterality.tag), \(Attribute.imageLaterality.keyword) \(Attribute.imageLaterality.tag), \(Attribute.frameLaterality.keyword) or \(Attribute.anatomicRegionModifierSequence.keyword) name the two sides of the body in one image: which of them it shows is uncertain.",
                cure: cure)
        }
    }

    private static func side(_ letter: String?) -> String? {
        guard let letter = letter?.uppercased(), ["L", "R"].contains(letter) else { return nil }
        return letter
    }

    private static func single(_ sides: [String]) -> [String] { Set(sides).count == 1 ? [sides[0]] : [] }

    /// *Source*: PS3.16 CID 244 (Laterality), as SNOMED CT and as SNOMED RT.
    private static func regionSides(_ dataSet: DataSet) -> [String] {
        dataSet.items(.anatomicRegionSequence).flatMap { $0.items(.anatomicRegionModifierSequence) }.compactMap {
            switch $0.string(.codeValue) {
            case "24028007", "G-A100": "R"
            case "7771000", "G-A101": "L"
            default: nil
            }
        }
    }

    /// What the images of one volume say of their series and of the device that made them. An image that says nothing contradicts none.
    ///
    /// Volumes of one series are not compared with each other: each says itself what it is.
    ///
    /// *Throws* `identity` naming the attribute.
    static func check(_ instances: [SourceInstance]) throws(DICOMFailure) {
        guard instances.count > 1 else { return }
        for attribute in [
            Attribute.seriesNumber, .seriesDescription, .protocolName, .bodyPartExamined, .laterality, .patientPosition,
            .manufacturer, .manufacturerModelName, .deviceSerialNumber, .magneticFieldStrength,
            .anatomicalOrientationType, .patientSpeciesDescription,
        ] {
            let values = Set(instances.compactMap { meaning(attribute, $0.dataSet) })
            guard values.count > 1 else { continue }
            throw .identity(
                "\(attribute.keyword) \(attribute.tag) has \(values.count) values in the images of one volume: whether they belong together is uncertain.",
                cure: "Correct the series at its source, or send its images as the series that they are.")
        }
        try checkBody(instances)
    }

    /// Age, size and weight in the images of one volume, which one person has at one time: where patients are called alike, as after
    /// anonymization, nothing else tells them apart. A birthday may lie between two images; 0 is how some say that they do not know.
    ///
    /// *Throws* `identity` naming the attribute.
    private static func checkBody(_ instances: [SourceInstance]) throws(DICOMFailure) {
        func isOne(_ attribute: Attribute, _ value: (DataSet) -> Double?, _ bound: (Double) -> Double) -> Bool {
            let values = instances.compactMap { value($0.dataSet) }.filter { $0 > 0 }
            guard let least = values.min(), let most = values.max() else { return true }
            return most - least <= bound(most)
        }
        let attributes: [Attribute] = [.patientAge, .patientSize, .patientWeight]
        let odd = attributes.first { attribute in
            attribute == .patientAge
                ? !isOne(attribute, age) { _ in Tolerance.body.years }
                : !isOne(attribute, { $0.double(attribute) }) { Tolerance.body.measure * $0 }
        }
        guard let odd else { return }
        throw .identity(
            "\(odd.keyword) \(odd.tag) differs in the images of one volume as in no one patient: whose images they are is uncertain.",
            cure: "Correct the series at its source, or send its images as the series that they are.")
    }

    /// Patient's Age, years; nil for what is none.
    private static func age(_ dataSet: DataSet) -> Double? {
        guard let text = dataSet.text(.patientAge), let unit = text.last, let count = Double(text.dropLast()) else {
            return nil
        }
        switch unit {
        case "Y": return count
        case "M": return count / 12
        case "W": return count / 52
        case "D": return count / 365
        default: return nil
        }
    }

    private static let cure = "Correct the series at its source."

    /// Slices were acquired in one examination, which may go over midnight.
    ///
    /// *Throws* `identity`.
    static func checkTimes(_ slices: [SourceFrame]) throws(DICOMFailure) {
        let moments = slices.compactMap(moment)
        let days = moments.map(\.day)
        let hours = moments.compactMap { moment in moment.hour.map { moment.day * 24 + $0 } }
        guard let first = days.min(), let last = days.max(), let earliest = hours.min() ?? days.min(),
            let latest = hours.max() ?? days.max()
        else { return }
        let isLong =
            hours.count == moments.count
            ? latest - earliest > Tolerance.examination.hours : last - first > Tolerance.examination.days
        guard isLong else { return }
        throw .identity(
            "\(Attribute.acquisitionDate.keyword) \(Attribute.acquisitionDate.tag) or \(Attribute.acquisitionDateTime.keyword) says that images of one volume were acquired \(last - first > 1 ? "\(last - first) days" : "\(latest - earliest) hours") apart: whether they belong together is uncertain.",
            cure: "Correct the series at its source, or send its images as the series that they are.")
    }

    /// The day on which a frame was acquired, counted from any one, and the hour of it; nil where no date is said.
    private static func moment(_ frame: SourceFrame) -> (day: Int, hour: Int?)? {
        let (stated, time) = frame.acquisition
        // Dates were once written with dots, and times with colons.
        let date = stated.filter { $0 != "." }
        guard date.count >= 8, let number = Int(date.prefix(8)), number > 0 else { return nil }
        let (year, month, day) = (number / 10000, number / 100 % 100, number % 100)
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        // Years begin in March, so that leap days are their ends.
        let months = (month + 9) % 12
        let years = year - (month < 3 ? 1 : 0)
        let count = years * 365 + years / 4 - years / 100 + years / 400 + (months * 306 + 5) / 10 + day
        return (count, Int(time.prefix(2)))
    }

    /// A number whatever its zeros are, a text whatever its case and the blanks around it are; nil for nothing.
    private static func meaning(_ attribute: Attribute, _ dataSet: DataSet) -> String? {
        if attribute.vr == .IS, let number = dataSet.int(attribute) { return String(number) }
        if attribute.vr == .DS, let number = dataSet.double(attribute) { return String(number) }
        return dataSet.text(attribute)?.lowercased()
    }
}
