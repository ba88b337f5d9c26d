/// Lengths, areas and volumes in the unit that suits their size: what a microscope sees is told in µm.
extension NumberText {
    /// From 0.1 mm on in mm, from 0.1 µm on in µm, else in nm.
    package static func length(mm value: Double) -> String {
        let (scale, unit) = lengthUnit(value.magnitude)
        return "\(short(value * scale)) \(unit)"
    }

    /// Height and width in the smaller one's unit: `0.25 × 0.5 µm`.
    package static func size(mm rows: Double, _ columns: Double) -> String {
        let (scale, unit) = lengthUnit(min(rows.magnitude, columns.magnitude))
        return "\(short(rows * scale)) × \(short(columns * scale)) \(unit)"
    }

    private static func lengthUnit(_ mm: Double) -> (Double, String) {
        mm >= 0.1 || mm == 0 ? (1.0, "mm") : mm >= 1e-4 ? (1e3, "µm") : (1e6, "nm")
    }

    /// From 0.01 mm² on in mm², else in µm².
    package static func area(mm2 value: Double) -> String {
        value.magnitude >= 0.01 || value == 0 ? "\(short(value)) mm²" : "\(short(value * 1e6)) µm²"
    }

    /// From 0.001 ml on in ml, from 0.001 mm³ on in mm³, else in µm³.
    package static func volume(ml value: Double) -> String {
        if value.magnitude >= 1e-3 || value == 0 { return "\(short(value)) ml" }
        return value.magnitude >= 1e-6 ? "\(short(value * 1e3)) mm³" : "\(short(value * 1e12)) µm³"
    }
}

extension Double {
    /// Rounded to so many decimals, and to six digits where that would leave fewer: 0.0000545 mm² is an area.
    package func rounded(decimals: Int, orDigits digits: Int) -> Double {
        guard isFinite, self != 0 else { return self }
        var scaled = magnitude, count = 0
        while scaled < 1, count < 300 { (scaled, count) = (scaled * 10, count + 1) }
        return count == 0 ? rounded(decimals: decimals) : rounded(decimals: max(decimals, min(15, count - 1 + digits)))
    }
}
