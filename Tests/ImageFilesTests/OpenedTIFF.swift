import Foundation
import ImageFiles
import Mutations

/// What `body` sees of a file, which is gone afterwards.
func opened<Result>(_ file: RawTIFF, _ body: (TIFFFile) throws -> Result) throws -> Result {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("opened-\(UUID().uuidString).tif").path
    try Data(file.bytes).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(try TIFFFile(path))
}

/// The planes that a selection takes, decoded, by their first values.
func firsts(_ file: RawTIFF, _ selection: TIFFSelection = TIFFSelection()) throws -> [[UInt16]] {
    try opened(file) { file in
        try file.contents().pictures.map { picture in
            try picture.planes(selection, path: "").map {
                try file.page($0, of: picture, survey: try file.survey($0)).values[0]
            }
        }
    }
}

/// A 3 × 5 page whose every value is `value`.
func page(_ value: Int, description: String? = nil) -> RawTIFF.Page {
    var page = RawTIFF.Page(rows: 3, columns: 5, data: [UInt8](repeating: UInt8(value), count: 15))
    page.description = description
    return page
}

func ome(
    order: String = "XYCZT", size: (Int, Int) = (5, 3), c: Int = 2, z: Int = 2, t: Int = 1, more: String = "",
    data: String = "<TiffData/>", own: String = ""
) -> String {
    let channels = ["DAPI", "GFP"].prefix(c).map { "<Channel Name=\"\($0)\" SamplesPerPixel=\"1\"/>" }.joined()
    return """
        <?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:\(own)">\
        <Image ID="Image:0"><Pixels DimensionOrder="\(order)" Type="uint8" SizeX="\(size.0)" SizeY="\(size.1)" \
        SizeC="\(c)" SizeZ="\(z)" SizeT="\(t)" \(more)>\(channels)\(data)</Pixels></Image></OME>
        """
}
