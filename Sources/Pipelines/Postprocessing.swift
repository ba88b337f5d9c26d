package import Imaging
import Numbers

/// What happens to masks after the network, in the pipeline's order, on the source's grid.
package enum PostprocessStep: Sendable, Equatable {
    /// Numbers of segments, from 1.
    case largestComponent([Int])
    case fillHoles([Int])
    /// Components below this leave every segment; needs spacing and thickness, otherwise nothing is done and a finding says so.
    case minSizeMM3(Double)
    case minSizePixels(Int)

    package var needsVoxelSize: Bool { if case .minSizeMM3 = self { true } else { false } }

    /// *Shape*: `masks[segment][frame]`. Frames that lie in space form one volume, others are taken one by one.
    func apply(_ masks: inout [[Mask]], isSpatial: Bool, _ voxels: VoxelSizes) {
        let shares = isSpatial ? voxels.shares : []
        let all = Array(1...max(1, masks.count))
        switch self {
        case .largestComponent(let numbers):
            each(numbers, &masks, isSpatial) { Components.largest(of: $0, shares: shares) }
        case .fillHoles(let numbers): each(numbers, &masks, isSpatial) { Components.fillingHoles(in: $0) }
        case .minSizeMM3:
            guard let least = least(voxels) else { return }
            each(all, &masks, isSpatial) { Components.removing(smallerThan: least, from: $0, shares: shares) }
        case .minSizePixels(let count):
            each(all, &masks, isSpatial) { Components.removing(smallerThan: Double(count), from: $0) }
        }
    }

    /// Pixels below which nothing counts; nil where the step asks for none, or nobody knows how large a pixel is.
    fileprivate func least(_ voxels: VoxelSizes) -> Double? {
        switch self {
        case .largestComponent, .fillHoles: nil
        // What is as large but for rounding stays.
        case .minSizeMM3(let size): voxels.mm3.map { size / $0 * (1 - 1e-9) }
        case .minSizePixels(let count): Double(count)
        }
    }

    private func each(_ numbers: [Int], _ masks: inout [[Mask]], _ isSpatial: Bool, _ change: ([Mask]) -> [Mask]) {
        for number in numbers where masks.indices.contains(number - 1) {
            let frames = masks[number - 1]
            guard frames.contains(where: { !$0.isEmpty }) else { continue }
            masks[number - 1] = isSpatial ? change(frames) : frames.flatMap { change([$0]) }
        }
    }
}

extension [PostprocessStep] {
    /// Every step in its order. *Shape*: `masks[segment][frame]`.
    package func apply(_ masks: inout [[Mask]], isSpatial: Bool, _ voxels: VoxelSizes) {
        for step in self { step.apply(&masks, isSpatial: isSpatial, voxels) }
    }

    /// A step that leaves nothing smaller than it says.
    var asksForSize: Bool {
        contains {
            switch $0 {
            case .minSizeMM3, .minSizePixels: true
            case .largestComponent, .fillHoles: false
            }
        }
    }

    /// Pixels that an object of a picture has at least, also where touching ones are told apart.
    package func least(_ voxels: VoxelSizes) -> Double { compactMap { $0.least(voxels) }.max() ?? 0 }
}

/// How large the pixels of a volume's frames are, for steps that measure.
package struct VoxelSizes: Sendable, Equatable {
    /// Of a pixel of the usual slice; nil where the source does not say how far pixels lie apart, or how thick is what they show.
    package let mm3: Double?
    /// Of each slice, how many usual ones it counts for, as its part of the volume does; empty where all count alike.
    package let shares: [Double]

    /// Nothing is known.
    package static let unknown = VoxelSizes(mm3: nil)

    package init(mm3: Double?, shares: [Double] = []) {
        self.mm3 = mm3
        self.shares = shares
    }
}
