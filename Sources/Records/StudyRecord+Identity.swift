extension StudyRecord.Identity {
    /// Keywords of the attributes by which two results of one study are of two patients or two studies; none where they are of one.
    ///
    /// As within one run: what one of both leaves empty contradicts nothing, nor does what DICOM leaves open, which is the case of a name
    /// and of a code, the blanks around both, empty components and groups of a name, and the points of an old date.
    ///
    /// *Source*: PS3.3 2024e, C.7.1.1 and C.7.2.1: these attributes are the same in every object of a patient and study.
    package func contradictions(_ other: Self) -> [String] {
        let attributes: [(keyword: String, value: KeyPath<Self, String>, meaning: (String) -> [String])] = [
            ("PatientID", \.patientID, Self.text), ("IssuerOfPatientID", \.issuerOfPatientID, Self.text),
            ("PatientName", \.patientName, Self.name), ("PatientBirthDate", \.patientBirthDate, Self.date),
            ("PatientSex", \.patientSex, Self.code), ("StudyDate", \.studyDate, Self.date),
            ("StudyID", \.studyID, Self.text), ("AccessionNumber", \.accessionNumber, Self.text),
        ]
        return attributes.filter { attribute in
            let (mine, its) = (
                attribute.meaning(self[keyPath: attribute.value]), attribute.meaning(other[keyPath: attribute.value])
            )
            return zip(mine, its).contains { !$0.isEmpty && !$1.isEmpty && $0 != $1 }
        }.map(\.keyword)
    }

    private static func text(_ value: String) -> [String] { [trimmed(value)] }
    private static func code(_ value: String) -> [String] { [trimmed(value).uppercased()] }
    private static func date(_ value: String) -> [String] { [trimmed(value).filter { $0 != "." }] }

    /// Its groups of components: alphabetic, ideographic, phonetic.
    private static func name(_ value: String) -> [String] {
        value.split(separator: "=", omittingEmptySubsequences: false).map { group in
            var components = group.split(separator: "^", omittingEmptySubsequences: false).map {
                trimmed($0).lowercased()
            }
            while components.last?.isEmpty == true { components.removeLast() }
            return components.joined(separator: "^")
        }
    }

    private static func trimmed(_ value: some StringProtocol) -> String {
        var value = value[...]
        while value.first == " " { value.removeFirst() }
        while value.last == " " { value.removeLast() }
        return String(value)
    }
}
