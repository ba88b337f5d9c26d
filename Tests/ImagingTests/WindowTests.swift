import Imaging
import Testing

@Suite("windows")
struct WindowTests {
    private static func frame(_ values: [Float], inverted: Bool = false, padding: [Bool] = []) -> Frame {
        Frame(rows: 1, columns: values.count, samples: 1, values: values, padding: padding, inverted: inverted)
    }

    /// Grey levels of a picture.
    private static func levels(_ window: DisplayWindow, _ frame: Frame) -> [UInt8] {
        stride(from: 0, to: frame.values.count * 3, by: 3).map { window.image(frame).pixels[$0] }
    }

    @Test(
        "each function gives the values of PS3.3 C.11.2, computed by hand for centre 40 and width 400",
        arguments: [
            // −160 and 239 are the ends of LINEAR: c − 0.5 ∓ (w − 1) / 2.
            (
                DisplayWindow.linear(center: 40, width: 400), [-161, -160, 39.5, 139, 239, 1000],
                [0, 0, 128, 191, 255, 255]
            ),
            (.linearExact(center: 40, width: 400), [-161, -160, 40, 140, 240, 1000], [0, 0, 128, 191, 255, 255]),
            // 255 / (1 + e^1) = 68.58 at c − w / 4.
            (.sigmoid(center: 40, width: 400), [-60, 40, 140, 5000, -5000], [69, 128, 186, 255, 0]),
            (.linear(center: 10, width: 1), [9, 9.5, 9.6, 10], [0, 0, 255, 255]),
            (
                .table(LookUpTable(first: 5, entries: [0, 100, 200], maximum: 200)), [0, 5, 6, 7, 9],
                [0, 0, 128, 255, 255]
            ),
        ])
    func functions(_ window: DisplayWindow, _ values: [Float], _ expected: [UInt8]) {
        #expect(Self.levels(window, Self.frame(values)) == expected)
    }

    @Test("inverted frames are turned round after the window; padding is black either way")
    func inversion() {
        let frame = Self.frame([0, 100, 50, 50], inverted: true, padding: [false, false, false, true])
        #expect(Self.levels(DisplayWindow(from: 0, to: 100), frame) == [255, 0, 128, 0])
    }

    @Test("a LINEAR window narrower than 1 is computed as LINEAR_EXACT, one of no width is none")
    func narrow() {
        #expect(DisplayWindow(center: 0, width: 0.5, function: .linear) == .linearExact(center: 0, width: 0.5))
        #expect(DisplayWindow(center: 0, width: 0, function: .sigmoid) == nil)
        #expect(DisplayWindow(center: .nan, width: 1, function: .linear) == nil)
    }

    private static let windows = [
        VOI.Window(center: 40, width: 400, explanation: "SOFT"),
        VOI.Window(center: 300, width: 1500, explanation: "BONE "),
    ]

