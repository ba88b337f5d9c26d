package import Storage

/// Formats of slide scanners and microscopes that are not read, told by their names: what of such a file could be read is a thumbnail, or
/// pictures in places that only its maker's format says.
package enum VendorFormat {
    /// Told by the file's first bytes and the end of its name; nil for others. A TIFF may be one still (`TIFFFile.contents`).
    package static func name(_ head: [UInt8], _ file: FilePath) -> String? {
        let name = file.text.lowercased()
        if head.starts(with: Array("ZISRAWFILE".utf8)) { return "Zeiss CZI" }
        if head.starts(with: [0xDA, 0xCE, 0xBE, 0x0A]) { return "Nikon ND2" }
        if head.starts(with: [0x70, 0, 0, 0]), name.hasSuffix(".lif") { return "Leica LIF" }
        if head.starts(with: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]),
            let format = [".zvi": "Zeiss ZVI", ".oib": "Olympus OIB"].first(where: { name.hasSuffix($0.key) })
        {
            return format.value
        }
        // Pictures by their bytes, which are the slide's thumbnail or overview: its pixels lie in files beside them.
        let companions = [
            ".mrxs": "3DHISTECH MRXS", ".vsi": "Olympus VSI", ".vms": "Hamamatsu VMS", ".vmu": "Hamamatsu VMU",
        ]
        return companions.first { name.hasSuffix($0.key) }?.value
    }

    /// Told by the tags of a TIFF; nil for others. *Throws* `ImageFilesFailure`.
    ///
    /// - Parameter description: of the first page.
    static func name(of file: TIFFFile, _ description: String) throws(ImageFilesFailure) -> String? {
        // NDPI: its own tags, and offsets above 4 GiB in a classic TIFF (ImageScope's and OpenSLIDE's descriptions).
        if try file.value(65_420, page: 0) != nil { return "Hamamatsu NDPI" }
        let description = description.prefix(4096)
        if description.contains("leica-microsystems.com/scn/") { return "Leica SCN" }
        if description.contains("DPUfsImport") { return "Philips TIFF" }
        for page in 0..<min(file.pageCount, 4) {
            // Ventana's tiles may overlap, and where they are to be joined only its XML says.
            guard let xml = try file.value(700, page: page)?.text, xml.contains("<TileJointInfo") else { continue }
            let overlaps = xml.split(separator: "Overlap").dropFirst().contains { rest in
                guard rest.hasPrefix("X=\"") || rest.hasPrefix("Y=\"") else { return false }
                let number = rest.dropFirst(3).prefix { $0 != "\"" }
                return Int(number).map { $0 != 0 } ?? true
            }
            if overlaps { return "Ventana BIF with overlapping tiles" }
        }
        return nil
    }
}
