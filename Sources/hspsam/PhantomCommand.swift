import ArgumentParser
import Failures
import Phantoms
import Storage

/// `hspsam phantom`: synthetic studies of known truth.
struct PhantomCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phantom", abstract: "Writes a synthetic study of known truth.",
        discussion: """
            Example: hspsam phantom body --out body --seed 7
            The study's files stand in body, their truth (masks as PNG, truth.json) in body.truth. The same seed gives the same bytes.
              dermoscopy    a skin lesion as VL Photographic DICOM
              fluorescence  cell nuclei as TIFF, 8 and 16 bit, with a sidecar
              slide         nuclei here and there on a whole slide, two levels and a label, as DICOM
              body          an asymmetric body in an oblique CT-like volume
            Training pairs: hspsam phantom body --pairs 800 --seed 1000 --out pairs
            writes 800 slices with their masks to pairs/images and pairs/masks, windowed from -200 to 400 HU.
            """)

    @Argument(help: "\(PhantomStudy.Kind.allCases.map(\.rawValue).joined(separator: ", ")).") var kind: String
    @Option(help: "The folder to write; made when missing.") var out: String
    @Option(help: "Shape, place, contrast and noise; another seed is another study.") var seed: UInt64 = 1
    @Option(help: "Instead of a study write that many training pairs (body only).") var pairs: Int?

    func run() throws {
        guard let kind = PhantomStudy.Kind(rawValue: kind) else {
            throw FailureRecord(
                kind: .usage, code: "USE-PHANTOM",
                message: FailureMessage(
                    "there is no phantom of that name.",
                    cure: "Use one of \(PhantomStudy.Kind.allCases.map(\.rawValue).joined(separator: ", ")).",
                    subject: "phantom \(kind)"))
        }
        guard !out.isEmpty else { throw failure("no folder is named.", "Name one.") }
        do {
            guard let pairs else {
                try OutputFiles.confirmNew([out, PhantomStudy.truthFolder(of: out)], out: out)
                return try PhantomStudy(kind, seed: seed).write(to: out)
            }
            guard kind == .body, pairs > 0 else {
                throw FailureRecord(
                    kind: .usage, code: "USE-PAIRS",
                    message: FailureMessage(
                        "pairs are slices of bodies, and at least one.",
                        cure: "Use phantom body --pairs N with N above 0.",
                        subject: "--pairs \(pairs) with \(kind.rawValue)"))
            }
            try OutputFiles.confirmNew([out], out: out)
            try PhantomPairs.writeBodies(pairs, seed: seed, to: out)
        } catch let failure as any Failure where failure.kind == .failed {
            // A folder that cannot be made or written: nothing was started.
            throw FailureRecord(kind: .configuration, code: failure.code, message: failure.message)
        }
    }

    private func failure(_ explanation: String, _ cure: String) -> FailureRecord {
        FailureRecord(
            kind: .usage, code: "USE-OUT",
            message: FailureMessage(explanation, cure: cure, subject: "--out \(out)"))
    }
}
