internal import Storage

/// Where results are sent to.
package struct Destination: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A folder, such as a share: files appear whole under their names.
        case folder(path: String)
        /// A DICOM archive, by C-STORE.
        case dicom(DICOMPeer)
        /// A DICOMweb server, by STOW-RS.
        case dicomWeb(DICOMWebPeer)
    }

    /// What of a result is sent.
    package enum Part: String, Sendable, CaseIterable {
        /// One segmentation of each volume: the LABELMAP where there is one, and its BINARY twin where the peer does not take that;
        /// else the BINARY one, else the FRACTIONAL one.
        case seg
        /// Segmentations of exactly this kind.
        case binary, labelmap, fractional
        /// Measurement reports.
        case sr
        /// Pictures with the segments burnt in.
        case sc
        /// Contours of segments.
        case rtstruct
        /// Objects of slides and pictures, one by one.
        case annotations
        /// Segmentations on a regular grid.
        case regular
        /// Segmentations in which each object is a segment.
        case instances
        /// DICOM images that were made of TIFF, PNG and JPEG files.
        case image
        /// `report.html` and `report.json`; to folders only.
        case report
        /// Tables of measurements, and whatever else a result holds; to folders only.
        case tables

        package var isDICOM: Bool { self != .report && self != .tables }
    }

    package let name: String
    package let kind: Kind

    /// Digest of where it is: service and sender, which read the site file each at its own time, then mean the same place by its name.
    var address: String {
        let words =
            switch kind {
            case .folder(let path): ["folder", path]
            case .dicom(let peer): ["dicom", peer.host, "\(peer.port)", peer.called, peer.calling]
            case .dicomWeb(let peer): ["dicomweb", peer.url]
            }
        return FileDigest(of: words.joined(separator: "\n")).hex
    }

    package let parts: [Part]
    /// Waits after a failure: the first, doubled each time up to the longest.
    package let firstWait: Duration
    package let longestWait: Duration
    /// What could not be sent for this long is given up.
    package let giveUp: Duration
    /// Whether a result that asks for a person is sent only once one has dealt with it: in an archive nothing tells it from a sure one.
    package let holdsDoubtful: Bool
    /// Whether somebody has asked for just these parts: each is expected then.
    package let expectsParts: Bool

    package init(
        name: String, kind: Kind, parts: [Part], firstWait: Duration, longestWait: Duration, giveUp: Duration,
        holdsDoubtful: Bool = false, expectsParts: Bool = false
    ) {
        self.expectsParts = expectsParts
        self.holdsDoubtful = holdsDoubtful
        self.name = name
        self.kind = kind
        self.parts = parts
        self.firstWait = firstWait
        self.longestWait = longestWait
        self.giveUp = giveUp
    }
}

/// How a peer is asked whether it has what it took.
package enum DeliveryConfirmation: String, Sendable, CaseIterable {
    /// Its answer to each object is believed.
    case none
    /// Asked for each object: by C-FIND at IMAGE level, or by QIDO-RS.
    case query
    /// Asked to answer for the objects: N-ACTION, and its N-EVENT-REPORT. DICOM without TLS only.
    case commitment
}

/// PEM files for TLS: whom we believe, and who we are.
package struct TLSFiles: Sendable, Equatable {
    /// Certificates of those who vouch for the peer; nil: those that the system believes.
    package let authorities: String?
    /// Our own certificate and its key, where the peer asks for them.
    package let certificate: String?
    package let key: String?

    package init(authorities: String?, certificate: String?, key: String?) {
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
    }
}

/// A DICOM node.
package struct DICOMPeer: Sendable, Equatable {
    package let host: String
    package let port: Int
    /// Its application entity title, and ours.
    package let called: String
    package let calling: String
    package let confirmation: DeliveryConfirmation
    /// Nil: without TLS.
    package let tls: TLSFiles?
    /// The port on which an archive reports its storage commitment; nil: on the association that asked for it.
    package let reportPort: Int?
    /// How long that report is waited for.
    package let reportWait: Duration

    package init(
        host: String, port: Int, called: String, calling: String, confirmation: DeliveryConfirmation,
        tls: TLSFiles? = nil, reportPort: Int? = nil, reportWait: Duration = .seconds(60)
    ) {
        self.host = host
        self.port = port
        self.called = called
        self.calling = calling
        self.confirmation = confirmation
        self.tls = tls
        self.reportPort = reportPort
        self.reportWait = reportWait
    }
}

/// A DICOMweb server.
package struct DICOMWebPeer: Sendable, Equatable {
    /// The base of its services, such as `https://pacs.example.org/dicom-web`.
    package let url: String
    /// A file of header lines for every request, such as `Authorization: Bearer ...`: they stand in no process title.
    package let headers: String?
    package let confirmation: DeliveryConfirmation
    package let tls: TLSFiles?

    package init(url: String, headers: String?, confirmation: DeliveryConfirmation, tls: TLSFiles?) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.headers = headers
        self.confirmation = confirmation
        self.tls = tls
    }
}
