import Foundation
import Testing

/// Wrong input: one clear line that names the file and the cure, and the right exit status (`docs/messages.md`).
@Suite("Messages")
struct MessagesTests {
    /// One row of the table.
    struct Row: Sendable, CustomTestStringConvertible {
        let what: String
        let status: Int32
        let code: String
        /// Words that must stand in the line: the file, the cure.
        let words: [String]
        /// Prepares the workplace; gives the arguments behind `hspsam`.
        let arguments: @Sendable (Workplace) throws -> [String]

        var testDescription: String { what }
    }

    static func run(_ w: Workplace, _ inputs: String..., more: [String] = []) -> [String] {
        ["run"] + inputs + ["--out", w.out, "--pipelines", w.pipelines] + more
    }

    /// `evaluate` of the tiny model on samples; the masks do not matter, as it ends before them.
    static func measured(_ w: Workplace, _ more: [String]) -> [String] {
        ["evaluate", "--model", w.pipelines + "/tiny/model", "--folder", "samples/fluorescence"] + more
    }

    static let rows: [Row] = [
        Row(what: "no such file", status: 2, code: "USE-INPUT", words: ["/none.dcm", "Check the path"]) {
            run($0, $0.path + "/none.dcm")
        },
        Row(what: "an empty directory", status: 4, code: "IN-NONE", words: ["no file", "Give"]) {
            try FileManager.default.createDirectory(atPath: $0.path + "/empty", withIntermediateDirectories: true)
            return run($0, $0.path + "/empty")
        },
        Row(what: "a damaged photograph", status: 3, code: "PIX-TRUNCATED", words: ["photo.jpg", "again"]) {
            run($0, try $0.write("photo.jpg", Data([0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 0x4A, 0x46])))
        },
        Row(what: "a damaged archive", status: 3, code: "ZIP-TRUNCATED", words: ["study.zip", "again"]) {
            run($0, try $0.write("study.zip", Data([0x50, 0x4B, 3, 4, 0, 0, 0, 0])))
        },
        Row(what: "a text file named .dcm", status: 4, code: "IN-NOTIMAGE", words: ["letter.dcm", "a text file"]) {
            run($0, try $0.write("letter.dcm", "Dear colleague,\n"))
        },
        Row(what: "a truncated DICOM", status: 3, code: "PIX-TRUNCATED", words: ["cut.dcm", "again"]) {
            let whole = try Data(contentsOf: URL(fileURLWithPath: "samples/body/slice-001.dcm"))
            return run($0, try $0.write("cut.dcm", whole.prefix(whole.count / 2)), more: ["--pipeline", "tiny"])
        },
        Row(what: "a 0-byte TIFF", status: 4, code: "IN-EMPTY", words: ["scan.tif", "0 bytes", "Copy it again"]) {
            run($0, try $0.write("scan.tif", ""))
        },
        Row(
            what: "a TIFF whose sidecar is broken", status: 3, code: "SET-UNKNOWN",
            words: ["hspsam-study.yaml:1", "patient"]
        ) {
            try FileManager.default.copyItem(
                atPath: "samples/fluorescence/094afe36759e.tif", toPath: $0.path + "/scan.tif")
            try $0.write("hspsam-study.yaml", "pateint: {id: X}\n")
            return run($0, $0.path + "/scan.tif", more: ["--pipeline", "tiny"])
        },
        Row(what: "a broken YAML", status: 2, code: "SET-SYNTAX", words: ["tiny/pipeline.yaml:"]) {
            try $0.write("pipelines/tiny/pipeline.yaml", "pipeline: {name: tiny\nsegments: [\n")
            return run($0, "samples")
        },
        Row(
            what: "an unknown key", status: 2, code: "SET-UNKNOWN",
            words: ["tiny/pipeline.yaml:", "selction", "Did you mean"]
        ) {
            try $0.write(
                "pipelines/tiny/pipeline.yaml",
                Workplace.settings.replacingOccurrences(of: "selection", with: "selction"))
            return run($0, "samples")
        },
        Row(what: "a pipeline without its model", status: 2, code: "MODEL", words: ["tiny/model"]) {
            try FileManager.default.removeItem(atPath: $0.pipelines + "/tiny/model")
            return run($0, "samples")
        },
        Row(what: "a model whose digest differs", status: 2, code: "MODEL", words: ["config.json", "SHA-256"]) {
            let config = try String(contentsOfFile: $0.pipelines + "/tiny/model/config.json", encoding: .utf8)
            try $0.write("pipelines/tiny/model/config.json", config + " ")
            return run($0, "samples")
        },
        Row(what: "an unknown pipeline", status: 2, code: "PIPE-UNKNOWN", words: ["\"large\"", "Known: tiny"]) {
            run($0, "samples", more: ["--pipeline", "large"])
        },
        Row(what: "no folder of pipelines", status: 2, code: "PIPE-FOLDER", words: ["/nowhere", "--pipelines"]) {
            ["run", "samples", "--out", $0.out, "--pipelines", $0.path + "/nowhere"]
        },
        Row(
            what: "an output directory that cannot be written", status: 2, code: "USE-OUT",
            words: ["/proc/hspsam", "--out"]
        ) {
            ["run", "samples", "--out", "/proc/hspsam", "--pipelines", $0.pipelines]
        },
        Row(what: "an output directory that is a file", status: 2, code: "USE-OUT", words: ["/file", "--out"]) {
            ["run", "samples", "--out", try $0.write("file", "x"), "--pipelines", $0.pipelines]
        },
        Row(
            what: "an output directory that is an input", status: 2, code: "USE-OUT",
            words: ["/out", "an input itself", "--out"]
        ) {
            try FileManager.default.createDirectory(atPath: $0.out, withIntermediateDirectories: true)
            return run($0, "samples", $0.out)
        },
        Row(what: "a part without a study", status: 4, code: "IN-NONE", words: ["is of part 999999/1000000"]) {
            run($0, "samples/body", more: ["--shard", "999999/1000000"])
        },
        Row(
            what: "a manufacturer that is blank", status: 2, code: "PIPE-TEXT",
            words: ["tiny/pipeline.yaml:", "manufacturer"]
        ) {
            try $0.write(
                "pipelines/tiny/pipeline.yaml",
                Workplace.settings.replacingOccurrences(
                    of: "synthetic_geometry: true", with: "equipment: {manufacturer: \"\"}"))
            return run($0, "samples")
        },
        Row(
            what: "figures of a pipeline that cannot be applied to pictures without mm", status: 2, code: "PIPE-POST",
            words: ["pipelines/tiny", "min_size_pixels"]
        ) {
            try $0.write(
                "pipelines/tiny/pipeline.yaml", Workplace.settings + "postprocess: [{min_size_mm3: 5}]\n")
            return measured($0, ["--pipeline", $0.pipelines + "/tiny"])
        },
        Row(what: "a data set with a missing mask", status: 2, code: "DATA-MASK", words: ["094afe36759e", "mask"]) {
            let images = $0.path + "/images"
            try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: $0.path + "/masks", withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: "samples/fluorescence/094afe36759e.tif", toPath: images + "/094afe36759e.tif")
            return [
                "evaluate", "--model", $0.pipelines + "/tiny/model", "--images", images, "--masks", $0.path + "/masks",
            ]
        },
        Row(what: "fewer than no threads", status: 2, code: "Error", words: ["'-3'", "--threads"]) {
            run($0, "samples", more: ["--threads=-3"])
        },
        Row(what: "more threads than have memory", status: 2, code: "Error", words: ["'1025'", "--threads"]) { _ in
            ["train", "--config", "train.yaml", "--check", "--threads", "1025"]
        },
        Row(what: "a fold without its list", status: 2, code: "USE-SPLIT", words: ["--fold 3", "--list"]) {
            measured($0, ["--fold", "3"])
        },
        Row(what: "a fold of a list that has none", status: 2, code: "USE-SPLIT", words: ["--fold 3", "--list"]) {
            measured($0, ["--fold", "3", "--list", try $0.write("split.csv", "name,split\n094afe36759e,test\n")])
        },
        Row(what: "a fold below 0", status: 2, code: "USE-SPLIT", words: ["--fold -1", "--list"]) {
            measured($0, ["--fold=-1", "--list", try $0.write("splits_final.json", "[]")])
        },
        Row(what: "two outputs in one file", status: 2, code: "USE-OUT", words: ["--json", "--csv", "/out"]) {
            try FileManager.default.createDirectory(atPath: $0.path + "/in", withIntermediateDirectories: true)
            return measured($0, ["--json", $0.path + "/out", "--csv", $0.path + "/in/../out"])
        },
        Row(what: "figures over a link to the list", status: 2, code: "USE-OUT", words: ["--markdown", "an input"]) {
            let list = try $0.write("split.csv", "name,split\n094afe36759e,test\n")
            try FileManager.default.createSymbolicLink(atPath: $0.path + "/link", withDestinationPath: list)
            return measured($0, ["--list", list, "--markdown", $0.path + "/link"])
        },
        Row(what: "figures over the model", status: 2, code: "USE-OUT", words: ["/tiny/model/config.json"]) {
            measured($0, ["--csv", $0.pipelines + "/tiny/model/config.json"])
        },
        Row(what: "a page over an image", status: 2, code: "USE-OUT", words: ["--worst", "094afe36759e.tif"]) {
            let images = $0.path + "/images"
            try FileManager.default.copyItem(atPath: "samples/fluorescence", toPath: images)
            return [
                "evaluate", "--model", $0.pipelines + "/tiny/model", "--images", images, "--masks", images,
                "--worst", images + "/094afe36759e.tif",
            ]
        },
        Row(what: "figures without a name", status: 2, code: "USE-OUT", words: ["--csv \"\"", "Name a file"]) {
            measured($0, ["--csv", ""])
        },
        Row(
            what: "figures that cannot be written, before anything is measured", status: 2, code: "FILE-NOT-FOUND",
            words: ["nowhere/figures.json"]
        ) {
            measured($0, ["--json", $0.path + "/nowhere/figures.json"])
        },
        Row(
            what: "a page in the place of a folder", status: 2, code: "FILE-KIND", words: ["/pipelines"]
        ) {
            measured($0, ["--worst", $0.pipelines])
        },
        Row(what: "a page under the name of a picture", status: 2, code: "USE-OUT", words: ["worst.png", ".html"]) {
            measured($0, ["--worst", $0.path + "/worst.png"])
        },
        Row(
            what: "masks of float32 beside themselves", status: 2, code: "USE-AGREEMENT",
            words: ["--agreement", "--precision bf16"]
        ) {
            measured($0, ["--agreement"])
        },
        Row(what: "a page in the place of a device", status: 2, code: "FILE-KIND", words: ["/dev/full"]) {
            measured($0, ["--csv", "/dev/full"])
        },
        Row(
            what: "a pipeline that was not made for the model", status: 2, code: "PIPE-TRAINED",
            words: ["pipelines/nuclei/pipeline.yaml", "nucleus"]
        ) {
            measured($0, ["--pipeline", "pipelines/nuclei"])
        },
        Row(
            what: "a bench of a pipeline that is not there, before its phantom is made", status: 2,
            code: "PIPE-UNKNOWN",
            words: ["\"nope\"", "Known: tiny"]
        ) {
            // A phantom that was begun could not be written.
            let file = try $0.write("bench/study", "no folder")
            return [
                "bench", "--what", "pipeline", "--pipeline", "nope", "--pipelines", $0.pipelines, "--out",
                String(file.dropLast("/study".count)),
            ]
        },
        Row(
            what: "a phantom among the files of another", status: 2, code: "USE-OUT",
            words: ["/phantom-1 is not empty", "empty this one"]
        ) {
            ["phantom", "body", "--seed", "2", "--out", try $0.phantom(1)]
        },
        Row(what: "a phantom without a folder", status: 2, code: "USE-OUT", words: ["no folder", "Name one"]) { _ in
            ["phantom", "body", "--out", ""]
        },
        Row(
            what: "a model to be written over another", status: 2, code: "USE-OUT", words: ["tiny/model", "new folder"]
        ) {
            ["model", "import", $0.path + "/sam.pth", "--out", $0.pipelines + "/tiny/model"]
        },
        Row(what: "a quantised model to be written over its own", status: 2, code: "USE-OUT", words: ["tiny/model"]) {
            let model = $0.pipelines + "/tiny/model"
            return ["model", "quantize", model, "--images", "samples/fluorescence", "--out", model]
        },
        Row(what: "8 bits calibrated on no image", status: 2, code: "USE-RANGE", words: ["--count 0", "at least 1"]) {
            let model = $0.pipelines + "/tiny/model"
            return [
                "model", "quantize", model, "--images", "samples/fluorescence", "--count", "0", "--out", $0.out,
            ]
        },
        Row(
            what: "a checkpoint that is not there, for a folder that is empty", status: 2, code: "FILE-NOT-FOUND",
            words: ["/sam.pth"]
        ) {
            try FileManager.default.createDirectory(atPath: $0.path + "/new", withIntermediateDirectories: true)
            return ["model", "import", $0.path + "/sam.pth", "--out", $0.path + "/new"]
        },
        Row(what: "an option given twice", status: 2, code: "USE-TWICE", words: ["--threads", "Keep one"]) {
            run($0, "samples", more: ["--threads", "1", "--threads=2"])
        },
        Row(what: "an option of an inner command given twice", status: 2, code: "USE-TWICE", words: ["--segments"]) {
            ["model", "import", $0.path + "/sam.pth", "--out", $0.out, "--segments", "1", "--segments", "2"]
        },
        Row(
            what: "an option that may be given twice, and a flag that is", status: 2, code: "USE-INPUT",
            words: ["/none.dcm"]
        ) {
            run($0, $0.path + "/none.dcm", more: ["--also", "masks", "--also", "nifti", "--json", "--json"])
        },
        Row(what: "an unknown option", status: 2, code: "Error", words: ["--threats"]) {
            run($0, "samples", more: ["--threats", "2"])
        },
    ]

    @Test("wrong input gives one clear line and the right exit status", arguments: rows)
    func message(row: Row) throws {
        let workplace = try Workplace()
        let ending = try Program.run(try row.arguments(workplace))
        #expect(ending.status == row.status, "\(ending.errors)")
        let line = ending.errors.split(separator: "\n").first { line in row.words.allSatisfy { line.contains($0) } }
        let found = try #require(line, "\(row.words) not in one line of: \(ending.errors)")
        #expect(found.contains(row.code))
    }
}
