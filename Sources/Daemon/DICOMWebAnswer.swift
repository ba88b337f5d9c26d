internal import Foundation

/// What a DICOMweb server answers: a status of HTTP, and a data set in DICOM's JSON.
package enum DICOMWebAnswer {
    /// What became of the one object that a request has sent. Only an answer that names it, as stored or as not, decides: a body
    /// that was cut, is of another kind or names other objects says nothing.
    ///
    /// - Parameter instance: the object's SOP Instance UID.
    /// *Source*: PS3.18 Table 10.5.3-1; the Failure Reason (0008,1197) and the Warning
    /// Reason (0008,1196) are those of C-STORE (PS3.18 I.2.2).
    package static func outcome(of instance: String, status: Int, _ body: [UInt8]) -> (
        DeliveryReceipt.Outcome, code: String
    ) {
        let code = status == 0 ? "CONNECTION" : "HTTP-\(status)"
        switch status {
        case 200..<300, 409:
            if let reason = failureReason(of: instance, body) {
                let answer = DCMSendReport.Status.answered(reason)
                // A warning's status is that of an object which was stored.
                return (answer.outcome, answer.code)
            }
            let stored = dataSets(body).flatMap { items($0, "00081199") }.filter { names($0, instance) }
            if status != 409, !stored.isEmpty {
                let warning = stored.lazy.compactMap { values($0, "00081196").first as? Int }.first
                    .flatMap(UInt16.init(exactly:))
                return (.sent, warning.map { DCMSendReport.Status.answered($0).code } ?? code)
            }
            // Without a word of this object a conflict is the server's, and not for ever.
            return (.failed, status == 409 ? code : silent)
        // It cannot, or will never, take such an object.
        case 400, 406, 413, 415, 422: return (.refused, code)
        default: return (.failed, code)
        }
    }

    /// The code of a success that does not name what was stored.
    static let silent = "HTTP-SILENT"

    /// Whether an answer to a search holds this SOP Instance UID.
    package static func holds(_ instance: String, _ body: [UInt8]) -> Bool {
        dataSets(body).contains { values($0, "00080018").contains { $0 as? String == instance } }
    }

    private static func failureReason(of instance: String, _ body: [UInt8]) -> UInt16? {
        for dataSet in dataSets(body) {
            // One object was sent: a failure that names none is its own.
            for item in items(dataSet, "00081198")
            where values(item, "00081155").isEmpty || names(item, instance) {
                let reason = values(item, "00081197").first as? Int
                return reason.flatMap(UInt16.init(exactly:)) ?? 0x0110
            }
        }
        return nil
    }

    private static func items(_ dataSet: [String: Any], _ tag: String) -> [[String: Any]] {
        values(dataSet, tag).compactMap { $0 as? [String: Any] }
    }

    /// By its Referenced SOP Instance UID.
    private static func names(_ item: [String: Any], _ instance: String) -> Bool {
        values(item, "00081155").contains { $0 as? String == instance }
    }

    /// Some servers answer with one data set, some with an array of them.
    private static func dataSets(_ body: [UInt8]) -> [[String: Any]] {
        let json = try? JSONSerialization.jsonObject(with: Data(body))
        if let one = json as? [String: Any] { return [one] }
        return json as? [[String: Any]] ?? []
    }

    private static func values(_ dataSet: [String: Any], _ tag: String) -> [Any] {
        (dataSet[tag] as? [String: Any])?["Value"] as? [Any] ?? []
    }
}
