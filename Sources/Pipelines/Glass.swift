import Imaging

/// Which parts of a slide show nothing but its glass: they are not given to the network.
///
/// In bright field glass is light and without colour, in fluorescence (grey) it is black. A tile is glass when fewer than one in a thousand
/// of its pixels are anything else: dust and noise of the sensor, less than the smallest thing worth a segment.
enum Glass {
    /// The darkest channel of a bright pixel.
    private static let bright: UInt8 = 220
    /// The largest difference between the channels of a pixel without colour.
    private static let colourless: UInt8 = 20
    /// The lightest that fluorescence's black may be.
    private static let black: UInt8 = 8

    static func isAll(of tile: DisplayImage, isColor: Bool) -> Bool {
        var others = 0
        let allowed = tile.rows * tile.columns / 1000
        for start in stride(from: 0, to: tile.pixels.count, by: 3) {
            let (r, g, b) = (tile.pixels[start], tile.pixels[start + 1], tile.pixels[start + 2])
            let (low, high) = (min(r, g, b), max(r, g, b))
            let isGlass = isColor ? (low >= bright && high - low <= colourless) || high == 0 : high <= black
            if !isGlass {
                others += 1
                if others > allowed { return false }
            }
        }
        return true
    }
}
