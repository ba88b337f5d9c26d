import Failures
import Foundation
import Records
import Testing

private let program = ProgramIdentity(version: "1", instructionSet: "portable", precision: "fp32", threads: 2)
private let key = String(repeating: "ab", count: 32)

private let run: RunRecord = {
    var record = RunRecord(started: "2026-11-24T01:02:03Z", finished: "2026-11-24T01:02:04Z", program: program)
    record.inputs = [
        RunRecord.Input(
            path: "a.dcm", contentSHA256: key, status: .processed, study: "0123456789ab", series: "01234567"),
        RunRecord.Input(path: "b", status: .refused, code: "IN-CORRUPT", reason: "cut off. Copy it again."),
    ]
    record.studies = [
        RunRecord.Study(
            study: "0123456789ab", key: key, intendedKey: nil, complete: false, folder: nil, pipelines: key,
            instances: 1)
    ]
    record.results = [
        RunRecord.Result(
            study: "0123456789ab", series: "01234567", pipeline: "a", file: nil,
            segments: [SegmentRecord(number: 1, label: "x", pixels: 0, areaMM2: 12.34567, volumeML: .nan)],
            findings: [FindingRecord(code: "QC-NOTHING", severity: .warning, text: "Nothing was found.")], frames: 3,
            pipelineVersion: "1", pipelineDigest: key, modelDigest: key, secondsByStep: ["infer": 1.23456])
    ]
    return record
}()

private let study = StudyRecord(
    study: "0123456789ab", key: key, complete: true, pipelines: key, instances: [key],
    identity: .init(patientName: "A^B", patientID: "1", studyDate: "20260101", studyDescription: ""), program: program,
    created: "2026-11-24T01:02:03Z",
    results: [
        .init(
            source: .init(
                series: "01234567", description: "", modality: "CT", rows: 1, columns: 2, frames: 3, spacingMM: nil,
                sliceMM: .infinity), pipeline: "a", pipelineVersion: "1", pipelineDigest: key, modelDigest: key,
            weightsDigest: key, file: nil, images: [], segments: [], findings: [], window: "", secondsByStep: [:])
    ], unused: [.init(series: ["01234567"], status: .skipped, code: "SEL-RULE", reason: "none", files: 2)])

