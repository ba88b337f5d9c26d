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
    func apply(_ masks: inout [[Mask]], isSpatial: Bool, voxelMM3: Double?) {
        switch self {
        case .largestComponent(let numbers): each(numbers, &masks, isSpatial) { Components.largest(of: $0) }
        case .fillHoles(let numbers): each(numbers, &masks, isSpatial) { Components.fillingHoles(in: $0) }
        case .minSizeMM3(let size):
            guard let voxelMM3 else { return }
            let count = Int(rounding: (size / voxelMM3).rounded(.up), clampedTo: 0 ... .max)
            each(Array(1...max(1, masks.count)), &masks, isSpatial) {
                Components.removing(smallerThan: count, from: $0)
            }
        case .minSizePixels(let count):
            each(Array(1...max(1, masks.count)), &masks, isSpatial) {
                Components.removing(smallerThan: count, from: $0)
            }
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
    package func apply(_ masks: inout [[Mask]], isSpatial: Bool, voxelMM3: Double?) {
        for step in self { step.apply(&masks, isSpatial: isSpatial, voxelMM3: voxelMM3) }
    }
}
