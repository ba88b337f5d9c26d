import Daemon
import Failures
import Foundation
import GRDB
import Logging
import Processes
import Records
import Storage
import Testing

/// Real archives on loopback: DCMTK's `storescp` and `dcmqrscp`, and a web server of a few lines.
@Suite("archives that are down, refuse, abort, forget, or are asked over TLS and the web")
struct ArchiveTests {
    private static func has(_ programs: String...) -> Bool {
        programs.allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)") }
    }

    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../samples/body/slice-001.dcm").standardizedFileURL.path

    // MARK: a site with one result that waits for one destination

    private func site(_ kind: Destination.Kind, _ plan: Plan = Plan(how: "ok", study: "a")) async throws -> Site {
        let site = try Site()
        site.settings.destinations = [
            Destination(
                name: "archive", kind: kind, parts: [.seg], firstWait: .zero, longestWait: .zero,
                giveUp: .seconds(86_400))
        ]
        try await site.withService { try await $0.deliver() }
        try site.drop("a", plan)
        try await site.batch()
        // Real objects in their places.
        for file in ["a.seg.dcm"] + plan.objects.map(\.file) {
            try DurableFile.write(
                DurableFile.read(Self.sample, limit: 1 << 24), to: "\(site.root)/outbox/\(plan.path)/\(file)")
        }
        try site.sum(plan)
        return site
    }

    /// What failed is given out again at once, as nothing waits in these tests.
    private static let delivery = """
        SELECT CASE state WHEN 'sending' THEN 'pending' ELSE state END AS state, code FROM delivery
        """

    /// Service, sender, service: a ticket out, sent, its receipt booked. Gives how the delivery stands.
    @discardableResult
    private func round(
        _ site: Site, _ identity: Sender.Identity? = nil, _ commitment: Sender.Commitment = .notAsked
    ) async throws -> (state: String, code: String?) {
        try await site.withService { try await $0.deliver() }
        try await Sender(site.settings, log: log, commit: { $1.map { _ in commitment } }) { _ in identity }
            .run(StopRequest(), once: true)
        try await site.withService { try await $0.deliver() }
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        let row = try await queue.read {
            try Row.fetchOne($0, sql: Self.delivery).map {
                (state: $0["state"] as String, code: $0["code"] as String?)
            }
        }
        return try #require(row)
    }

    private func peer(
        _ port: Int, _ confirmation: DeliveryConfirmation = .none, tls: TLSFiles? = nil
    ) -> Destination.Kind {
        .dicom(
            DICOMPeer(
                host: "localhost", port: port, called: "ARCHIVE", calling: "HSPSAM", confirmation: confirmation,
                tls: tls))
    }

    private func storescp(_ site: Site, _ port: Int, _ more: [String] = ["-pm"]) async throws -> Server {
        try Folder.make(site.root + "/archive")
        return try await Server(
            "storescp", ["-q", "-aet", "ARCHIVE", "-od", site.root + "/archive"] + more + ["\(port)"], port: port)
    }

    /// The sample's own UIDs, as `dcmdump` says them.
    private func identity() throws -> Sender.Identity {
        func uid(_ tag: String) throws -> String {
            let text = try Server.output("dcmdump", ["-q", "-s", "+P", tag, Self.sample])
            return String(try #require(text.split(separator: "[").dropFirst().first?.split(separator: "]").first))
        }
        return Sender.Identity(
            study: try uid("0020,000d"), series: try uid("0020,000e"), instance: try uid("0008,0018"))
    }

    // MARK: DICOM

    @Test("an answer with a warning says what was done to an object that is stored", arguments: [false, true])
    func warned(isStored: Bool) {
        let stored = #"{"00081155": {"Value": ["1.2"]}, "00081196": {"Value": [45062]}}"#
        let body = #"{"00081199": {"Value": [\#(stored)]}}"#
        let answer = DICOMWebAnswer.outcome(of: isStored ? "1.2" : "1.3", status: 202, Array(body.utf8))
        #expect(answer.0 == (isStored ? .sent : .failed) && answer.code == (isStored ? "0xB006" : "HTTP-SILENT"))
    }

    @Test(
        "an archive that is not there is waited for, and takes the object once it is",
        .enabled(if: has("storescp", "dcmsend")))
    func down() async throws {
        let port = try Server.freePort()
        let site = try await site(peer(port))
        #expect(try await round(site) == ("pending", "ASSOCIATION"))
        #expect(try StatusReport(site.settings).text.contains("archive   waiting 1"))
        let server = try await storescp(site, port)
        #expect(try await round(site) == ("sent", "0x0000"))
        #expect(try Folder.list(site.root + "/archive").count == 1)
        server.stop()
    }

    @Test(
        "an archive that refuses, or aborts in the middle, gets the object later, once",
        .enabled(if: has("storescp", "dcmsend")), arguments: ["--refuse", "--abort-after", "--abort-during"])
    func faults(fault: String) async throws {
        let port = try Server.freePort()
        let site = try await site(peer(port))
        let broken = try await storescp(site, port, ["-pm", fault])
        #expect(try await round(site).state == "pending")
        #expect(try await round(site).state == "pending")
        broken.stop()
        let server = try await storescp(site, port)
        #expect(try await round(site) == ("sent", "0x0000"))
        // Nothing is sent again.
        #expect(try await round(site) == ("sent", "0x0000"))
        server.stop()
        #expect(try Folder.list(site.root + "/archive").filter { !$0.name.hasSuffix(".part") }.count == 1)
    }

    @Test(
        "an archive that is slow, or asks who we are, gets the object at once",
        .enabled(if: has("storescp", "dcmsend")),
        arguments: [["--sleep-after", "1"], ["--sleep-during", "1"], ["--reject"]])
    func slow(switches: [String]) async throws {
        let port = try Server.freePort()
        let site = try await site(peer(port))
        let server = try await storescp(site, port, ["-pm"] + switches)
        #expect(try await round(site) == ("sent", "0x0000"))
        server.stop()
        #expect(try Folder.list(site.root + "/archive").count == 1)
    }

    @Test(
        "what an archive was sent is done only once it answers for it", .enabled(if: has("storescp", "dcmsend")),
        arguments: [
            (Sender.Commitment.denied(0x0110), "0x0110"), (.denied(0x0213), "0x0213"), (.unanswered, "NOT-COMMITTED"),
            (.notAsked, "NO-COMMITMENT"),
        ])
    func committed(answer: Sender.Commitment, code: String) async throws {
        let port = try Server.freePort()
        let site = try await site(peer(port, .commitment))
        let server = try await storescp(site, port)
        let identity = try identity()
        #expect(try await round(site, identity, answer) == ("pending", code))
        #expect(try await round(site, identity, .committed) == ("confirmed", "0x0000"))
        server.stop()
    }

    @Test("an archive without room gets the object once it has some", .enabled(if: has("storescp", "dcmsend")))
    func noRoom() async throws {
        let port = try Server.freePort()
        let site = try await site(peer(port))
        let server = try await storescp(site, port)
        // It can write nothing any more.
        try Folder.remove(site.root + "/archive")
        #expect(try await round(site) == ("pending", "0xA700"))
        try Folder.make(site.root + "/archive")
        #expect(try await round(site) == ("sent", "0x0000"))
        server.stop()
        #expect(try Folder.list(site.root + "/archive").count == 1)
    }

    @Test(
        "an archive that does not take a LABELMAP gets its BINARY twin, and nobody is called",
        .enabled(if: has("storescp", "dcmsend", "dcmodify")))
    func twin() async throws {
        let port = try Server.freePort()
        var plan = Plan(how: "ok", study: "a")
        plan.objects = [
            ObjectRecord(kind: "labelmap", file: "a.labelmap.dcm"), ObjectRecord(kind: "binary", file: "a.binary.dcm"),
        ]
        // Label Map Segmentation Storage, which DCMTK 3.6.7 does not know.
        func makeLabelMap(_ site: Site) throws {
            _ = try Server.output(
                "dcmodify",
                [
                    "-q", "-nb", "-m", "0008,0016=1.2.840.10008.5.1.4.1.1.66.7",
                    "\(site.root)/outbox/\(plan.path)/a.labelmap.dcm",
                ])
            try site.sum(plan)
        }
        let site = try await site(peer(port), plan)
        try makeLabelMap(site)
        let server = try await storescp(site, port, [])
        try await round(site)
        try await round(site)
        let queue = try DatabaseQueue(path: site.root + "/state/ledger.sqlite")
        let states = try await queue.read {
            try String.fetchAll($0, sql: "SELECT file || ' ' || state FROM delivery ORDER BY file")
        }
        #expect(states == ["a.binary.dcm sent", "a.labelmap.dcm replaced"])
        let report = try StatusReport(site.settings)
        #expect(report.status == .done && report.text.contains("archive   waiting 0   not taken 0"), "\(report.text)")
        server.stop()
        #expect(try Folder.list(site.root + "/archive").count == 1)
        // An archive that takes them gets the LABELMAP alone.
        let willing = try await self.site(peer(port), plan)
        try makeLabelMap(willing)
        let other = try await storescp(willing, port)
        #expect(try await round(willing) == ("sent", "0x0000"))
        other.stop()
        #expect(try Folder.list(willing.root + "/archive").map { $0.name.hasPrefix("UNKNOWN") } == [true])
    }

    @Test(
        "an object whose UIDs cannot be read is never said to be confirmed", .enabled(if: has("storescp", "dcmsend")))
    func unnamed() async throws {
        let port = try Server.freePort()
        let site = try await site(peer(port, .query))
        let server = try await storescp(site, port)
        #expect(try await round(site) == ("pending", "UID-UNREADABLE"))
        server.stop()
    }

    @Test(
        "an archive that will not take such objects is told once, and never asked again by itself",
        .enabled(if: has("storescp", "dcmsend")))
    func refused() async throws {
        let port = try Server.freePort()
        let site = try await site(peer(port))
        let profile = site.root + "/profile"
        try DurableFile.write(
            """
            [[TransferSyntaxes]]
            [Plain]
            TransferSyntax1 = LittleEndianExplicit
            [[PresentationContexts]]
            [Echo]
            PresentationContext1 = VerificationSOPClass\\Plain
            [[Profiles]]
            [EchoOnly]
            PresentationContexts = Echo

            """, to: profile)
        let server = try await storescp(site, port, ["-xf", profile, "EchoOnly"])
        #expect(try await round(site) == ("refused", "NOT-ACCEPTED"))
        let report = try StatusReport(site.settings)
        #expect(report.status == .refusedOrFailed && report.json.contains("DELIVERY"), "\(report.json)")
        server.stop()
        // The archive is set up anew, and a person asks for another try.
        let willing = try await storescp(site, port)
        try await site.withService { _ = try await $0.perform(ControlRequest(.redeliver)) }
        #expect(try await round(site) == ("sent", "0x0000"))
        willing.stop()
    }

    @Test(
        "with confirm: query an object counts as there once the archive finds it; one that it forgot is sent again",
        .enabled(if: has("storescp", "dcmsend", "dcmqrscp", "findscu", "dcmdump")))
    func query() async throws {
        let port = try Server.freePort()
        let site = try await site(peer(port, .query))
        let identity = try identity()
        // Takes all, keeps nothing, answers no query.
        let forgetful = try await storescp(site, port, ["-pm", "--ignore"])
        #expect(try await round(site, identity) == ("pending", "NOT-FOUND"))
        forgetful.stop()
        let folder = site.root + "/archive"
        try DurableFile.write(
            """
            NetworkTCPPort = \(port)
            MaxPDUSize = 16384
            MaxAssociations = 16
            HostTable BEGIN
            HostTable END
            VendorTable BEGIN
            VendorTable END
            AETable BEGIN
            ARCHIVE \(folder) RW (200, 1024mb) ANY
            AETable END

            """, to: site.root + "/qr.cfg")
        let archive = try await Server("dcmqrscp", ["-q", "-c", site.root + "/qr.cfg", "\(port)"], port: port)
        #expect(try await round(site, identity) == ("confirmed", "0x0000"))
        archive.stop()
    }

    @Test(
        "over TLS an archive is believed only when its certificate is",
        .enabled(if: has("storescp", "storescu", "openssl")))
    func tls() async throws {
        let port = try Server.freePort()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)").path
        try Folder.make(folder)
        defer { try? Folder.remove(folder) }
        for name in ["archive", "other"] {
            _ = try Server.output(
                "openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem",
                ])
        }
        let own = TLSFiles(
            authorities: "\(folder)/archive.pem", certificate: "\(folder)/other.pem", key: "\(folder)/other.key")
        let site = try await site(
            peer(port, tls: TLSFiles(authorities: "\(folder)/other.pem", certificate: nil, key: nil)))
        // It asks for our certificate too.
        let server = try await storescp(
            site, port,
            [
                "-pm", "+tls", "\(folder)/archive.key", "\(folder)/archive.pem", "-pw", "+cf", "\(folder)/other.pem",
                "-rc",
            ])
        #expect(try await round(site) == ("pending", "ASSOCIATION"))
        site.settings.destinations = [
            Destination(
                name: "archive", kind: peer(port, tls: own), parts: [.seg], firstWait: .zero, longestWait: .zero,
                giveUp: .seconds(86_400))
        ]
        #expect(try await round(site) == ("sent", "0x0000"))
        server.stop()
    }

    @Test(
        "the answer to an object that went over TLS stands in the sender's log",
        arguments: [
            ("D: DIMSE Status                  : 0x0000: Success", DeliveryReceipt.Outcome.sent, "0x0000"),
            ("D: DIMSE Status                  : 0xa700: Refused", .failed, "0xA700"),
            ("D: x\nD: DIMSE Status     : 0xc000: Error\nI: Releasing", .refused, "0xC000"),
            ("F: No Acceptable Presentation Contexts", .refused, "NOT-ACCEPTED"),
        ])
    func tlsLog(log: String, outcome: DeliveryReceipt.Outcome, code: String) {
        let status = DCMSendReport.status(inLog: log)
        #expect(status?.outcome == outcome && status?.code == code)
        #expect(DCMSendReport.status(inLog: "F: Association Request Failed: TLS error") == nil)
    }

    @Test(
        "an archive has an object when its answer names it, not when it names another, or one whose UID begins alike",
        arguments: [
            ("1.2.34", true), ("1.2.345", false), ("11.2.34", false), ("1.2.3", false), ("1.2.34.1", false),
            ("", false),
        ])
    func found(answer: String, isThere: Bool) {
        // (0008,0018) UI in explicit little endian, padded; and something behind it.
        let padded = Array(answer.utf8) + (answer.utf8.count.isMultiple(of: 2) ? [] : [0])
        let head: [UInt8] = [8, 0, 0x18, 0] + Array("UI".utf8) + [UInt8(padded.count), 0]
        for rest in [[], [0x20, 0, 0x0D, 0]] as [[UInt8]] {
            #expect(DCMSendReport.names("1.2.34", inAnswer: head + padded + rest) == isThere)
        }
    }

    // MARK: the web

    /// Answers STOW-RS as the file `mode` says, keeps what it took, and finds it by QIDO-RS.
    private static let webServer = #"""
        import http.server, json, os, sys
        root, port, instance = sys.argv[1], int(sys.argv[2]), sys.argv[3]
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args): pass
            def answer(self, status, body):
                data = json.dumps(body).encode() if body is not None else b""
                self.send_response(status); self.send_header("Content-Length", str(len(data))); self.end_headers()
                self.wfile.write(data)
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mode = open(root + "/mode").read()
                if self.headers.get("Authorization") != "Bearer secret": return self.answer(401, None)
                if mode == "busy": return self.answer(503, None)
                sop = {"00081155": {"vr": "UI", "Value": [instance]}}
                if mode == "refuse":
                    return self.answer(409, {"00081198": {"vr": "SQ", "Value": [dict(sop, **{"00081197": {"vr": "US", "Value": [290]}})]}})
                if mode == "silent": return self.answer(200, None)
                if mode == "cut":
                    self.send_response(200); self.send_header("Content-Length", "999"); self.end_headers()
                    return self.wfile.write(json.dumps({"00081199": {"vr": "SQ", "Value": [sop]}}).encode())
                start = body.index(b"\r\n\r\n") + 4
                if not self.headers["Content-Type"].startswith('multipart/related; type="application/dicom"'): return self.answer(415, None)
                open(root + "/taken", "wb").write(body[start:body.rindex(b"\r\n--")])
                self.answer(200, {"00081199": {"vr": "SQ", "Value": [sop]}})
            def do_GET(self):
                there = os.path.exists(root + "/taken") and open(root + "/mode").read() not in ("forget", "silent")
                self.answer(200 if there else 204, [{"00080018": {"vr": "UI", "Value": [instance]}}] if there else None)
        http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
        """#

    @Test(
        "a web server that is busy, forgets, or refuses is handled like an archive",
        .enabled(if: has("curl", "python3", "dcmdump")))
    func web() async throws {
        let port = try Server.freePort()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("web-\(UUID().uuidString)").path
        try Folder.make(folder)
        defer { try? Folder.remove(folder) }
        try DurableFile.write("Authorization: Bearer secret\n", to: folder + "/headers")
        let site = try await site(
            .dicomWeb(
                DICOMWebPeer(
                    url: "http://127.0.0.1:\(port)/dicom-web/", headers: folder + "/headers", confirmation: .query,
                    tls: nil)))
        let identity = try identity()
        #expect(try await round(site, identity) == ("pending", "CONNECTION"))
        try DurableFile.write(Self.webServer, to: folder + "/server.py")
        func mode(_ word: String) throws { try DurableFile.write(word, to: folder + "/mode") }
        try mode("busy")
        let server = try await Server(
            "python3", [folder + "/server.py", folder, "\(port)", identity.instance], port: port)
        #expect(try await round(site, identity) == ("pending", "HTTP-503"))
        try mode("forget")
        #expect(try await round(site, identity) == ("pending", "NOT-FOUND"))
        // It says yes and has nothing: asked, it is found out. An answer that was cut is none.
        try mode("silent")
        #expect(try await round(site, identity) == ("pending", "NOT-FOUND"))
        try mode("cut")
        #expect(try await round(site, identity) == ("pending", "CONNECTION"))
        try mode("refuse")
        #expect(try await round(site, identity) == ("refused", "0x0122"))
        try mode("take")
        try await site.withService { _ = try await $0.perform(ControlRequest(.redeliver)) }
        #expect(try await round(site, identity) == ("confirmed", "HTTP-200"))
        #expect(try FileDigest(ofFile: folder + "/taken") == FileDigest(ofFile: Self.sample))
        server.stop()
    }

    @Test(
        "what an archive said of a drop is lost with the service that asked: a person is told, also where no pipeline wants the drop",
        arguments: [("ok", 1), ("skip", 0)])
    func forgottenAnswer(how: String, results: Int) async throws {
        let site = try Site()
        site.settings.arrival = ArrivalRule(
            peer: .init(host: "127.0.0.1", port: 1, called: "A", calling: "B", confirmation: .none), wait: .seconds(1),
            every: .seconds(1))
        // Taken by a service that died before it could book it.
        let input = site.root + "/work/01J00000000000000000000000/input"
        try Folder.make(input)
        try DurableFile.write(Plan(how: how, study: "s").text(), to: input + "/plan")
        let outcome = try await site.batch()
        #expect(outcome.status == .refusedOrFailed && outcome.results == results, "\(outcome.json)")
        #expect(try site.quarantined().map(\.code) == (results == 0 ? ["ARRIVAL-UNKNOWN"] : []))
        #expect(try StatusReport(site.settings).status == .refusedOrFailed)
    }

    private static let stored = #"{"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}]}}"#

    @Test(
        "what a web server answers decides, whatever else it says",
        arguments: [
            (200, stored, DeliveryReceipt.Outcome.sent, "HTTP-200"), (202, "[\(stored)]", .sent, "HTTP-202"),
            // Without a word of the object nobody knows what became of it.
            (200, "{}", .failed, "HTTP-SILENT"), (202, "", .failed, "HTTP-SILENT"), (204, "", .failed, "HTTP-SILENT"),
            (200, String(stored.dropLast()), .failed, "HTTP-SILENT"), (200, "<html>", .failed, "HTTP-SILENT"),
            (
                200, #"{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [42752]}}]}}"#, .failed,
                "0xA700"
            ),
            (
                409, #"[{"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [49152]}}]}}]"#,
                .refused, "0xC000"
            ),
            (202, #"{"00081198": {"vr": "SQ", "Value": [{}]}}"#, .failed, "0x0110"),
            // Of another object alone: nothing of this one.
            (200, stored.replacingOccurrences(of: "1.2", with: "1.3"), .failed, "HTTP-SILENT"),
            (
                202,
                #"{"00081198": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.3"]}}]}, "00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}]}}"#,
                .sent, "HTTP-202"
            ),
            (409, "", .failed, "HTTP-409"), (415, "", .refused, "HTTP-415"), (401, "", .failed, "HTTP-401"),
            (302, "", .failed, "HTTP-302"), (0, "", .failed, "CONNECTION"),
        ])
    func webAnswers(status: Int, body: String, outcome: DeliveryReceipt.Outcome, code: String) {
        let found = DICOMWebAnswer.outcome(of: "1.2", status: status, Array(body.utf8))
        #expect(found.0 == outcome && found.code == code, "\(found)")
    }
}
