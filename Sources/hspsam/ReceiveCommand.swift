import ArgumentParser
import DICOM
import Daemon
import Failures
import Pipelines
import Storage

struct ReceiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Brings a file that storescp has received into the inbox; for hspsam-receive.service.",
        discussion: """
            Example: storescp -od IN -fe .part +uf -xs -xcr "hspsam receive #p #f --inbox INBOX" 11112
            The images of a study become one drop, INBOX/dicom-STUDY, where STUDY is a digest of the Study Instance UID.
            """)

    @Argument(help: "The folder that it was written to.") var folder: String
    @Argument(help: "Its name there.") var name: String
    @Option(help: "Where drops appear.") var inbox: String

    func validate() throws {
        for (what, text) in [("the folder", folder), ("the name", name), ("--inbox", inbox)] where text.isEmpty {
            throw ValidationError("\(what) is empty: name it.")
        }
    }

    func run() throws {
        let path = Folder.join(folder, name)
        // What cannot be read is dropped too: the service says why, and to whom.
        let file = try? DICOMFile(path: path)
        let study = file?.dataSet.uid(.studyInstanceUID).map(StudyNames.study)
        try Reception.accept(FilePath(path), study: study, inbox: inbox)
    }
}
