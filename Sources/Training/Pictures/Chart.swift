import Numbers
import Pages

/// Curves over steps as an inline SVG.
struct Chart {
    struct Curve {
        let name: String
        /// One of the page's classes: `a`, `b`, `c`.
        let style: String
        let points: [(x: Double, y: Double)]
        /// Points are marked, for few of them.
        var isMarked = false
    }

    private static let (width, height, left, bottom, top) = (720.0, 220.0, 56.0, 24.0, 12.0)
    /// Curves of more points are thinned to so many by means.
    private static let pointLimit = 300

    let title: String
    let curves: [Curve]

    var html: HTML {
        let drawn = curves.filter { !$0.points.isEmpty }.map { ($0, Self.thinned($0.points)) }
        let xs = drawn.flatMap { $0.1.map(\.x) }
        let ys = drawn.flatMap { $0.1.map(\.y) }
        guard let lastX = xs.max(), let low = ys.min(), let high = ys.max() else { return .empty }
        let (from, to) = high > low ? (low, high) : (low - 0.5, high + 0.5)
        func x(_ value: Double) -> Double { Self.left + (Self.width - Self.left - 8) * value / max(lastX, 1) }
        func y(_ value: Double) -> Double {
            Self.height - Self.bottom - (Self.height - Self.bottom - Self.top) * (value - from) / (to - from)
        }
        let grid: [HTML] = (0...4).map { line in
            let value = from + (to - from) * Double(line) / 4
            let at = NumberText.fixed(y(value), 1)
            return """
                <line class="grid" x1="\(NumberText.fixed(Self.left, 0))" x2="\(NumberText.fixed(Self.width - 8, 0))" y1="\(at)" y2="\(at)"/>\
                <text x="\(NumberText.fixed(Self.left - 6, 0))" y="\(at)" class="y">\(NumberText.short(value))</text>
                """
        }
        let lines: [HTML] = drawn.map { curve, points in
            let path = points.map { "\(NumberText.fixed(x($0.x), 1)),\(NumberText.fixed(y($0.y), 1))" }.joined(
                separator: " ")
            let marks: [HTML] =
                curve.isMarked
                ? points.map {
                    "<circle class=\"\(curve.style)\" r=\"3\" cx=\"\(NumberText.fixed(x($0.x), 1))\" cy=\"\(NumberText.fixed(y($0.y), 1))\"/>"
                } : []
            return "<polyline class=\"\(curve.style)\" points=\"\(path)\"/>\(marks)"
        }
        let names: [HTML] = drawn.map { "<span class=\"\($0.0.style)\">\($0.0.name)</span> " }
        return """
            <h2>\(title)</h2>
            <p class="names">\(names)</p>
            <svg viewBox="0 0 \(NumberText.fixed(Self.width, 0)) \(NumberText.fixed(Self.height, 0))" role="img" aria-label="\(title)">\
            \(grid)\(lines)<text x="\(NumberText.fixed(Self.width - 8, 0))" y="\(NumberText.fixed(Self.height - 6, 0))" class="x">step \
            \(NumberText.short(lastX))</text></svg>

            """
    }

    private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        guard points.count > pointLimit else { return points }
        let size = (points.count + pointLimit - 1) / pointLimit
        return stride(from: 0, to: points.count, by: size).map { start in
            let part = points[start..<min(start + size, points.count)]
            let count = Double(part.count)
            return (part.reduce(0) { $0 + $1.x } / count, part.reduce(0) { $0 + $1.y } / count)
        }
    }

    static let style = """
        svg { width: 100%; max-width: 60rem; height: auto }
        svg .grid { stroke: #8884; stroke-width: 1 }
        svg text { font-size: 11px; fill: currentColor } svg .y { text-anchor: end } svg .x { text-anchor: end }
        polyline { fill: none; stroke-width: 1.6 } circle { stroke: none }
        polyline.a { stroke: #3b82f6 } polyline.b { stroke: #f97316 } polyline.c { stroke: #16a34a }
        circle.a { fill: #3b82f6 } circle.b { fill: #f97316 } circle.c { fill: #16a34a }
        .names span { padding-left: .4rem; border-left: 1rem solid; margin-right: 1rem }
        .names .a { border-color: #3b82f6 } .names .b { border-color: #f97316 } .names .c { border-color: #16a34a }
        """
}
