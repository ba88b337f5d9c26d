import Processes
import Tensors

extension Ranks {
    /// The figures of all processes' batches, in the order of the batches, at every process.
    ///
    /// The sum goes from process to process, each adds its batches, and the last one tells it to all: what a step costs is one message of the
    /// trained tensors a process and a broadcast.
    ///
    /// - Parameters:
    ///   - figures: the first process's sum; becomes that of all.
    ///   - held: the batches of a later one, in their order.
    ///   - shapes: of the trained tensors.
    func sum(_ figures: inout Trainer.Figures, _ held: [Trainer.Figures], shapes: [Shape]) {
        let stops = figures.stops
        if !isFirst {
            var message = Message(shapes)
            message.receive(from: rank - 1, self)
            figures = message.figures(shapes)
            for one in held { figures.add(one) }
            figures.stops = figures.stops || stops
        }
        var message = Message(figures, shapes)
        if rank < count - 1 { message.send(to: rank + 1, self) }
        message.broadcast(from: count - 1, self)
        figures = message.figures(shapes)
    }

    /// Figures as numbers of a known count.
    private struct Message {
        /// Loss, Dice, cross-entropy, 1 to stop; then 1 for each tensor that has a gradient.
        private var scalars: [Double]
        /// All gradients one after the other, 0 where there is none.
        private var values: [Float]

        init(_ shapes: [Shape]) {
            scalars = [Double](repeating: 0, count: 4 + shapes.count)
            values = [Float](repeating: 0, count: shapes.reduce(0) { $0 + $1.count })
        }

        init(_ figures: Trainer.Figures, _ shapes: [Shape]) {
            scalars = [figures.loss, figures.dice, figures.crossEntropy, figures.stops ? 1 : 0]
            values = []
            values.reserveCapacity(shapes.reduce(0) { $0 + $1.count })
            for (index, shape) in shapes.enumerated() {
                let gradient = figures.gradients.isEmpty ? nil : figures.gradients[index]
                scalars.append(gradient == nil ? 0 : 1)
                values += gradient?.values ?? [Float](repeating: 0, count: shape.count)
            }
        }

        func figures(_ shapes: [Shape]) -> Trainer.Figures {
            var (start, gradients): (Int, [Tensor?]) = (0, [])
            for (index, shape) in shapes.enumerated() {
                let part = values[start..<start + shape.count]
                gradients.append(scalars[4 + index] > 0 ? Tensor(shape, Array(part)) : nil)
                start += shape.count
            }
            return Trainer.Figures(
                gradients: gradients, loss: scalars[0], dice: scalars[1], crossEntropy: scalars[2],
                stops: scalars[3] > 0)
        }

        func send(to other: Int, _ ranks: Ranks) {
            ranks.send(scalars, to: other)
            ranks.send(values, to: other)
        }

        mutating func receive(from other: Int, _ ranks: Ranks) {
            ranks.receive(&scalars, from: other)
            ranks.receive(&values, from: other)
        }

        mutating func broadcast(from other: Int, _ ranks: Ranks) {
            ranks.broadcast(&scalars, from: other)
            ranks.broadcast(&values, from: other)
        }
    }
}
