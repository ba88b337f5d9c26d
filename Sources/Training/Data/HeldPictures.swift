import ImageFiles

/// How much an image file holds, without decoding any of it. Of what cannot be opened one picture is assumed: reading it tells why.
struct HeldPictures {
    /// The pages of a TIFF that are pictures; 1 for everything else.
    let count: Int
    /// Most channels of a picture that are no colours: one of them is read.
    let channels: Int

    init(_ path: String) {
        let name = path.lowercased()
        guard name.hasSuffix(".tif") || name.hasSuffix(".tiff"), let file = try? TIFFFile(path),
            let contents = try? file.contents(),
            let planes = try? contents.pictures.map({ try $0.planes(TIFFSelection(), path: path).count })
        else {
            (count, channels) = (1, 1)
            return
        }
        count = planes.reduce(0, +)
        channels = max(1, contents.pictures.map(\.channels).max() ?? 1)
    }
}
