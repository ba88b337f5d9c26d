import Daemon
import Failures
import Foundation
import Storage
import Synchronization
import Testing

@Suite("the inbox")
struct InboxTests {
    @Test("a drop is settled when nothing of it changed for the quiet time, over two looks at least")
    func settling() async throws {
        let site = try Site()
        site.settings.settling.quiet = .seconds(60)
        try site.drop("study", "ok")
        let inbox = Inbox(paths: ServicePaths(site.settings), quiet: site.settings.settling.quiet)
        let start = ContinuousClock.now
        #expect(try await inbox.scan(now: start).settled.isEmpty)
        #expect(try await inbox.scan(now: start + .seconds(59)).settling == 1)
        try DurableFile.write("one more", to: site.root + "/inbox/study/late")
        #expect(try await inbox.scan(now: start + .seconds(61)).settled.isEmpty)
        #expect(try await inbox.scan(now: start + .seconds(120)).settled.isEmpty)
        #expect(try await inbox.scan(now: start + .seconds(121)).settled == [FilePath("study")])
    }

    @Test("one look is never enough, however short the quiet time")
    func twoLooks() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        let inbox = Inbox(paths: ServicePaths(site.settings), quiet: .zero)
        #expect(try await inbox.scan().settled.isEmpty)
        #expect(try await inbox.scan().settled == [FilePath("study")])
    }

    @Test("a drop that changes between the look and the claim is not taken, and settles again under its hidden name")
    func changedAtClaim() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let inbox = Inbox(paths: paths, quiet: .zero)
        _ = try await inbox.scan()
        #expect(try await inbox.scan().settled == [FilePath("study")])
        try DurableFile.write("late", to: site.root + "/inbox/study/late")
        #expect(try await inbox.take(FilePath("study")) == .changed)
        _ = try await inbox.scan()
        let hidden = try #require(try await inbox.scan().settled.first)
        #expect(DropName.claimedIdentifier(hidden) != nil)
        guard case .taken(let drop) = try await inbox.take(hidden) else {
            Issue.record("not taken")
            return
        }
        #expect(drop.files == 2 && FileStatus.exists(paths.input(drop.id) + "/late"))
    }

    @Test(
        "names of unfinished transfers are no drops",
        arguments: [
            ".x", "x.tmp", "x.part", "x.PARTIAL", "x.filepart", "x.crdownload", "x~", "lost+found", ".hspsam-lock",
            "x.ready",
        ])
    func names(name: String) {
        #expect(!DropName.isDrop(FilePath(name), isFolder: false))
        #expect(DropName.isDrop(FilePath(name.filter(\.isLetter)), isFolder: false))
    }

    @Test("a folder is a drop whatever it is called, and no marker of the drop beside it")
    func folderNamedReady() async throws {
        let site = try Site()
        try site.drop("CT", "ok")
        try site.drop("CT.ready", "ok", study: "other")
        let inbox = Inbox(paths: ServicePaths(site.settings), quiet: .zero)
        _ = try await inbox.scan()
        #expect(try await inbox.scan().settled == [FilePath("CT"), FilePath("CT.ready")])
        let outcome = try await site.batch()
        #expect(outcome.results == 2 && outcome.status == .done, "\(outcome.json)")
    }

    private func takenAfterTwoLooks(_ inbox: Inbox, isBooked: Bool = false) async throws -> Inbox.Taking {
        _ = try await inbox.scan()
        return try await inbox.take(try #require(try await inbox.scan().settled.first), isBooked: isBooked)
    }

    @Test(
        "a drop under the name of a job that exists is another drop, unless it is proven to be the same: nothing is deleted unread"
    )
    func namedLikeAJob() async throws {
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let id = "01JCK3000000000000000000AA"
        try Folder.make(paths.input(id))
        try DurableFile.write("one", to: paths.input(id) + "/a")
        // The original of a copy: the same bytes.
        try Folder.make(paths.inbox + "/.hspsam-\(id)")
        try DurableFile.write("one", to: paths.inbox + "/.hspsam-\(id)/a")
        let inbox = Inbox(paths: paths, quiet: .zero)
        #expect(try await takenAfterTwoLooks(inbox) == .leftover)
        #expect(!FileStatus.exists(paths.inbox + "/.hspsam-\(id)"))
        // Other bytes under the same name.
        try Folder.make(paths.inbox + "/.hspsam-\(id)")
        try DurableFile.write("two", to: paths.inbox + "/.hspsam-\(id)/a")
        guard case .taken(let drop) = try await takenAfterTwoLooks(inbox) else {
            Issue.record("not taken")
            return
        }
        #expect(drop.id != id)
        #expect(try DurableFile.read(paths.input(drop.id) + "/a", limit: 9) == Array("two".utf8))
        #expect(try DurableFile.read(paths.input(id) + "/a", limit: 9) == Array("one".utf8))
    }

    @Test("a drop that cannot be taken is told with its cause, at whichever step it is, until it is taken")
    func untaken() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let inbox = Inbox(paths: paths, quiet: .zero)
        // Before it is claimed, as where the inbox cannot be written to.
        try Folder.remove(paths.work)
        await #expect(throws: StorageFailure.self) { _ = try await takenAfterTwoLooks(inbox) }
        #expect(await inbox.untakenCodes == ["FILE-NOT-FOUND"])
        try paths.prepare()
        guard case .taken = try await takenAfterTwoLooks(inbox) else {
            Issue.record("not taken")
            return
        }
        #expect(await inbox.untakenCodes.isEmpty)
        // The service remembers it for status, which says what to do.
        let other = try Site()
        for (codes, words) in [
            ("DISK-FULL FILE-DENIED FILE-DENIED", ["1 in the inbox", "Free room", "2 in the inbox", "setfacl"]),
            ("", []),
        ] {
            try await other.withService { try await $0.ledger.remember("untaken", codes) }
            let report = try StatusReport(other.settings)
            #expect((report.status == .refusedOrFailed) == !codes.isEmpty, "\(report.text)")
            for word in words { #expect(report.text.contains(word), "\(report.text)") }
        }
    }

    @Test("a marker with nothing that it could mark is no complete drop: it is waited for, and then told or put aside")
    func markedNothing() async throws {
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        try Folder.make(paths.inbox + "/beside")
        try DurableFile.write("", to: paths.inbox + "/beside.ready")
        try Folder.make(paths.inbox + "/inside/deep")
        try DurableFile.write("", to: paths.inbox + "/inside/.ready")
        for mode in SettlingRules.Mode.allCases {
            var rules = SettlingRules(quiet: .zero)
            rules.mode = mode
            let inbox = Inbox(paths: paths, rules: rules)
            let now = ContinuousClock.now
            for wait in [0, 10, 80_000] {
                let sight = try await inbox.scan(now: now + .seconds(wait))
                #expect(sight.settled.isEmpty && sight.settling == 2, "\(sight)")
            }
            #expect(try await inbox.scan(now: now + .seconds(90_000)).settled == [FilePath("inside")])
        }
        let inbox = Inbox(paths: paths, quiet: .zero)
        let now = ContinuousClock.now
        for wait in [0, 90_000] { _ = try await inbox.scan(now: now + .seconds(wait)) }
        guard case .taken(let drop) = try await inbox.take(FilePath("inside")) else {
            Issue.record("not taken")
            return
        }
        #expect(drop.refusal?.code == "READY-DIFFERS")
        var rules = SettlingRules(quiet: .zero)
        rules.giveUp = .zero
        try await Task.sleep(for: .milliseconds(50))
        #expect(try await Inbox(paths: paths, rules: rules).scan().unfinished == 1)
    }

    @Test("what the receiver or a release put into the inbox waits for no marker, which nobody would make")
    func unmarkedOwn() async throws {
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        var rules = SettlingRules(quiet: .seconds(60))
        rules.mode = .readyOnly
        let inbox = Inbox(paths: paths, rules: rules)
        let own = ["dicom-0123456789ab", "dicom-unreadable", "received-late", "released-\(Site.job)"]
        for name in own + ["released-yesterday", "study"] {
            try Folder.make("\(paths.inbox)/\(name)")
            try DurableFile.write("pixels", to: "\(paths.inbox)/\(name)/slice")
        }
        let now = ContinuousClock.now
        for wait in [0, 59] { #expect(try await inbox.scan(now: now + .seconds(wait)).settled.isEmpty) }
        let sight = try await inbox.scan(now: now + .seconds(60))
        #expect(Set(sight.settled) == Set(own.map { FilePath($0) }) && sight.settling == 2)
    }

    @Test(
        "a drop with a link or a FIFO on another disk stays where it is under its name, and nothing is half copied",
        .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm")), arguments: ["link", "FIFO", "link alone"])
    func notCopied(what: String) async throws {
        let site = try Site()
        site.settings.inbox = "/dev/shm/hspsam-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: site.settings.inbox) }
        let drop = site.settings.inbox + "/study"
        try Folder.make(drop)
        if what != "link alone" { try DurableFile.write("pixels", to: drop + "/slice") }
        if what == "FIFO" { mkfifo(drop + "/odd", 0o600) } else { symlink("/etc/passwd", drop + "/odd") }
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let inbox = Inbox(paths: paths, quiet: .zero)
        await #expect(throws: StorageFailure.self) { _ = try await takenAfterTwoLooks(inbox) }
        #expect(try Folder.list(paths.work).isEmpty)
        let outcome = try await site.batch()
        #expect(outcome.status == .refusedOrFailed && outcome.unsettled == 1, "\(outcome.json)")
        #expect(outcome.notes == ["DROP-UNTAKEN"])
        let report = try StatusReport(site.settings)
        #expect(report.text.contains("(FILE-KIND). → Take links and devices out"), "\(report.text)")
        #expect(try Folder.list(drop).contains { $0.name == "odd" })
    }

    @Test(
        "names are bytes: drops and files in Latin-1, and names of 255 bytes, are taken whole, by rename and by copy",
        .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm")), arguments: [true, false])
    func strangeNames(isElsewhere: Bool) async throws {
        let site = try Site()
        if isElsewhere { site.settings.inbox = "/dev/shm/hspsam-\(UUID().uuidString)" }
        defer { try? FileManager.default.removeItem(atPath: site.settings.inbox) }
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        // M\xFCller, as a file and as a folder with such names in it.
        let latin = FilePath(bytes: [0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72])
        let drop = FilePath(paths.inbox).appending(latin)
        mkdir(drop.c, 0o700)
        mkdir(drop.appending(latin).c, 0o700)
        let names = [latin.appending(latin), FilePath(String(repeating: "x", count: 255))]
        for name in names { close(creat(drop.appending(name).c, 0o600)) }
        close(creat(drop.extended(".dcm").c, 0o600))
        let inbox = Inbox(paths: paths, quiet: .zero)
        _ = try await inbox.scan()
        let settled = try await inbox.scan().settled
        #expect(settled.count == 2)
        var taken: Set<FilePath> = []
        for name in settled {
            guard case .taken(let drop) = try await inbox.take(name) else {
                Issue.record("not taken")
                continue
            }
            taken.formUnion(
                try Folder.walk(paths.input(drop.id)).filter { $0.status.kind == .regular }.map(\.path))
        }
        #expect(taken == Set(names + [latin.extended(".dcm")]))
        #expect(try Folder.list(paths.inbox).isEmpty)
    }

    @Test("a drop of another user is taken by copy: what that user still holds open changes nothing any more")
    func otherUser() async throws {
        // Only root can make files of somebody else.
        guard getuid() == 0 else { return }
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        try Folder.make(paths.inbox + "/study")
        try DurableFile.write("pixels", to: paths.inbox + "/study/slice")
        chown(paths.inbox + "/study/slice", 12_345, 12_345)
        let held = try #require(fopen(paths.inbox + "/study/slice", "r+"))
        defer { fclose(held) }
        let inbox = Inbox(paths: paths, quiet: .zero)
        guard case .taken(let drop) = try await takenAfterTwoLooks(inbox) else {
            Issue.record("not taken")
            return
        }
        fputs("WRONG!", held)
        fflush(held)
        #expect(try DurableFile.read(paths.input(drop.id) + "/slice", limit: 9) == Array("pixels".utf8))
        #expect(try FileStatus(of: paths.input(drop.id) + "/slice").owner == FileStatus.currentUser)
        #expect(try Folder.list(paths.inbox).isEmpty)
    }

    @Test("the original of a copied drop that cannot be removed asks for a person until it can be")
    func left() async throws {
        let site = try Site()
        site.settings.settling.copies = true
        try site.drop("a", "ok")
        // Nobody may remove anything from such a folder, root neither.
        let folder = site.root + "/inbox/a"
        func chattr(_ flag: String, _ path: String) throws -> Bool {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/chattr")
            process.arguments = [flag, path]
            process.standardError = FileHandle.nullDevice
            guard FileStatus.exists("/usr/bin/chattr") else { return false }
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
        guard try chattr("+i", folder + "/plan") else { return }
        try await site.withService { service in
            let outcome = try await service.batch()
            #expect(outcome.results == 1)
            _ = try await service.takeAllNow()
            let left = try #require(try Folder.list(site.root + "/inbox").first { $0.status.kind == .directory })
            let status = try StatusReport(site.settings)
            #expect(status.status == .refusedOrFailed && status.text.contains("DROP-LEFT 1 in the inbox"))
            #expect(try chattr("-i", "\(site.root)/inbox/\(left.name)/plan"))
            _ = try await service.takeAllNow()
            #expect(!FileStatus.exists("\(site.root)/inbox/\(left.name)"))
            #expect(try !StatusReport(site.settings).text.contains("DROP-LEFT"))
        }
    }

    @Test("a marker makes a drop complete at once, and one that says something else than is there holds it back")
    func ready() async throws {
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        var rules = SettlingRules(quiet: .seconds(3600))
        for mode in SettlingRules.Mode.allCases {
            rules.mode = mode
            let inbox = Inbox(paths: paths, rules: rules)
            try Folder.make(paths.inbox + "/study")
            try DurableFile.write("pixels", to: paths.inbox + "/study/slice")
            let now = ContinuousClock.now
            _ = try await inbox.scan(now: now)
            #expect(try await inbox.scan(now: now + .seconds(3500)).settled.isEmpty)
            // Wrong in number, wrong in bytes, right.
            let digest = FileDigest(of: "pixels").hex
            for (marker, isRight) in [
                (#"{"files": 2}"#, false), (#"{"sha256": {"slice": "00"}}"#, false), ("{", false),
                (#"{"count": 1}"#, false),
                (#"{"files": 1, "sha265": {}}"#, false),
                (#"{"files": 1, "sha256": {"slice": "\#(digest)"}}"#, true), ("", true),
            ] {
                try DurableFile.write(marker, to: paths.inbox + "/study.ready")
                let sight = try await inbox.scan(now: now + .seconds(3501))
                #expect(sight.settled == (isRight ? [FilePath("study")] : []), "\(marker)")
            }
            guard case .taken = try await inbox.take(FilePath("study")) else {
                Issue.record("not taken")
                return
            }
            #expect(try Folder.list(paths.inbox).isEmpty)
        }
        try Folder.make(paths.inbox + "/inside")
        try DurableFile.write("pixels", to: paths.inbox + "/inside/slice")
        try DurableFile.write(#"{"files": 1}"#, to: paths.inbox + "/inside/.ready")
        let inbox = Inbox(paths: paths, rules: rules)
        _ = try await inbox.scan()
        #expect(try await inbox.scan().settled == [FilePath("inside")])
    }

    @Test("a drop whose marker is wrong is put aside after give_up, whether drops settle by time or by marker")
    func contradicted() async throws {
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        for mode in SettlingRules.Mode.allCases {
            try site.drop("study", "ok")
            try DurableFile.write(#"{"files": 96}"#, to: paths.inbox + "/study.ready")
            var rules = SettlingRules(quiet: .seconds(1))
            rules.mode = mode
            let inbox = Inbox(paths: paths, rules: rules)
            let now = ContinuousClock.now
            _ = try await inbox.scan(now: now)
            #expect(try await inbox.scan(now: now + .seconds(86_399)).settled.isEmpty)
            #expect(try await inbox.scan(now: now + .seconds(86_400)).settled == [FilePath("study")])
            guard case .taken(let drop) = try await inbox.take(FilePath("study")) else {
                Issue.record("not taken")
                return
            }
            #expect(drop.refusal?.code == "READY-DIFFERS")
        }
    }

    @Test("a drop whose marker is wrong is put aside also where it could not be moved at first, after it was claimed")
    func contradictedTwice() async throws {
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        try site.drop("study", "ok")
        try DurableFile.write(#"{"files": 96}"#, to: paths.inbox + "/study.ready")
        let inbox = Inbox(paths: paths, quiet: .zero)
        let now = ContinuousClock.now
        for wait in [0, 86_400] { _ = try await inbox.scan(now: now + .seconds(wait)) }
        // A file stands where its work folder would be made, whatever its name will be.
        try Folder.remove(paths.work)
        try DurableFile.write("", to: paths.work)
        await #expect(throws: StorageFailure.self) { _ = try await inbox.take(FilePath("study")) }
        try Folder.remove(paths.work)
        try paths.prepare()
        for wait in [86_500, 86_600] { _ = try await inbox.scan(now: now + .seconds(wait)) }
        let names = try Folder.list(paths.inbox).map(\.path)
        let hidden = try #require(names.first { DropName.claimedIdentifier($0) != nil })
        guard case .taken(let drop) = try await inbox.take(hidden) else {
            Issue.record("not taken")
            return
        }
        #expect(drop.refusal?.code == "READY-DIFFERS")
        #expect(try Folder.list(paths.inbox).isEmpty)
    }

    @Test("what is received stays with its sender where the inbox is not there; a folder is no file that was received")
    func receivedNowhere() throws {
        let site = try Site()
        let file = FilePath(site.root + "/CT.1.part")
        try DurableFile.write("pixels", to: file.text)
        #expect(throws: StorageFailure.self) {
            try Reception.accept(file, study: nil, inbox: site.root + "/typo")
        }
        #expect(FileStatus.exists(file) && !FileStatus.exists(site.root + "/typo"))
        #expect(throws: StorageFailure.self) {
            try Reception.accept(FilePath(site.root + "/pipelines"), study: nil, inbox: site.root + "/inbox")
        }
        try Reception.accept(file, study: nil, inbox: site.root + "/inbox")
        #expect(FileStatus.exists(site.root + "/inbox/dicom-unreadable/CT.1.dcm"))
    }

    @Test(
        "without its marker nothing is ever taken where markers are asked for; after give_up it is counted, for a person"
    )
    func readyOnly() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        var rules = SettlingRules(quiet: .zero)
        rules.mode = .readyOnly
        let inbox = Inbox(paths: ServicePaths(site.settings), rules: rules)
        let now = ContinuousClock.now
        for hour in 0..<100 {
            let sight = try await inbox.scan(now: now + .seconds(hour * 3600))
            #expect(sight.settled.isEmpty && sight.unmarked == (hour < 24 ? 0 : 1), "\(hour)")
        }
    }

    @Test(
        "what an unfinished transfer has left is counted for a person, once nothing has come for long; empty folders are not"
    )
    func unfinished() async throws {
        let site = try Site()
        for name in ["a.dcm.part", "b.tmp/c", "letter~"] {
            try Folder.make(Folder.split(site.root + "/inbox/" + name).folder)
            try DurableFile.write("x", to: site.root + "/inbox/" + name)
        }
        try Folder.make(site.root + "/inbox/empty.part/more")
        try Folder.make(site.root + "/inbox/.hidden.part")
        // Of systems, and markers of drops that are there.
        for name in [".DS_Store", ".fseventsd/0000a1", ".Trash-1000/files/1.dcm", ".x.tmp"] {
            try Folder.make(Folder.split(site.root + "/inbox/" + name).folder)
            try DurableFile.write(name.hasSuffix("1.dcm") ? dicom : [0], to: site.root + "/inbox/" + name)
        }
        try Folder.make(site.root + "/inbox/new")
        var rules = SettlingRules(quiet: .zero)
        // By the times of inodes, which nobody can set back: so the limit lies ahead.
        for (limit, count) in [(Duration.seconds(3600), 0), (.seconds(-3600), 3)] {
            rules.giveUp = limit
            let inbox = Inbox(paths: ServicePaths(site.settings), rules: rules)
            let sight = try await inbox.scan()
            #expect(sight.unfinished == count && sight.settled.isEmpty && sight.settling == 0)
        }
        site.settings.settling.giveUp = .seconds(-3600)
        #expect(try await site.batch().status == .refusedOrFailed)
        #expect(try StatusReport(site.settings).text.contains("UPLOAD-LEFT 3 in the inbox"))
    }

    /// What a DICOM file begins with.
    private let dicom = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)

    private final class Beats: Sendable {
        private let count = Mutex(0)
        var sum: Int { count.withLock { $0 } }
        func beat() { count.withLock { $0 += 1 } }
    }

    @Test("the watchdog hears of the inbox while the digests of a marked drop are made")
    func markedAndLarge() async throws {
        let site = try Site()
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let bytes = [UInt8](repeating: 7, count: 4 << 20)
        try Folder.make(paths.inbox + "/study")
        try DurableFile.write(bytes, to: paths.inbox + "/study/slide")
        let marker = #"{"sha256": {"slide": "\#(FileDigest(of: bytes).hex)"}}"#
        try DurableFile.write(marker, to: paths.inbox + "/study.ready")
        let inbox = Inbox(paths: paths, rules: SettlingRules(quiet: .seconds(3600)))
        _ = try await inbox.scan()
        let beats = Beats()
        #expect(try await inbox.scan { beats.beat() }.settled == [FilePath("study")])
        #expect(beats.sum >= 16)
    }

    @Test("what is no drop and was meant to become one is counted: hidden images, folders without files, lone markers")
    func leftHidden() async throws {
        let site = try Site()
        let inbox = site.root + "/inbox/"
        for name in [".study/a/IM1", ".17.dcm.Xa1b2c", "gone.READY"] {
            try Folder.make(Folder.split(inbox + name).folder)
            try DurableFile.write(dicom, to: inbox + name)
        }
        let (jpeg, png): ([UInt8], [UInt8]) = ([0xFF, 0xD8, 0xFF, 0xE0], [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10])
        for (name, bytes) in [
            (".photo.jpg.Xa1b2c", jpeg), (".photos/1.png", png), (".slide.tif", [0x49, 0x49, 0x2B, 0, 8, 0]),
            (".study.zip", [0x50, 0x4B, 3, 4]), ("lost+found/#12", jpeg),
        ] {
            try Folder.make(Folder.split(inbox + name).folder)
            try DurableFile.write(bytes, to: inbox + name)
        }
        // What systems keep for themselves.
        for (name, bytes) in [
            (".DS_Store", [0, 0, 0, 1]), ("._photo.jpg", [0, 5, 0x16, 7]), (".thumbnails/a.png", png), (".empty", []),
        ] {
            try Folder.make(Folder.split(inbox + name).folder)
            try DurableFile.write(bytes, to: inbox + name)
        }
        try Folder.make(inbox + "study/series1")
        try DurableFile.write([], to: inbox + "study.ready")
        var rules = SettlingRules(quiet: .zero)
        // Whoever marks a folder without files may still be about to fill it.
        for (limit, count, settling) in [(Duration.seconds(3600), 0, 1), (.seconds(-3600), 9, 0)] {
            rules.giveUp = limit
            let sight = try await Inbox(paths: ServicePaths(site.settings), rules: rules).scan()
            #expect(sight.unfinished == count && sight.settled.isEmpty && sight.settling == settling, "\(sight)")
        }
    }

    @Test("a drop that never settles is put aside for a person in the end")
    func giveUp() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        let paths = ServicePaths(site.settings)
        try paths.prepare()
        let inbox = Inbox(paths: paths, rules: SettlingRules(quiet: .seconds(60)))
        let now = ContinuousClock.now
        for hour in 0..<24 {
            try DurableFile.write("\(hour)", to: site.root + "/inbox/study/growing")
            #expect(try await inbox.scan(now: now + .seconds(hour * 3600)).settled.isEmpty)
        }
        try DurableFile.write("more", to: site.root + "/inbox/study/growing")
        #expect(try await inbox.scan(now: now + .seconds(86_400)).settled == [FilePath("study")])
        guard case .taken(let drop) = try await inbox.take(FilePath("study")) else {
            Issue.record("not taken")
            return
        }
        #expect(drop.refusal?.code == "NEVER-SETTLED")
        let ledger = try Ledger(path: paths.ledger)
        try await ledger.enqueue(drop)
        #expect(try await ledger.job(drop.id)?.state == .quarantined)
    }

    @Test("a drop over the limits stays in the inbox and is counted")
    func limits() async throws {
        let site = try Site()
        try site.drop("study", "ok")
        var rules = SettlingRules(quiet: .zero)
        rules.mostFiles = 0
        let inbox = Inbox(paths: ServicePaths(site.settings), rules: rules)
        _ = try await inbox.scan()
        let sight = try await inbox.scan()
        #expect(sight.settled.isEmpty && sight.oversized == 1)
    }
}

extension FilePath {
    /// The path as C takes it.
    fileprivate var c: [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
}
