/// A landscape of whole numbers cut into the domains of its peaks: watershed by flooding from above.
///
/// Pixels come in the order of their heights, those of equal height in row-major order, so nothing depends on threads. Each goes to the
/// domain of its highest neighbour; where two domains meet, the one with the lower peak joins the other unless it rises enough above the
/// place where they meet (the dynamics of a peak).
///
/// *Source*: P. Soille, Morphological Image Analysis (2003), 9.2; M. Grimaud, Proc. SPIE 1769 (1992), for dynamics.
enum Watershed {
    /// The domain of each pixel; 0 outside, other numbers need not be consecutive.
    ///
    /// - Parameters:
    ///   - heights: `[rows · columns]`, row-major, from 0; 0 is outside of the landscape. All pixels at the border are.
    ///   - rise: how much a peak of a height must rise above a pass to have a domain of its own; at least 1, or every pixel of a level peak
    ///     would have one.
    /// *Cost*: linear in pixels and in the largest height.
    static func domains(of heights: [Int32], columns: Int, rise: (_ peak: Int32) -> Int32) -> [Int32] {
        var domains = [Int32](repeating: 0, count: heights.count)
        // Domains from 1, and the peak of each.
        var sets = DisjointSets(count: 1)
        var peaks: [Int32] = [0]
        let around = [-columns - 1, -columns, -columns + 1, -1, 1, columns - 1, columns, columns + 1]
        for pixel in fromAbove(heights) {
            var highest: (height: Int32, domain: Int32) = (0, 0)
            for step in around where domains[pixel + step] > 0 && heights[pixel + step] > highest.height {
                highest = (heights[pixel + step], domains[pixel + step])
            }
            guard highest.domain > 0 else {
                domains[pixel] = sets.add()
                peaks.append(heights[pixel])
                continue
            }
            domains[pixel] = sets.root(highest.domain)
            for step in around where domains[pixel + step] > 0 {
                let (a, b) = (sets.root(domains[pixel]), sets.root(domains[pixel + step]))
                guard a != b else { continue }
                // Of equal peaks the first one stays.
                let (stays, joins) =
                    (peaks[Int(a)], -a) > (peaks[Int(b)], -b) ? (a, b) : (b, a)
                let peak = peaks[Int(joins)]
                if peak - heights[pixel] < rise(peak) { sets.join(joins, to: stays) }
            }
        }
        for pixel in domains.indices where domains[pixel] > 0 { domains[pixel] = sets.root(domains[pixel]) }
        return domains
    }

    /// Domains of which each has `least` pixels or more, or no neighbour: a smaller one, the smallest first, joins the one that it touches
    /// in most places, of equals the one of the smaller number.
    ///
    /// *Shape*: `domains` as `domains(of:columns:rise:)` gives them. *Cost*: one pass over the pixels, and the pairs that touch.
    static func joining(smallerThan least: Double, of domains: [Int32], columns: Int) -> [Int32] {
        var sizes: [Int32: Int] = [:]
        for domain in domains where domain > 0 { sizes[domain, default: 0] += 1 }
        guard sizes.count > 1, sizes.values.contains(where: { Double($0) < least }) else { return domains }
        var contacts: [Int32: [Int32: Int]] = [:]
        for (pixel, domain) in domains.enumerated() where domain > 0 {
            for step in [1, columns - 1, columns, columns + 1] {
                let other = domains[pixel + step]
                guard other > 0, other != domain else { continue }
                contacts[domain, default: [:]][other, default: 0] += 1
                contacts[other, default: [:]][domain, default: 0] += 1
            }
        }
        var joined: [Int32: Int32] = [:]
        while true {
            let small = sizes.filter { Double($0.value) < least && contacts[$0.key] != nil }
                .sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
            guard !small.isEmpty else { break }
            // One that grew meanwhile is looked at again in the next round.
            for domain in small {
                guard let size = sizes[domain], Double(size) < least,
                    let best = contacts[domain]?.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) })?.key
                else { continue }
                joined[domain] = best
                sizes[domain] = nil
                sizes[best, default: 0] += size
                for (other, count) in contacts.removeValue(forKey: domain) ?? [:] {
                    contacts[other]?[domain] = nil
                    guard other != best else { continue }
                    contacts[other]?[best, default: 0] += count
                    contacts[best]?[other, default: 0] += count
                }
                if contacts[best]?.isEmpty == true { contacts[best] = nil }
            }
        }
        return domains.map { domain in
            var domain = domain
            while let next = joined[domain] { domain = next }
            return domain
        }
    }

    /// The pixels of the landscape from the highest to the lowest.
    private static func fromAbove(_ heights: [Int32]) -> [Int] {
        var places = [Int](repeating: 0, count: Int(heights.max() ?? 0) + 1)
        for height in heights where height > 0 { places[Int(height)] += 1 }
        var next = 0
        for height in places.indices.reversed() { (places[height], next) = (next, next + places[height]) }
        var pixels = [Int](repeating: 0, count: next)
        for (pixel, height) in heights.enumerated() where height > 0 {
            pixels[places[Int(height)]] = pixel
            places[Int(height)] += 1
        }
        return pixels
    }
}