@Suite("Records")
struct RecordsTests {
    /// Every object of a JSON text, by what distinguishes it.
    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test("a run whose results lack something ends with 3 and says what; a letter beside the images is no slice")
    func omission() {
        func status(_ change: (inout RunRecord) -> Void) -> (Failures.ExitStatus, String?) {
            var record = run
            record.inputs[1] = record.inputs[0]
            change(&record)
            return (record.exitStatus, record.omission?.code)
        }
        func skipped(_ path: String, _ code: String) -> RunRecord.Input {
            RunRecord.Input(path: path, status: .skipped, code: code, reason: "none.")
        }
        #expect(status { _ in } == (.done, nil))
        #expect(
            status { $0.results[0].findings = [FindingRecord(code: "VOL-GAP", severity: .warning, text: "gap.")] }
                == (.refusedOrFailed, "VOL-GAP"))
        // How volumes were told apart is a note; that they lack slices is none.
        #expect(
            status { $0.results[0].findings = [FindingRecord(code: "VOL-PARTS", severity: .note, text: "told apart.")] }
                == (.done, nil))
        for code in [
            "VOL-PARTS", "VOL-SPACING-TAG", "VOL-PLACE", "SEL-FRAMES", "PIX-NOTE", "PIX-FRAME", "QC-MINSIZE",
            "QC-SEPARATE",
            "QC-INSTANCES", "QC-WINDOW", "QC-CALIBRATION", "VOL-SCALE",
        ] {
            #expect(
                status { $0.results[0].findings.append(FindingRecord(code: code, severity: .warning, text: "many.")) }
                    == (.refusedOrFailed, code))
        }
        for path in [
            "a/17.dcm", "a/IM000017", "a/x.0017", "a/rest.zip", "a/17.tif", "a/photo.JPG", "a/photo.png",
            "a/IMG_17.HEIC",
            "a/disc.iso", "a/17.dcm.part", "a/17.dcm~", "a/17.DCM.gpg",
            // Hidden, and a transfer broke off: an upload's, rsync's, ProFTPD's.
            "a/.17.dcm.part", "a/.17.dcm.Xa1b2c", "a/.IM000017.Xa1b2c", "a/.in.17.dcm.", "a/.1.2.840.17.Q0zzzz",
        ] {
            #expect(
                status { $0.inputs.append(skipped(path, "IN-NOTIMAGE")) } == (.refusedOrFailed, "IN-NOTIMAGE"),
                "\(path)")
        }
        // Viewers have such pictures; beside a picture that was processed it is one more.
        for path in [
            "a/skin.bmp", "a/icon.gif", "a/letter.docx.tmp", "a/notes.txt~", "a/._17.dcm", "a/.17.dcm", "a/.viewer.tmp",
            "a/.config.backup", "a/.notes.txt.Xa1b2c", "a/.DS_Store",
        ] {
            #expect(status { $0.inputs.append(skipped(path, "IN-NOTIMAGE")) } == (.done, nil), "\(path)")
        }
        let whole = status { record in
            record.inputs.append(.init(path: "a/17.dcm", status: .processed))
            record.inputs.append(skipped("a/.17.dcm.Xa1b2c", "IN-NOTIMAGE"))
        }
        #expect(whole == (.done, nil))
        let pictures = status { record in
            record.inputs[0].path = "a/left.jpg"
            record.inputs.append(skipped("b/skin.bmp", "IN-NOTIMAGE"))
        }
        #expect(pictures == (.done, nil))
        let beside = status { record in
            record.inputs[0].path = "a/left.jpg"
            record.inputs.append(skipped("a/right.bmp", "IN-NOTIMAGE"))
        }
        #expect(beside == (.refusedOrFailed, "IN-NOTIMAGE"))
        #expect(status { $0.inputs.append(skipped("a/letter.pdf", "IN-NOTIMAGE")) } == (.done, nil))
        #expect(status { $0.inputs.append(skipped("cd/DICOMDIR", "IN-NOTIMAGE")) } == (.done, nil))
        #expect(status { $0.inputs.append(skipped("a/.ready", "IN-EMPTY")) } == (.done, nil))
        #expect(status { $0.inputs.append(skipped("a/17.tif", "IN-EMPTY")) } == (.refusedOrFailed, "IN-EMPTY"))
        // Nothing was processed, so nothing lacks anything.
        #expect(status { $0.inputs = [skipped("a/17.tif", "IN-EMPTY")] } == (.nothingProcessed, "IN-EMPTY"))
    }

    @Test(
        "slices that may come late are missing by a gap or in a part, whatever else is found; a note says nothing of the kind"
    )
    func lacksSlices() {
        func lacks(_ findings: (String, FindingRecord.Severity)...) -> Bool {
            var record = run
            record.results[0].findings = findings.map { FindingRecord(code: $0.0, severity: $0.1, text: "so it is.") }
            return record.lacksSlices
        }
        #expect(["VOL-GAP", "VOL-SPACING-TAG", "VOL-PARTS"].allSatisfy { lacks(($0, .warning)) })
        #expect(lacks(("QC-MINSIZE", .warning), ("VOL-PARTS", .warning)))
        #expect(!lacks() && !lacks(("VOL-PARTS", .note), ("QC-SEPARATE", .warning)))
    }

    @Test(
        "results are of two patients where an attribute says another value, not where it says less or the same otherwise"
    )
    func contradictions() {
        typealias Identity = StudyRecord.Identity
        let full = Identity(
            patientName: "Doe^Jane=山田^花子", patientID: "0815", studyDate: "20260101", studyDescription: "Chest",
            accessionNumber: "A1", issuerOfPatientID: "H", patientBirthDate: "19700101", patientSex: "F", studyID: "7")
        let same = Identity(
            patientName: "DOE^JANE^^", patientID: " 0815", studyDate: "2026.01.01", studyDescription: "Thorax",
            patientSex: "f")
        let none = Identity(patientName: "", patientID: "", studyDate: "", studyDescription: "")
        #expect([full, same, none].allSatisfy { full.contradictions($0).isEmpty && $0.contradictions(full).isEmpty })
        let changes: [(keyword: String, value: WritableKeyPath<Identity, String>, other: String)] = [
            ("PatientID", \.patientID, "815"), ("IssuerOfPatientID", \.issuerOfPatientID, "K"),
            ("PatientName", \.patientName, "Doe^John"), ("PatientName", \.patientName, "=山田^太郎"),
            ("PatientBirthDate", \.patientBirthDate, "19700102"), ("PatientSex", \.patientSex, "M"),
            ("StudyDate", \.studyDate, "20260102"), ("StudyID", \.studyID, "8"),
            ("AccessionNumber", \.accessionNumber, "A2"),
        ]
        for change in changes {
            var other = full
            other[keyPath: change.value] = change.other
            #expect(full.contradictions(other) == [change.keyword] && other.contradictions(full) == [change.keyword])
        }
    }

    @Test("a picture shown otherwise than it was meant, and one that is not read, ask a person; notes of these do not")
    func pictures() {
        var record = run
        record.inputs = [.init(path: "a.png", status: .processed)]
        for code in ["RAS-PICTURE", "RAS-PAGES"] {
            for (severity, status) in [(FindingRecord.Severity.warning, ExitStatus.refusedOrFailed), (.note, .done)] {
                record.results[0].findings = [FindingRecord(code: code, severity: severity, text: "so it is.")]
                #expect(record.exitStatus == status)
            }
        }
    }

    @Test("what a finding says ends before the cure begins")
    func omissionText() {
        var record = run
        record.inputs = [.init(path: "a", status: .processed)]
        for text in ["bits are set", "bits are set."] {
            record.results[0].findings = [FindingRecord(code: "PIX-NOTE", severity: .warning, text: text)]
            #expect(record.omission?.text.hasPrefix("bits are set. Compare a slice ") == true)
        }
    }

    @Test("a record that is written is read as the same")
    func roundTrip() throws {
        #expect(try RunRecord(json: run.json()) == run)
        #expect(try StudyRecord(json: study.json()) == study)
        let reason = ReasonRecord(
            job: "j", kind: "refused", code: "IN-CORRUPT", text: "cut off.", attempts: 1,
            quarantined: "2026-11-24T01:02:03Z", programVersion: "1")
        #expect(try ReasonRecord(json: reason.json()) == reason)
        let line = ProgressLine.frame(2, of: 3, study: "s", series: "t", pipeline: "a")
        #expect(ProgressLine(json: line.json()) == line && line.json().count { $0 == 10 } == 1)
    }

    @Test("every key is written, null where there is nothing")
    func keys() throws {
        let root = try object(run.json())
        #expect(
            Set(root.keys) == ["version", "started", "finished", "program", "shard", "inputs", "studies", "results"]
                && root["shard"] is NSNull)
        let inputs = try #require(root["inputs"] as? [[String: Any]])
        for input in inputs {
            #expect(
                Set(input.keys) == [
                    "path", "content_sha256", "status", "code", "reason", "subject", "study", "series", "image",
                ])
        }
        #expect(inputs[0]["code"] is NSNull && inputs[1]["content_sha256"] is NSNull)
        let row = try #require((root["studies"] as? [[String: Any]])?.first)
        #expect(
            Set(row.keys) == ["study", "key", "intended_key", "complete", "folder", "pipelines", "instances"]
                && row["folder"] is NSNull)
        let result = try #require((root["results"] as? [[String: Any]])?.first)
        #expect(
            Set(result.keys) == [
                "study", "series", "pipeline", "file", "objects", "seconds", "segments", "findings", "frames",
                "pipeline_version",
                "pipeline_digest", "model_digest", "seconds_by_step",
            ])
        let segment = try #require((result["segments"] as? [[String: Any]])?.first)
        #expect(
            Set(segment.keys) == [
                "number", "label", "pixels", "area_mm2", "volume_ml", "confidence", "longest_diameter_mm",
                "perpendicular_mm", "mean", "sd", "value_unit", "objects", "object_sizes",
            ])
        let report = try object(study.json())
        #expect(
            Set(report.keys) == [
                "version", "study", "key", "complete", "superseded_by", "pipelines", "instances", "contents",
                "identity",
                "program", "created", "results", "unused",
            ] && report["superseded_by"] is NSNull)
        #expect(Set(try object(ProgressLine(.started).json()).keys).count == 16)
    }

    @Test("a line of contents is read as it was written, also one of an older version; anything else is none")
    func contents() throws {
        let (uid, digest, image) = (
            String(repeating: "a", count: 16), String(repeating: "b", count: 16), String(repeating: "c", count: 16)
        )
        let old = try #require(StudyRecord.Content("\(uid) \(digest)"))
        let new = try #require(StudyRecord.Content("\(uid) \(digest) \(image)"))
        #expect(old.image == nil && old.imageLine == nil && old.line == "\(uid) \(digest)")
        #expect(new.imageLine == "\(uid) \(image)" && new.line == "\(uid) \(digest) \(image)")
        for line in ["", uid, "\(uid) \(digest.dropLast())", "\(new.line) \(image)"] {
            #expect(StudyRecord.Content(line) == nil)
        }
        // What reaches a result decides where both tell it.
        let again = StudyRecord.Content(uid: uid, digest: image, image: image)
        let other = StudyRecord.Content(uid: uid, digest: digest, image: digest)
        #expect(new.isSame(as: again) && !new.isSame(as: other) && old.isSame(as: new) && !old.isSame(as: again))
    }

    @Test("numbers are rounded when a record is made; what is not finite is unknown")
    func numbers() {
        let segment = run.results[0].segments[0]
        #expect(segment.areaMM2 == 12.346 && segment.volumeML == nil)
        #expect(run.results[0].seconds == 1.235 && run.results[0].secondsByStep == ["infer": 1.235])
        #expect(study.results[0].source.sliceMM == nil)
    }

    @Test("small sizes and values keep six digits, and a volume is the same in ml and in mm³")
    func smallNumbers() {
        let small = SegmentRecord(
            number: 1, label: "x", pixels: 9, areaMM2: 2.5e-11, volumeML: 0.000_124_7, longestDiameterMM: 0.000_006_123,
            perpendicularMM: 0.000_65, mean: 0.000_784_321, standardDeviation: 0.000_041_25)
        #expect(small.areaMM2 == 2.5e-11 && small.volumeML == 0.000_124_7 && small.volumeMM3 == 0.1247)
        #expect(small.longestDiameterMM == 0.000_006_123 && small.perpendicularMM == 0.000_65)
        #expect(small.mean == 0.000_784_321 && small.standardDeviation == 0.000_041_25)
        let large = SegmentRecord(
            number: 1, label: "x", pixels: 9, volumeML: 12.345_678, longestDiameterMM: 12.345_67, mean: -40.123_45,
            standardDeviation: .nan)
        #expect(large.volumeML == 12.3457 && large.volumeMM3 == 12345.7)
        #expect(large.longestDiameterMM == 12.3457 && large.mean == -40.123 && large.standardDeviation == nil)
        #expect(SegmentRecord(number: 1, label: "x", pixels: 0, volumeML: 0.012_345_6).volumeMM3 == 12.3456)
    }

    @Test(
        "a page is headed by the first group of a name that says anything",
        arguments: [
            ("Doe^Jane", "Doe, Jane"), ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
            ("=山田^太郎=やまだ^たろう", "山田, 太郎"), ("^^^^=山田^太郎", "山田, 太郎"), ("Doe^Jane^^Dr", "Doe, Jane, Dr"),
            ("", nil), ("^^", nil), ("==", nil), (" ^ ", nil),
        ] as [(String, String?)])
    func names(_ name: String, _ expected: String?) {
        let identity = StudyRecord.Identity(patientName: name, patientID: "1", studyDate: "", studyDescription: "")
        #expect(identity.readableName == expected)
    }

    @Test("a key that is missing is unknown, a record of another version is refused, text that is none too")
    func reading() throws {
        var text = String(decoding: try run.json(), as: UTF8.self)
        text = text.replacing("\"folder\" : null,\n", with: "\n")
        #expect(try RunRecord(json: Array(text.utf8)) == run)
        let old = Array(text.replacing("\"version\" : 2", with: "\"version\" : 1").utf8)
        #expect(throws: RecordFailure.version(file: "run.json", found: 1, known: 2)) { try RunRecord(json: old) }
        #expect(throws: RecordFailure.unreadable(file: "run.json")) { try RunRecord(json: Array("{".utf8)) }
        #expect(throws: RecordFailure.unreadable(file: "report.json")) {
            try StudyRecord(json: Array(#"{"version": 2, "key": 1}"#.utf8))
        }
        #expect(ProgressLine(json: Array("frame 3".utf8)) == nil)
    }

    @Test("the last line of a run counts its outcomes")
    func finished() {
        let line = ProgressLine.finished(run)
        #expect(line.processed == 1 && line.refused == 1 && line.failed == 0 && line.results == 1 && line.exit == 3)
    }
}
