/// How a data set and its pixels are encoded (PS3.5 section 10 and annex A), and who decodes it.
package struct TransferSyntax: Sendable, Equatable {
    /// Which decoder the pixels need.
    package enum Pixels: Sendable, Equatable {
        case native
        /// Fragments that hold frames without compression (PS3.5 A.4.11).
        case encapsulatedUncompressed
        /// Fragments that hold deflated frames (PS3.5 8.2.16, A.4.14).
        case deflatedFrames
        case rle
        case jpeg
        case jpegLS
        case jpeg2000
        /// Not decoded: why.
        case unsupported, video, referenced
    }

    package let uid: String
    package let name: String
    package let pixels: Pixels
    package let isExplicit: Bool
    package let isBigEndian: Bool
    package let isDeflated: Bool
    /// The compression always loses information (JPEG 2000's lossy syntaxes may still hold a reversible stream).
    package let isLossy: Bool

    /// Not one of those that demand lossless streams.
    var allowsLoss: Bool { isLossy || [".4.91", ".4.93", ".4.203"].contains { uid == Self.root + $0 } }

    private init(
        _ uid: String, _ name: String, _ pixels: Pixels, explicit: Bool = true, bigEndian: Bool = false,
        deflated: Bool = false, lossy: Bool = false
    ) {
        self.uid = uid
        self.name = name
        self.pixels = pixels
        isExplicit = explicit
        isBigEndian = bigEndian
        isDeflated = deflated
        isLossy = lossy
    }

    package static let implicitLittleEndian = TransferSyntax(
        root, "Implicit VR Little Endian", .native, explicit: false)
    package static let explicitLittleEndian = TransferSyntax(root + ".1", "Explicit VR Little Endian", .native)
    package static let explicitBigEndian = TransferSyntax(
        root + ".2", "Explicit VR Big Endian", .native, bigEndian: true)

    package static let rleLossless = TransferSyntax(root + ".5", "RLE Lossless", .rle)

    private static let root = "1.2.840.10008.1.2"

    /// Every syntax that is known by name, decoded or not.
    package static let all: [TransferSyntax] = [
        implicitLittleEndian,
        explicitLittleEndian,
        explicitBigEndian,
        TransferSyntax(
            root + ".1.98", "Encapsulated Uncompressed Explicit VR Little Endian", .encapsulatedUncompressed),
        TransferSyntax(root + ".1.99", "Deflated Explicit VR Little Endian", .native, deflated: true),
        rleLossless,
        TransferSyntax(root + ".4.50", "JPEG Baseline (Process 1)", .jpeg, lossy: true),
        TransferSyntax(root + ".4.51", "JPEG Extended (Processes 2 and 4)", .jpeg, lossy: true),
        TransferSyntax(root + ".4.53", "JPEG Spectral Selection (Processes 6 and 8), retired", .jpeg, lossy: true),
        TransferSyntax(root + ".4.55", "JPEG Full Progression (Processes 10 and 12), retired", .jpeg, lossy: true),
        TransferSyntax(root + ".4.57", "JPEG Lossless (Process 14)", .jpeg),
        TransferSyntax(root + ".4.70", "JPEG Lossless (Process 14, Selection Value 1)", .jpeg),
        TransferSyntax(root + ".4.80", "JPEG-LS Lossless", .jpegLS),
        TransferSyntax(root + ".4.81", "JPEG-LS Near-lossless", .jpegLS, lossy: true),
        TransferSyntax(root + ".4.90", "JPEG 2000 Lossless", .jpeg2000),
        TransferSyntax(root + ".4.91", "JPEG 2000", .jpeg2000),
        TransferSyntax(root + ".4.92", "JPEG 2000 Part 2 Lossless", .jpeg2000),
        TransferSyntax(root + ".4.93", "JPEG 2000 Part 2", .jpeg2000),
        TransferSyntax(root + ".4.201", "High-Throughput JPEG 2000 Lossless", .jpeg2000),
        TransferSyntax(root + ".4.202", "High-Throughput JPEG 2000 Lossless RPCL", .jpeg2000),
        TransferSyntax(root + ".4.203", "High-Throughput JPEG 2000", .jpeg2000),
        TransferSyntax(root + ".4.110", "JPEG XL Lossless", .unsupported),
        TransferSyntax(root + ".4.111", "JPEG XL JPEG Recompression", .unsupported, lossy: true),
        TransferSyntax(root + ".4.112", "JPEG XL", .unsupported, lossy: true),
        TransferSyntax(root + ".8.1", "Deflated Image Frame Compression", .deflatedFrames),
        TransferSyntax(root + ".4.94", "JPIP Referenced", .referenced),
        TransferSyntax(root + ".4.95", "JPIP Referenced Deflate", .referenced, deflated: true),
        TransferSyntax(root + ".4.204", "JPIP HTJ2K Referenced", .referenced),
        TransferSyntax(root + ".4.205", "JPIP HTJ2K Referenced Deflate", .referenced, deflated: true),
        TransferSyntax(root + ".4.100", "MPEG2 Main Profile / Main Level", .video, lossy: true),
        TransferSyntax(root + ".4.100.1", "Fragmentable MPEG2 Main Profile / Main Level", .video, lossy: true),
        TransferSyntax(root + ".4.101", "MPEG2 Main Profile / High Level", .video, lossy: true),
        TransferSyntax(root + ".4.101.1", "Fragmentable MPEG2 Main Profile / High Level", .video, lossy: true),
        TransferSyntax(root + ".4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", .video, lossy: true),
        TransferSyntax(
            root + ".4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", .video, lossy: true),
        TransferSyntax(root + ".4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", .video, lossy: true),
        TransferSyntax(root + ".4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", .video, lossy: true),
        TransferSyntax(root + ".4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", .video, lossy: true),
        TransferSyntax(root + ".4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", .video, lossy: true),
        TransferSyntax(root + ".4.107", "HEVC/H.265 Main Profile / Level 5.1", .video, lossy: true),
        TransferSyntax(root + ".4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", .video, lossy: true),
        TransferSyntax(root + ".7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video", .video),
        TransferSyntax(root + ".7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Active Video", .video),
        TransferSyntax(root + ".7.3", "SMPTE ST 2110-30 PCM Digital Audio", .video),
    ]

    private static let byUID = Dictionary(uniqueKeysWithValues: all.map { ($0.uid, $0) })

    /// The syntax of that UID; an unknown one is taken as Explicit VR Little Endian whose pixels nobody can decode.
    package init(uid: String) {
        self = Self.byUID[uid] ?? TransferSyntax(uid, "unknown", .unsupported)
    }

    /// Throws the refusal of a syntax whose pixels are not decoded.
    package func checkSupported() throws(DICOMFailure) {
        // A UID out of a file may hold anything; only digits and dots are repeated.
        let shown = uid.utf8.allSatisfy { $0 == 46 || (48...57).contains($0) } ? String(uid.prefix(64)) : "illegal"
        let found = "transfer syntax \(name) (TransferSyntaxUID = \(shown))"
        switch pixels {
        case .unsupported:
            throw .unsupportedSyntax(
                "\(found): no decoder for it.", cure: "Export the series as Explicit VR Little Endian or JPEG 2000.")
        case .video:
            throw .videoSyntax("\(found): a video stream is not decoded.", cure: "Export single images.")
        case .referenced:
            throw .referencedSyntax(
                "\(found): the pixels are on a server, not in the file.", cure: "Export with pixel data.")
        default: return
        }
    }
}
