package import DICOM

/// Setting attributes. What is set is checked when the object is encoded, not here: composing reads like the standard's tables.
extension DataSet {
    /// Text values in UTF-8, joined by backslashes and padded to even length.
    package mutating func put(_ attribute: Attribute, _ values: [String]) {
        var bytes = Array(values.joined(separator: "\\").utf8)
        if bytes.count % 2 == 1 { bytes.append(attribute.vr == .UI ? 0 : 0x20) }
        self[attribute] = Element(attribute.tag, attribute.vr, .bytes(bytes))
    }

    /// One text value; an empty one writes the attribute without a value.
    package mutating func put(_ attribute: Attribute, _ value: String) { put(attribute, [value]) }

    /// Numbers: US, UL and SL as binary, DS and IS as decimal text. A number that the VR cannot hold is written as none, which the
    /// encoder refuses where a value is needed.
    package mutating func put(_ attribute: Attribute, _ numbers: [Int]) {
        switch attribute.vr {
        case .US: put(attribute, bytes: numbers.flatMap { UInt16(exactly: $0)?.littleEndianBytes ?? [] })
        case .UL: put(attribute, bytes: numbers.flatMap { UInt32(exactly: $0)?.littleEndianBytes ?? [] })
        case .SL: put(attribute, bytes: numbers.flatMap { Int32(exactly: $0)?.littleEndianBytes ?? [] })
        default: put(attribute, numbers.map(String.init))
        }
    }

    /// One number, as several.
    package mutating func put(_ attribute: Attribute, _ number: Int) { put(attribute, [number]) }

    /// Decimal strings of at most 16 bytes.
    package mutating func put(_ attribute: Attribute, decimals: [Double]) {
        put(attribute, decimals.map { DecimalString.text($0) ?? "" })
    }

    /// Binary numbers (FD).
    package mutating func put(_ attribute: Attribute, doubles: [Double]) {
        put(attribute, bytes: doubles.flatMap { $0.bitPattern.littleEndianBytes })
    }

    /// The tags of attributes (VR AT).
    package mutating func put(_ attribute: Attribute, pointers: [Attribute]) {
        put(
            attribute, bytes: pointers.flatMap { $0.tag.group.littleEndianBytes + $0.tag.element.littleEndianBytes })
    }

    /// The value field as it is.
    package mutating func put(_ attribute: Attribute, bytes: [UInt8]) {
        self[attribute] = Element(attribute.tag, attribute.vr, .bytes(bytes))
    }

    /// A sequence of items.
    package mutating func put(_ attribute: Attribute, items: [DataSet]) {
        self[attribute] = Element(attribute.tag, .SQ, .items(items))
    }

    /// A sequence of one item.
    package mutating func put(_ attribute: Attribute, item: DataSet) { put(attribute, items: [item]) }

    /// The attribute without a value (Type 2).
    package mutating func putEmpty(_ attribute: Attribute) {
        let value: Element.Value = attribute.vr == .SQ ? .items([]) : .bytes([])
        self[attribute] = Element(attribute.tag, attribute.vr, value)
    }

    /// Image Pixel (PS3.3 C.7.6.3) of unsigned samples that use all of their bits: grey, or RGB by pixel.
    mutating func putImagePixel(rows: Int, columns: Int, samples: Int, bits: Int) {
        put(.samplesPerPixel, samples)
        put(.photometricInterpretation, samples == 3 ? "RGB" : "MONOCHROME2")
        if samples == 3 { put(.planarConfiguration, 0) }
        put(.rows, rows)
        put(.columns, columns)
        put(.bitsAllocated, bits)
        put(.bitsStored, bits)
        put(.highBit, bits - 1)
        put(.pixelRepresentation, 0)
    }

    /// A data set built in one expression.
    package init(composing build: (inout DataSet) -> Void) {
        self.init()
        build(&self)
    }
}

extension FixedWidthInteger {
    /// As the value fields of binary VRs hold it.
    var littleEndianBytes: [UInt8] {
        stride(from: 0, to: bitWidth, by: 8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}
