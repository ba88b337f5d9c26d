/// How much numbers of a geometry may differ and still mean the same; the only owner of these bounds.
enum Tolerance {
    /// Components of directions.
    static let cosine = 1e-3
    /// Coordinates of one place that is written twice, mm.
    static let place = 0.01
    /// Values that are written twice, relative to each other: what decimal strings lose.
    static let decimals = 1e-6
    /// Pixel spacings, relative to each other.
    static let spacing = 1e-3
    /// What is left at the top of an enhanced object beside what its frames say, or of a detector beside a calibration: rounded to tenths
    /// of mm, hundredths of directions, and 1 % of pixels.
    static let copied = (place: 0.1, cosine: 0.01, spacing: 0.01)
    /// Positions along the normal, relative to the median gap.
    static let position = 0.01
    /// A gap that is a multiple of the median gap, relative to that.
    static let multiple = 0.05
    /// How many times the median gap of uneven slices a gap is for which no slice stands.
    static let hole = 3.0
    /// How many times the smallest gap of a volume the median one may be for it to be told a hole: smaller ones are positions that wander.
    static let mostMissing = 10.0
    /// In-plane displacement for each mm along the normal.
    static let shear = 0.002
    /// Height of a pixel divided by its width, relative.
    static let aspect = 0.05
    /// What a slice shows and what was reconstructed, relative to the latter.
    static let diameter = 0.1
    /// How many times a pixel may be wider than slices lie apart.
    static let flattest = 20.0
    /// How much larger or smaller a projection may be than its factor says, relative; less than that is no enlargement.
    static let magnification = 0.1
    /// How far what was reconstructed is from a whole multiple of 16 pixels that are a slice's own.
    static let matrix = 0.25
    /// Cosine of the angle from which on letters of Patient Orientation are those of another direction: they name the largest share, two or
    /// three of them an oblique one.
    static let letters = 0.3
    /// Cosine of the angle up to which slices lie side by side though they are no one volume: 3 degrees.
    static let parallel = 0.9986
    /// Where the next slice would begin, relative to the median gap.
    static let line = 0.1
    /// Echo times and other settings that are meant to be one, relative to the largest.
    static let setting = 0.02
    /// Repetition Times of gated runs, which follow the heart.
    static let heartbeat = 0.4
    /// Thicknesses that differ by less are one that was measured or rounded otherwise, relative to the largest.
    static let thickness = 0.1
    /// From the first image of a volume to the last that was acquired: hours, and days where no hour is said.
    static let examination = (hours: 12, days: 1)
    /// One patient's age, years, and size and weight, relative, in the images of one volume.
    static let body = (years: 1.0, measure: 0.1)
    /// Distances that two attributes tell, of slices or from the source, relative, from which on one of them is of another image: a tilted
    /// gantry makes less of it.
    static let location = 0.25
    /// How many times thicker or thinner slices of a tomogram of nuclear medicine may be than they lie apart.
    static let tomogram = 2.5
    /// How much less neighbours by number differ than neighbours by place, relative, for the numbers to be believed more.
    static let continuity = 0.1
    /// How far from all originals a reformatted image shows what none of them does, relative to the median gap.
    static let reformatted = 0.75
    /// How far a slice lies beside the line of the others before it is elsewhere: mm, and relative to a pixel and to the median gap.
    static let beside = (mm: 1.0, pixels: 2.0, gaps: 0.5)
    /// How many times larger or smaller a slide may be said to be than its pixels are together.
    static let slideSize = 1.9
    /// How far levels of one slide may lie from each other, mm, and that and how large they are relative to their size.
    static let level = (mm: 1.0, size: 0.01)
    /// A place that a frame and the image that it names both say, relative to a pixel: beyond it pixels lie on others.
    static let samePixel = 0.5
    /// Directions as unit vectors, orthogonal to each other.
    static let unit = 0.01

    /// Positions closer than this are one whatever the gaps are, mm: 0.01, less where all slices lie closer (microscopy), but above
    /// what decimal strings lose.
    static func smallestGap(largest: Double) -> Double { max(1e-4, min(0.01, 0.1 * largest)) }
}
