package import Storage

/// What is remembered of an image until its study's turn comes: a few hundred bytes, so that 50,000 are held at once.
package struct IndexedInstance: Sendable {
    package let file: InputFile
    package let studyInstanceUID: String
    package let seriesInstanceUID: String
    package let sopInstanceUID: String
    package let sopClassUID: String
    /// Of the data set's bytes (`DICOMFile.digest`).
    package var digest: FileDigest { digests.content }
    private let digests: FileDigests

    /// - Parameter texts: what instances have in common, held once.
    package init(_ instance: SourceInstance, _ file: InputFile, sharing texts: inout SharedTexts) {
        self.file = file
        studyInstanceUID = texts.shared(instance.studyInstanceUID)
        seriesInstanceUID = texts.shared(instance.seriesInstanceUID)
        sopInstanceUID = instance.sopInstanceUID
        sopClassUID = texts.shared(instance.sopClassUID)
        digests = instance.file.digests
    }

    /// Reads the header again, as it was found to be in order.
    ///
    /// *Throws*: `changed`, `unreadable`; what `SourceInstance` throws, should the file be another one now.
    package func read(limits: DICOMLimits = .standard) throws(DICOMFailure) -> SourceInstance {
        try SourceInstance(
            try DICOMFile(file, digests: digests, limits: limits), limits: limits, keepsPlanning: true)
    }
}

/// Texts that many values have in common, each in memory once.
package struct SharedTexts: Sendable {
    private var texts: Set<String> = []

    package init() {}

    package mutating func shared(_ text: String) -> String { texts.insert(text).memberAfterInsert }
}
