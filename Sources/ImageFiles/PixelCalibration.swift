package import Imaging
import Numbers

/// How large a picture's pixels are, by what the file says in the order in which it is believed: the program's own calibration, then
/// the resolution tags.
package struct PixelCalibration: Sendable, Equatable {
    /// Distance of pixel centres in mm; nil when nobody says it, or nobody who is believed.
    package private(set) var spacing: PixelSpacing?
    /// Height and width of a pixel in any unit, where the file says that they differ but not how large they are.
    package private(set) var aspect: PixelSpacing?
    /// Distance of slices in mm.
    package private(set) var sliceMM: Double?
    package private(set) var findings: [RasterFinding] = []
    /// The file says two sizes of its pixels: neither is believed.
    package private(set) var saysTwoScales = false
    /// Why the distance of slices that is said is none; nil: it is one, or not said.
    private(set) var sliceProblem: String?

    /// Nothing is said.
    init() {}

    /// Whether pages of both can lie in one stack: pixels of one size but for the rounding of fractions, or of none in both.
    func isSame(as other: PixelCalibration) -> Bool {
        func isSame(_ one: Double?, _ two: Double?) -> Bool {
            guard let one, let two else { return one == nil && two == nil }
            return one.isNear(two)
        }
        return isSame(spacing?.row, other.spacing?.row) && isSame(spacing?.column, other.spacing?.column)
            && isSame(aspect.map { $0.row / $0.column }, other.aspect.map { $0.row / $0.column })
    }

    // MARK: From a program

    /// From a microscope's or a program's own words: sizes of a pixel, mm.
    ///
    /// - Parameter program: who says so, for findings.
    init(program: String, rowMM: Double?, columnMM: Double?, sliceMM: Double? = nil) {
        switch (rowMM, columnMM) {
        case (let row?, let column?):
            if Self.isPlausible(row), Self.isPlausible(column) {
                spacing = PixelSpacing(row: row, column: column)
            } else {
                findings.append(
                    RasterFinding(
                        .scale, isWarning: true,
                        "\(program) gives a pixel size that no picture has: the picture has no scale."))
            }
        case (nil, nil): break
        default:
            findings.append(
                RasterFinding(
                    .scale, isWarning: true,
                    "\(program) gives the size of pixels in one direction only: the picture has no scale."))
        }
        guard let sliceMM else { return }
        if sliceMM > 1e-7, sliceMM < 1000 {
            self.sliceMM = sliceMM
        } else {
            sliceProblem = "by \(program) slices lie \(NumberText.short(sliceMM)) mm apart"
        }
    }

    /// The same with the sizes of pixels, and what there is to say of them, by resolution tags; those alone where they are not believed.
    func judged(as tags: PixelCalibration) -> PixelCalibration {
        guard tags.spacing != nil else { return tags }
        var judged = self
        (judged.spacing, judged.aspect, judged.findings) = (tags.spacing, tags.aspect, tags.findings)
        return judged
    }

    /// The same beside what else in the file says how large pixels are: without a scale where that is believed too and says another size.
    ///
    /// - Parameter names: who says the one and the other, for a person.
    func confirmed(by other: PixelCalibration, _ names: (String, String)) -> PixelCalibration {
        guard let own = spacing, let stated = other.spacing, !own.isSameResolution(as: stated) else { return self }
        var both = self
        (both.spacing, both.aspect, both.saysTwoScales) = (nil, nil, true)
        both.findings.append(
            RasterFinding(
                .scale, isWarning: true,
                "\(names.0) gives pixels of \(NumberText.size(mm: own.row, own.column)), \(names.1) \(NumberText.size(mm: stated.row, stated.column)): neither is believed."
            ))
        return both
    }

    /// From words that are no length: the picture has no scale, and nothing else is asked.
    init(notCalibratedBy program: String) {
        findings.append(
            RasterFinding(
                .scale, isWarning: true,
                "\(program) gives pixel sizes in a unit that is no length: the picture has no scale."))
    }

    /// From two words of which one cannot hold beside the other: neither is believed.
    init(contradictedBy one: String, _ other: String) {
        saysTwoScales = true
        findings.append(
            RasterFinding(.scale, isWarning: true, "\(one) and \(other) are none of one picture: neither is believed."))
    }

    /// From words about a picture of another size, which a program that made it smaller or cut it left standing.
    init(descriptionOfAnotherSizeBy program: String, _ size: [Int]) {
        findings.append(
            RasterFinding(
                .scale, isWarning: true,
                "\(program)'s description is of a picture of \(size[0]) × \(size[1]) pixels and stands in one of another size: the picture has no scale."
            ))
    }

    /// 0.1 nm to 5 mm.
    private static func isPlausible(_ mm: Double) -> Bool { mm.isFinite && mm >= 1e-7 && mm <= 5 }

    // MARK: From resolution tags

    /// What one pixel in `unit` is.
    package enum Unit: Sendable { case inch, centimetre, metre, none }

    /// From resolution tags, or what PNG and JPEG have of that kind: pixels a unit. Those of screens, printers and scanners' programs
    /// are no specimen's.
    init(rows: Double, columns: Double, unit: Unit) {
        guard rows > 0, columns > 0, rows.isFinite, columns.isFinite else { return }
        let mm: Double
        switch unit {
        case .inch: mm = 25.4
        case .centimetre: mm = 10
        case .metre: mm = 1000
        case .none:
            if abs(rows - columns) > 1e-6 * max(rows, columns) {
                aspect = PixelSpacing(row: 1 / rows, column: 1 / columns)
            }
            return
        }
        let perInch = [rows, columns].map { $0 * 25.4 / mm }
        if perInch.allSatisfy(Self.isOfScreens) {
            findings.append(
                RasterFinding(
                    .scale, isWarning: true,
                    "The resolution of \(NumberText.short(perInch[1])) pixels an inch is one of screens and printers, not of a specimen: the picture has no scale."
                ))
            if perInch[0] != perInch[1] { aspect = PixelSpacing(row: 1 / rows, column: 1 / columns) }
            return
        }
        guard Self.isPlausible(mm / rows), Self.isPlausible(mm / columns) else {
            findings.append(
                RasterFinding(
                    .scale, isWarning: true,
                    "The resolution tags give pixels of \(NumberText.size(mm: mm / rows, mm / columns)), which no picture has: the picture has no scale."
                ))
            return
        }
        spacing = PixelSpacing(row: mm / rows, column: mm / columns)
    }

    /// Dots an inch that programs, cameras, scanners and printers write without knowing what is imaged; 25.4 is libvips's pixel a millimetre.
    private static let screens: [Double] = [
        25.4, 72, 75, 90, 96, 100, 120, 144, 150, 180, 192, 200, 240, 254, 300, 350, 360, 400, 600, 720, 1200, 2400,
        4800,
    ]

    private static func isOfScreens(_ perInch: Double) -> Bool {
        screens.contains { screen in
            let isRounded = [72, 96, 150, 300, 600, 1200].contains(screen)
            let perCentimetre = (screen / 2.54).rounded(), perMetre = (screen / 0.0254).rounded()
            return abs(perInch - screen) < max(0.02, 1e-4 * screen)
                || isRounded && abs(perInch / 2.54 - perCentimetre) < 1e-3 || abs(perInch / 0.0254 - perMetre) < 0.6
        }
    }

    // MARK: Units

    /// A length's unit as OME, ImageJ and microscopes write it: its mm; nil for what is no length.
    ///
    /// *Source*: OME schema 2016-06, UnitsLength; ImageJ's `Calibration`.
    static func millimetres(_ unit: String) -> Double? {
        switch unit.trimmed {
        case "µm", "μm", "um", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres",
            "\\u00B5m",
            "&micro;m", "Âµm":
            1e-3
        case "nm", "nanometer", "nanometers", "nanometre", "nanometres": 1e-6
        case "Å", "angstrom", "Angstrom": 1e-7
        case "pm": 1e-9
        case "mm", "millimeter", "millimeters", "millimetre", "millimetres": 1
        case "cm", "centimeter", "centimeters", "centimetre", "centimetres": 10
        case "dm": 100
        case "m", "meter", "meters", "metre", "metres": 1000
        case "in", "inch", "inches", "\"": 25.4
        case "ft": 304.8
        case "pt": 25.4 / 72
        case "thou", "mil": 0.0254
        default: nil
        }
    }

    /// A unit that says that nothing was calibrated.
    static func isNone(_ unit: String) -> Bool {
        ["", "pixel", "pixels", "px", "reference frame"].contains(unit.trimmed.lowercased())
    }
}

extension Double {
    /// The same but for a share of the larger one; without one, but for the rounding of fractions in files.
    func isNear(_ other: Double, within share: Double = 1e-4) -> Bool {
        abs(self - other) <= share * max(abs(self), abs(other))
    }
}

extension PixelSpacing {
    /// The same but for a share.
    package func isNear(_ other: PixelSpacing, within share: Double) -> Bool {
        row.isNear(other.row, within: share) && column.isNear(other.column, within: share)
    }

    /// The same but for a hundredth, or for half a pixel a centimetre: JFIF rounds to whole ones.
    func isSameResolution(as other: PixelSpacing) -> Bool {
        zip([row, column], [other.row, other.column]).allSatisfy { one, two in
            one.isNear(two, within: 0.01) || abs(10 / one - 10 / two) <= 0.5
        }
    }
}

extension String {
    /// Without blanks at its ends.
    var trimmed: String {
        var view = Substring(self)
        while let first = view.first, first.isWhitespace { view.removeFirst() }
        while let last = view.last, last.isWhitespace { view.removeLast() }
        return String(view)
    }
}
