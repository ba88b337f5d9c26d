import Failures
import Testing

@Suite("failures")
struct FailureTests {
    @Test("a message tells subject, explanation and cure in one line; without its subject nothing names the file")
    func message() {
        let message = FailureMessage(
            "only a preamble: the file is cut off.", cure: "Send it again.", subject: "/in/Doe^Jane.dcm")
        #expect(message.text == "/in/Doe^Jane.dcm: only a preamble: the file is cut off. Send it again.")
        #expect(message.withoutSubject == "only a preamble: the file is cut off. Send it again.")
        #expect(!message.withoutSubject.contains("Jane"))
    }

    @Test("an error that is not ours is a defect to report")
    func foreign() {
        struct Foreign: Error {}
        let record = FailureRecord(Foreign())
        #expect(record.kind == .internalDefect)
        #expect(record.code == "INTERNAL")
    }
}
