import DICOM
import Failures
import Foundation
import ImageFiles
import Mutations
import Pipelines
import Settings
import Tensors

/// What libFuzzer feeds, each with the real entry that a file of a user takes.
enum FuzzTarget: String, CaseIterable {
    case fileWalk = "file-walk"
    case rle
    case jpeg
    case jpegLS = "jpeg-ls"
    case jpeg2000
    case series
    case tiff
    case png
    case jpegPicture = "jpeg-picture"
    case pickle
    case safetensors
    case yaml

    func run(_ bytes: [UInt8]) {
        switch self {
        case .fileWalk: Self.check(WholeWay.run([bytes], limits: Self.limits))
        case .series: Self.check(SeriesProgram(bytes).run())
        case .rle: encapsulated(bytes, "1.2.840.10008.1.2.5")
        case .jpeg: encapsulated(bytes, "1.2.840.10008.1.2.4.51")
        case .jpegLS: encapsulated(bytes, "1.2.840.10008.1.2.4.80")
        case .jpeg2000: encapsulated(bytes, "1.2.840.10008.1.2.4.90")
        case .tiff, .png, .jpegPicture: picture(bytes)
        case .pickle: checkpoint(bytes)
        case .safetensors: safeTensors(bytes)
        case .yaml: settings(bytes)
        }
    }

    /// Small enough that no input takes long; every check is the same as with the limits of a run.
    private static var limits: DICOMLimits {
        var limits = DICOMLimits()
        limits.samplesPerFrame = 1 << 14
        limits.frames = 16
        limits.inflateFreeBytes = 1 << 20
        limits.inflateRatio = 10
        return limits
    }

    private static func check(_ ending: WholeWay.Ending) {
        if !ending.broken.isEmpty { defect(ending.broken.joined(separator: "\n")) }
    }

    /// Printed first: an optimised program says nothing of why it traps.
    private static func defect(_ text: String) -> Never {
        FileHandle.standardError.write(Data((text + "\n").utf8))
        fatalError("a defect of ours")
    }

    private func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            if !(error is any Failure) { Self.defect("not one of ours: \(error)") }
        }
    }

    /// Five bytes say what the pixel attributes are, the rest is the compressed frame.
    private func encapsulated(_ bytes: [UInt8], _ syntax: String) {
        guard bytes.count > 5 else { return }
        let isColour = bytes[2] & 1 != 0
        let models = ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "YBR_PARTIAL_422"]
        let object = RawObject.frame(
            Array(bytes[5...]), syntax: syntax, rows: Int(bytes[0]), columns: Int(bytes[1]), samples: isColour ? 3 : 1,
            photometric: isColour ? models[Int(bytes[4] >> 1) % models.count] : "MONOCHROME2",
            bits: [8, 16, 32, 1][Int(bytes[2] >> 1 & 3)], stored: UInt16(bytes[3] & 31) + 1, isSigned: bytes[4] & 1 != 0
        )
        attempt {
            let file = try DICOMFile(bytes: object.fileBytes)
            let reader = try PixelReader(file, try PixelDescription(file.dataSet), limits: Self.limits)
            _ = try reader.frame(1)
        }
    }

    private func picture(_ bytes: [UInt8]) {
        attempt {
            _ = try ImageFile.read(
                Self.file(bytes), limits: ImageLimits(maxSide: 512, maxSamples: 1 << 17, maxPages: 4))
        }
    }

    private func checkpoint(_ bytes: [UInt8]) {
        // The beginning of PyTorch's legacy form; the input is the object, the keys of its storages and their numbers.
        let head: [UInt8] =
            [0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
            + [0x80, 2, 0x4D, 0xE9, 3, 0x2E] + [0x80, 2, 0x7D, 0x2E]
        attempt {
            let checkpoint = try TorchCheckpoint(path: Self.file(head + bytes))
            for name in checkpoint.names { _ = try checkpoint.tensor(name) }
        }
    }

    private func safeTensors(_ bytes: [UInt8]) {
        attempt {
            let file = try SafeTensors(path: Self.file(bytes))
            for name in file.names where file.shape(name)?.count ?? 0 < 1 << 20 { _ = try file.tensor(name) }
        }
    }

    private func settings(_ bytes: [UInt8]) {
        attempt { _ = try Section.read(bytes, file: "pipeline.yaml") { try Pipeline($0) } }
    }

    /// One file in memory, written over again for each input.
    private static let path = "/dev/shm/hspsam-fuzz-\(getpid())"

    private static func file(_ bytes: [UInt8]) -> String {
        guard (try? Data(bytes).write(to: URL(fileURLWithPath: path))) != nil else {
            preconditionFailure("no room in /dev/shm")
        }
        return path
    }
}
