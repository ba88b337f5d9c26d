/// Where results are sent to.
package struct Destination: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A folder, such as a share: files appear whole under their names.
        case folder(path: String)
        /// A DICOM archive, by C-STORE.
        case dicom(DICOMPeer)
    }

    /// What of a result is sent.
    package enum Part: String, Sendable, CaseIterable {
        /// DICOM segmentations.
        case seg
        /// DICOM images that were made of TIFF files.
        case image
        /// `report.html` and `report.json`; to folders only.
        case report
    }

    package let name: String
    package let kind: Kind
    package let parts: [Part]
    /// Waits after a failure: the first, doubled each time up to the longest.
    package let firstWait: Duration
    package let longestWait: Duration
    /// What could not be sent for this long is given up.
    package let giveUp: Duration

    package init(
        name: String, kind: Kind, parts: [Part], firstWait: Duration, longestWait: Duration, giveUp: Duration
    ) {
        self.name = name
        self.kind = kind
        self.parts = parts
        self.firstWait = firstWait
        self.longestWait = longestWait
        self.giveUp = giveUp
    }

    /// Whether a file of a result, by its name, is sent there.
    func takes(_ file: String) -> Bool {
        if file.hasSuffix(".seg.dcm") { return parts.contains(.seg) }
        if file.hasSuffix(".dcm") { return parts.contains(.image) }
        guard case .folder = kind else { return false }
        return parts.contains(.report) && (file.hasPrefix("report.") || !file.contains("."))
    }
}

/// A DICOM node, and how it is asked whether it has what it took.
package struct DICOMPeer: Sendable, Equatable {
    package enum Confirmation: String, Sendable, CaseIterable {
        /// Its answer to each object is believed.
        case none
        /// Asked by C-FIND at IMAGE level for each object.
        case query
    }

    package let host: String
    package let port: Int
    /// Its application entity title, and ours.
    package let called: String
    package let calling: String
    package let confirmation: Confirmation

    package init(host: String, port: Int, called: String, calling: String, confirmation: Confirmation) {
        self.host = host
        self.port = port
        self.called = called
        self.calling = calling
        self.confirmation = confirmation
    }
}
