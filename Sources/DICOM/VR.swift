/// Value representations (PS3.5 6.2).
package enum VR: String, Sendable, CaseIterable {
    case AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, OB, OD, OF, OL, OV, OW, PN, SH, SL, SQ, SS, ST, SV, TM, UC, UI,
        UL,
        UN, UR, US, UT, UV

    /// Explicit VR with a 32-bit length field (PS3.5 7.1.2).
    package var hasLongLength: Bool {
        switch self {
        case .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .SV, .UC, .UN, .UR, .UT, .UV: true
        default: false
        }
    }

    /// Text whose characters follow Specific Character Set (0008,0005).
    package var isEncodedText: Bool {
        switch self {
        case .LO, .LT, .PN, .SH, .ST, .UC, .UT: true
        default: false
        }
    }

    /// Any text; values are separated by a backslash, padded with a space (UI: NUL).
    package var isText: Bool {
        switch self {
        case .AE, .AS, .CS, .DA, .DS, .DT, .IS, .TM, .UI, .UR: true
        default: isEncodedText
        }
    }

    /// Bytes of one binary value; nil for text, sequences and byte strings.
    package var valueSize: Int? {
        switch self {
        case .US, .SS, .OW: 2
        case .UL, .SL, .FL, .AT, .OF, .OL: 4
        case .FD, .SV, .UV, .OD, .OV: 8
        case .OB, .UN: 1
        default: nil
        }
    }
}
