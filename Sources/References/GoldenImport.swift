import Foundation
import SegmentAnything
import Tensors

/// A checkpoint that official Segment Anything wrote: our import makes the same masks and predicted IoUs of the same image.
enum GoldenImport {
    static func check(_ directory: String, _ recorded: SafeTensors, _ precision: Precision) throws -> GoldenReport {
        var configuration = try Configuration.read(directory + "/config.json")
        configuration.apply(.sam)
        let image = try recorded.tensor("image").channelsLast()
        var masks = GoldenReport.Group("masks", tolerance: GoldenCheck.outputTolerance(precision))
        var iou = GoldenReport.Group("predicted IoU", tolerance: GoldenCheck.outputTolerance(precision))
        // The forms that hold the same numbers; half precision does not.
        for name in ["sam.pth", "sam_legacy.pth", "sam_wrapped.pth"]
        where FileManager.default.fileExists(atPath: "\(directory)/\(name)") {
            let tensors = try SAMImport("\(directory)/\(name)").tensors(for: configuration, fresh: [:])
            let model = HSPSAM(configuration, Parameters(tensors), packing: .uncalibrated(precision, configuration))
            let output = model(image)
            masks.add(name, GoldenCheck.relative(output.logits[0] ?? Tensor(zeros: [0]), try recorded.tensor("masks")))
            iou.add(name, GoldenCheck.relative(output.iou[0] ?? Tensor(zeros: [0]), try recorded.tensor("iou")))
        }
        return GoldenReport(groups: [masks, iou])
    }
}