    @Test("rules take the file's window by name, by number, else the first, and the median over a volume")
    func choice() {
        let voi = VOI(windows: Self.windows)
        #expect(Windowing(mode: .dicom()).stated([voi]) == .linear(center: 40, width: 400))
        #expect(Windowing(mode: .dicom(index: 1)).stated([voi]) == .linear(center: 300, width: 1500))
        #expect(Windowing(mode: .dicom(name: "BONE")).stated([voi]) == .linear(center: 300, width: 1500))
        let three = [10.0, 30, 20].map { VOI(windows: [VOI.Window(center: $0, width: 2 * $0)]) }
        #expect(Windowing(mode: .dicom()).stated(three) == .linear(center: 20, width: 40))
        let table = LookUpTable(first: 0, entries: [1], maximum: 1)
        #expect(
            Windowing(mode: .dicom(usesTable: true)).stated([VOI(windows: Self.windows, table: table)]) == .table(table)
        )
    }

    @Test("another window never stands in for one that is asked for by name, by number or as a table")
    func lacking() {
        let (both, soft) = (VOI(windows: Self.windows), VOI(windows: [Self.windows[0]]))
        func lack(_ mode: Windowing.Mode, _ vois: [VOI], _ scope: Windowing.Scope = .volume) -> Windowing.Lack? {
            let windowing = Windowing(mode: mode, scope: scope)
            let lack = windowing.lack(in: vois)
            #expect((windowing.stated(vois) == nil) == (lack != nil))
            return lack
        }
        #expect(lack(.dicom(name: "LUNG"), [both, both]) == .missing(frame: 0, count: 2))
        #expect(lack(.dicom(name: "bone"), [both]) == .missing(frame: 0, count: 1))
        #expect(lack(.dicom(name: "BONE"), [both, soft, both]) == .missing(frame: 1, count: 1))
        #expect(lack(.dicom(index: 2), [both]) == .missing(frame: 0, count: 1))
        #expect(lack(.dicom(index: 1), [both, soft], .frame) == .missing(frame: 1, count: 1))
        #expect(lack(.dicom(usesTable: true), [both]) == .missing(frame: 0, count: 1))
        // A window that none can have keeps its place.
        let gap = VOI(windows: [Self.windows[0], VOI.Window(center: 1, width: .nan), Self.windows[1]])
        #expect(lack(.dicom(index: 1), [gap]) == .missing(frame: 0, count: 1))
        #expect(Windowing(mode: .dicom(index: 2)).stated([gap]) == .linear(center: 300, width: 1500))
        let twice = VOI(windows: Self.windows + [VOI.Window(center: 1, width: 2, explanation: "BONE")])
        #expect(lack(.dicom(name: "BONE"), [both, twice]) == .twice(frame: 1))
        for windowing in [Windowing(mode: .dicom()), Windowing(mode: .minmax)] { #expect(!windowing.isParticular) }
        for mode in [Windowing.Mode.dicom(index: 1), .dicom(name: "BONE"), .dicom(usesTable: true)] {
            #expect(Windowing(mode: mode).isParticular)
        }
    }

    @Test("windows of another explanation, function or table are not mixed; one range is one window, whatever its name")
    func unlike() {
        let (both, turned) = (VOI(windows: Self.windows), VOI(windows: Self.windows.reversed()))
        for scope in [Windowing.Scope.volume, .frame] {
            #expect(Windowing(mode: .dicom(index: 1), scope: scope).lack(in: [both, turned]) == .unlike(frame: 1))
            #expect(Windowing(mode: .dicom(), scope: scope).lack(in: [both, both, turned]) == .unlike(frame: 2))
        }
        #expect(Windowing(mode: .dicom(name: "BONE")).stated([both, turned]) == .linear(center: 300, width: 1500))
        let unnamed = VOI(windows: [VOI.Window(center: 40, width: 400)])
        #expect(Windowing(mode: .dicom()).stated([both, unnamed]) == .linear(center: 40, width: 400))
        let sigmoid = VOI(windows: Self.windows, function: .sigmoid)
        #expect(Windowing(mode: .dicom()).lack(in: [both, sigmoid]) == .unlike(frame: 1))
        #expect(Windowing(mode: .dicom(), scope: .frame).lack(in: [both, sigmoid]) == nil)
        let tables = [1, 2].map { VOI(table: LookUpTable(first: $0, entries: [1], maximum: 1)) }
        #expect(Windowing(mode: .dicom(usesTable: true)).lack(in: tables) == .unlike(frame: 1))
        #expect(Windowing(mode: .dicom(usesTable: true), scope: .frame).lack(in: tables) == nil)
    }

    @Test("without a usable window the percentiles of all frames decide, padding left out")
    func fallback() {
        var padding = [Bool](repeating: false, count: 1001)
        padding[1000] = true
        let frame = Self.frame((0..<1000).map(Float.init) + [-30000], padding: padding)
        let voi = VOI(windows: [VOI.Window(center: 1, width: -5)])
        let window = Windowing(mode: .dicom()).window(for: [voi, voi]) { _ in frame }
        #expect(window == DisplayWindow(from: 4, to: 994))
        #expect(Windowing(mode: .minmax).window(for: frame, voi) == DisplayWindow(from: 0, to: 999))
        #expect(
            Windowing(mode: .percentile(low: 10, high: 50)).window(for: frame, voi) == DisplayWindow(from: 99, to: 499))
    }

    @Test("a window that the file states costs no decoding")
    func lazy() {
        var asked = 0
        let voi = VOI(windows: [VOI.Window(center: 1, width: 5)])
        _ = Windowing(mode: .dicom()).window(for: [voi]) { _ in
            asked += 1
            return Self.frame([0])
        }
        #expect(asked == 0)
    }

    @Test("a constant image is black, colour passes as it is")
    func extremes() {
        let flat = Self.frame([7, 7])
        #expect(Self.levels(Windowing(mode: .minmax).window(for: flat, VOI()), flat) == [0, 0])
        let colour = Frame(rows: 1, columns: 1, samples: 3, values: [1, 127.6, 300])
        #expect(DisplayWindow(from: 0, to: 1).image(colour).pixels == [1, 128, 255])
    }

    @Test("a picture is grey by its pixels, however it was made")
    func grey() {
        var made = DisplayImage(rows: 1, columns: 2, greys: [7, 9])
        #expect(made.pixels == [7, 7, 7, 9, 9, 9])
        #expect(made.isGrey)
        #expect(made == DisplayImage(rows: 1, columns: 2, pixels: [7, 7, 7, 9, 9, 9]))
        made.pixels[4] = 8
        #expect(!made.isGrey)
        made.pixels[4] = 9
        #expect(made.isGrey)
    }
}
