import ArgumentParser
import DICOM
import Daemon
import Failures
import Foundation
import Pipelines
import Storage

struct ReceiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Brings a file that storescp has received into the inbox; for hspsam-receive.service.",
        discussion: """
            Example: storescp -od IN -fe .part +uf -xs -xcr "hspsam receive #p #f --config /etc/hspsam/hspsam.yaml" 11112
            The images of a study become one drop, INBOX/dicom-STUDY, where STUDY is a digest of the Study Instance UID.
            INBOX is inbox.path of the site file; --inbox names it where no site file is there to be read.
            """)

    @Argument(help: "The folder that it was written to.") var folder: String
    @Argument(help: "Its name there.") var name: String
    @Option(help: "The site file, YAML (default: \(ServiceOptions.siteFile), unless --inbox is given).")
    var config: String?
    @Option(help: "Where drops appear; beside --config it must be the same folder.") var inbox: String?

    func validate() throws {
        let texts = [("the folder", folder), ("the name", name), ("--inbox", inbox), ("--config", config)]
        for (what, text) in texts where text?.isEmpty == true {
            throw ValidationError("\(what) is empty: name it.")
        }
    }

    func run() throws {
        let inbox = try place()
        let path = Folder.join(folder, name)
        // What cannot be read is dropped too: the service says why, and to whom.
        let file = try? DICOMFile(path: path)
        let study = file?.dataSet.uid(.studyInstanceUID).map(StudyNames.study)
        try Reception.accept(FilePath(path), study: study, inbox: inbox)
    }

    /// Where the service looks for drops. In a folder that differs from the site file's nobody would.
    private func place() throws -> String {
        if config == nil, let inbox { return inbox }
        let file = config ?? ServiceOptions.siteFile
        let watched = try SiteConfiguration(path: file, version: HSPSAMCommand.version).service.inbox
        if let inbox, SitePlaces.followed(URL(fileURLWithPath: inbox).path) != SitePlaces.followed(watched) {
            throw ValidationError(
                "--inbox is another folder than inbox.path of \(file), which the service watches: leave --inbox out.")
        }
        return watched
    }
}
