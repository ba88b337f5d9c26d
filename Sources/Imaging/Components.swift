/// Connected parts of a mask, or of a volume of masks of one size (slices in order).
///
/// One mask is a volume of one slice, so each function exists once for both.
package struct Components: Sendable {
    /// What counts as touching.
    package enum Neighbours: Sendable {
        /// Shared sides: 4 in a plane, 6 in a volume.
        case faces
        /// Shared sides, edges or corners: 8 in a plane, 26 in a volume.
        case all
    }

    package let slices: Int
    package let rows: Int
    package let columns: Int
    /// 0 outside the mask, else the component's number from 1. *Shape*: `[slices · rows · columns]`.
    package let labels: [Int32]
    /// Pixels of each component; component n is at n − 1. Numbers follow the first pixel in row-major order.
    package let sizes: [Int]

    package var count: Int { sizes.count }

    /// The components of one mask.
    package init(of mask: Mask, neighbours: Neighbours = .all) { self.init(of: [mask], neighbours: neighbours) }

    /// The components of a volume. *Cost*: two passes; four bytes a pixel.
    package init(of volume: [Mask], neighbours: Neighbours = .all) {
        let first = volume.first ?? Mask(rows: 0, columns: 0)
        precondition(
            volume.allSatisfy { $0.rows == first.rows && $0.columns == first.columns },
            "Components: slices of different sizes")
        self.init(
            flags: volume.flatMap(\.flags), slices: volume.count, rows: first.rows, columns: first.columns,
            neighbours: neighbours)
    }

    private init(flags: [Bool], slices: Int, rows: Int, columns: Int, neighbours: Neighbours) {
        (self.slices, self.rows, self.columns) = (slices, rows, columns)
        let earlier = Self.earlierNeighbours(neighbours)
        var labels = [Int32](repeating: 0, count: flags.count)
        var parents: [Int32] = [0]
        func root(_ label: Int32) -> Int32 {
            var label = label
            while parents[Int(label)] != label {
                parents[Int(label)] = parents[Int(parents[Int(label)])]
                label = parents[Int(label)]
            }
            return label
        }
        for z in 0..<slices {
            for y in 0..<rows {
                for x in 0..<columns {
                    let i = (z * rows + y) * columns + x
                    guard flags[i] else { continue }
                    var label: Int32 = 0
                    for (dz, dy, dx) in earlier {
                        guard z + dz >= 0, y + dy >= 0, y + dy < rows, x + dx >= 0, x + dx < columns else { continue }
                        let other = labels[i + (dz * rows + dy) * columns + dx]
                        guard other != 0 else { continue }
                        let found = root(other)
                        if label == 0 {
                            label = found
                        } else if label != found {
                            // The smaller number wins, so that numbers keep the order of first pixels.
                            parents[Int(max(label, found))] = min(label, found)
                            label = min(label, found)
                        }
                    }
                    if label == 0 {
                        label = Int32(parents.count)
                        parents.append(label)
                    }
                    labels[i] = label
                }
            }
        }
        var numbers = [Int32](repeating: 0, count: parents.count)
        var sizes: [Int] = []
        for i in labels.indices where labels[i] != 0 {
            let label = Int(root(labels[i]))
            if numbers[label] == 0 {
                sizes.append(0)
                numbers[label] = Int32(sizes.count)
            }
            labels[i] = numbers[label]
            sizes[Int(numbers[label]) - 1] += 1
        }
        self.labels = labels
        self.sizes = sizes
    }

    /// The neighbours that come before a pixel in row-major order: half of all.
    private static func earlierNeighbours(_ neighbours: Neighbours) -> [(Int, Int, Int)] {
        if case .faces = neighbours { return [(-1, 0, 0), (0, -1, 0), (0, 0, -1)] }
        return (0..<13).map { ($0 / 9 - 1, $0 / 3 % 3 - 1, $0 % 3 - 1) }
    }

    /// The masks that hold the components for which `keep` is true.
    package func masks(where keep: (_ number: Int) -> Bool) -> [Mask] {
        let kept = [false] + (0..<count).map { keep($0 + 1) }
        return (0..<slices).map { slice in
            let area = rows * columns
            return Mask(
                rows: rows, columns: columns, flags: labels[slice * area..<(slice + 1) * area].map { kept[Int($0)] })
        }
    }
}

extension Components {
    /// Keeps the largest component; of equals the one that comes first.
    package static func largest(of volume: [Mask]) -> [Mask] {
        let components = Components(of: volume)
        guard let size = components.sizes.max(), let number = components.sizes.firstIndex(of: size) else {
            return volume
        }
        return components.masks { $0 == number + 1 }
    }

    package static func largest(of mask: Mask) -> Mask { largest(of: [mask])[0] }

    /// Drops components of fewer than `count` pixels.
    package static func removing(smallerThan count: Int, from volume: [Mask]) -> [Mask] {
        let components = Components(of: volume)
        return components.masks { components.sizes[$0 - 1] >= count }
    }

    package static func removing(smallerThan count: Int, from mask: Mask) -> Mask {
        removing(smallerThan: count, from: [mask])[0]
    }

    /// Fills what the mask encloses: background that is not connected, by shared sides, to the border of the image (of the
    /// volume, whose first and last slices are border too).
    package static func fillingHoles(in volume: [Mask]) -> [Mask] {
        let outside = Components(of: volume.map(\.inverted), neighbours: .faces)
        var open = Set<Int32>()
        for z in 0..<outside.slices {
            for y in 0..<outside.rows {
                for x in 0..<outside.columns {
                    let deep = outside.slices > 1 && (z == 0 || z + 1 == outside.slices)
                    guard deep || y == 0 || y + 1 == outside.rows || x == 0 || x + 1 == outside.columns else {
                        continue
                    }
                    open.insert(outside.labels[(z * outside.rows + y) * outside.columns + x])
                }
            }
        }
        let filled = outside.masks { !open.contains(Int32($0)) }
        return zip(volume, filled).map { $0.union($1) }
    }

    package static func fillingHoles(in mask: Mask) -> Mask { fillingHoles(in: [mask])[0] }
}

extension Mask {
    /// Set where this is not.
    package var inverted: Mask { Mask(rows: rows, columns: columns, flags: flags.map { !$0 }) }

    /// Set where either is. The masks have one size.
    package func union(_ other: Mask) -> Mask {
        precondition(
            rows == other.rows && columns == other.columns,
            "Mask: union of \(rows)×\(columns) and \(other.rows)×\(other.columns)")
        return Mask(rows: rows, columns: columns, flags: zip(flags, other.flags).map { $0 || $1 })
    }
}
