package import DICOM

/// The date and time that an object carries, taken from its sources: a repeat gives the same bytes, and when a file was copied or
/// touched means nothing.
package struct JobTime: Sendable, Hashable {
    /// `YYYYMMDD`
    package let date: String
    /// `HHMMSS`, with a fraction when the source has one.
    package let time: String

    /// Nil when it is no date or no time.
    package init?(date: String, time: String) {
        guard ValueRules.isDate(date), ValueRules.isTime(time), time.utf8.count >= 2 else { return nil }
        self.date = date
        let whole = time.prefix { $0 != "." }
        let padding = String(repeating: "0", count: max(0, 6 - whole.utf8.count))
        self.time = whole + padding + time.dropFirst(whole.count)
    }

    /// `YYYYMMDDHHMMSS…`, as DT writes it.
    package var dateTime: String { date + time }

    /// The latest acquisition, content, series or study date of the data sets; nil when none has a legal one, or only that which stands
    /// for none.
    package static func latest(of sources: some Sequence<DataSet>) -> JobTime? {
        let pairs: [(Attribute, Attribute)] = [
            (.acquisitionDate, .acquisitionTime), (.contentDate, .contentTime), (.seriesDate, .seriesTime),
            (.studyDate, .studyTime),
        ]
        var latest: JobTime?
        func take(_ day: String, _ time: String) {
            // A date whose time is no time still tells the day.
            let found = JobTime(date: day, time: time) ?? JobTime(date: day, time: "000000")
            if let found, found != .unknown, latest.map({ $0.dateTime < found.dateTime }) ?? true { latest = found }
        }
        for source in sources {
            for (date, time) in pairs {
                if let day = source.string(date) { take(day, source.string(time) ?? "000000") }
            }
            if let moment = source.string(.acquisitionDateTime) {
                take(String(moment.prefix(8)), String(moment.dropFirst(8).prefix { $0 != "+" && $0 != "-" }))
            }
        }
        return latest
    }
}

extension JobTime {
    /// Stands where a date must stand (Type 1) and nothing of the source has one: 1 January 1970, 00:00:00.
    package static let unknown = JobTime(unchecked: "19700101", "000000")

    /// The day on which every phantom was taken.
    package static let phantom = JobTime(unchecked: "20260101", "120000")

    private init(unchecked date: String, _ time: String) {
        self.date = date
        self.time = time
    }
}
