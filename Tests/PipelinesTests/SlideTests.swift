import DICOM
import DICOMObjects
import Failures
import Foundation
import Imaging
import Phantoms
import Records
import SegmentAnything
import Storage
import Testing

@Suite("whole slides")
struct SlideTests {
    private static let keys = RasterObject.Keys(study: "slide study", series: "slide series")

    private static var identity: StudyIdentity {
        var identity = StudyIdentity()
        identity.patient.id = "S"
        identity.study.uid = "1.2.3"
        identity.series.uid = "1.2.3.4"
        return identity
    }

    private static func level(
        _ phantom: SlidePhantom, factor: Int = 1, isSparse: Bool, parts: Int = 1
    ) throws -> [DataSet] {
        try phantom.level(
            factor: factor, isSparse: isSparse, parts: parts, identity: identity, keys: keys,
            frameOfReferenceUID: "1.2.3.5")
    }

    @Test("a slide that does not say how large its pixels are is refused before the network runs")
    func noSpacing() throws {
        var object = try Self.level(SlidePhantom(seed: 2, rows: 1500, columns: 2000, filled: 2), isSparse: true)[0]
        var shared = try #require(object.item(.sharedFunctionalGroupsSequence))
        shared[.pixelMeasuresSequence] = nil
        object.put(.sharedFunctionalGroupsSequence, item: shared)
        let record = try run([object]).record
        #expect(record.results.isEmpty && record.inputs.map(\.code) == ["OUT-PLACE"])
        #expect(record.inputs.map(\.status) == [.refused])
    }

    private func run(
        _ objects: [DataSet], tile: Int = 512, trained: TrainedScale? = nil
    ) throws -> (record: RunRecord, matrix: Mask?, segmentation: DataSet?) {
        let fixture = try Fixture()
        try FileManager.default.createDirectory(atPath: fixture.path + "/in", withIntermediateDirectories: true)
        for (index, object) in objects.enumerated() {
            try ObjectFile.write(object, to: "\(fixture.path)/in/\(index).dcm")
        }
        _ = try fixture.pipeline(
            "a",
            more: """
                windowing: {mode: fixed, window: [128, 256]}
                preprocess: {scale: {tiles: {size: \(tile), overlap: \(tile / 8)}}}
                """,
            trained: trained.map { TrainedInput(windowing: .asIs, aspect: .varied, scale: $0) }, seed: 8)
        let record = try fixture.run([fixture.path + "/in"])
        guard let result = record.results.first, let file = result.file else { return (record, nil, nil) }
        let written = try DICOMFile(
            bytes: try DurableFile.read("\(fixture.path)/out/\(file)", limit: 1 << 30))
        let isSlide = written.dataSet.has(.totalPixelMatrixRows)
        return (record, isSlide ? try Self.matrix(written) : nil, written.dataSet)
    }

    /// The total pixel matrix of a segmentation, by what its frames say of their places.
    private static func matrix(_ file: DICOMFile) throws -> Mask {
        let dataSet = file.dataSet
        let (rows, columns) = (
            try #require(dataSet.int(.totalPixelMatrixRows)), try #require(dataSet.int(.totalPixelMatrixColumns))
        )
        let pixels = try PixelDescription(dataSet)
        let reader = try PixelReader(file, pixels)
        var mask = Mask(rows: rows, columns: columns)
        for (index, group) in dataSet.items(.perFrameFunctionalGroupsSequence).enumerated() {
            let place = try #require(group.item(.planePositionSlideSequence))
            let top = try #require(place.int(.rowPositionInTotalImagePixelMatrix)) - 1
            let left = try #require(place.int(.columnPositionInTotalImagePixelMatrix)) - 1
            guard case .integers(let values) = try reader.frame(index + 1).values else { continue }
            for pixel in values.indices where values[pixel] != 0 {
                let (row, column) = (top + pixel / pixels.columns, left + pixel % pixels.columns)
                #expect(row < rows && column < columns)
                mask[row, column] = true
            }
        }
        return mask
    }

    @Test(
        "tiles that are all there, sparse ones and the parts of a concatenation give what one image of the same pixels gives"
    )
    func organizations() throws {
        let (rows, columns) = (900, 1000)
        let phantom = SlidePhantom(seed: 5, rows: rows, columns: columns, filled: 4)
        let full = try run(try Self.level(phantom, isSparse: false))
        let sparse = try run(try Self.level(phantom, isSparse: true))
        let parts = try run(try Self.level(phantom, isSparse: false, parts: 3))
        let sparseParts = try run(try Self.level(phantom, isSparse: true, parts: 2))
        for result in [full, sparse, parts, sparseParts] {
            #expect(result.record.exitStatus == .done && result.record.results.count == 1)
        }
        let matrix = try #require(full.matrix)
        #expect(
            matrix.count > 1000 && sparse.matrix == matrix && parts.matrix == matrix && sparseParts.matrix == matrix)

        // The same pixels as one picture.
        var values = [UInt16](repeating: 0, count: rows * columns)
        let source = try Self.level(phantom, isSparse: false)[0]
        let bytes = try #require(source.bytes(.pixelData))
        for pixel in values.indices {
            let (row, column) = (pixel / columns, pixel % columns)
            let tile = row / 256 * 4 + column / 256
            values[pixel] = UInt16(bytes[tile * 65536 + row % 256 * 256 + column % 256])
        }
        let picture = RasterPixels(rows: rows, columns: columns, samples: 1, bits: 8, values: values)
        let whole = try run(
            try RasterObject.objects([picture], identity: Self.identity, keys: Self.keys).map(\.dataSet))
        #expect(whole.record.results.first?.segments.first?.pixels == matrix.count)
    }

    @Test(
        "what the network finds where no tile lies counts for nothing: masks of the matrix and of its tiles hold the same pixels"
    )
    func onTiles() {
        let matrix = SlideMatrix(
            rows: 10, columns: 10, origins: [(0, 0), (0, 4), (4, 8), (8, 8)].map { .init(row: $0, column: $1) },
            position: Vector3(0, 0, 0), rowCosine: Vector3(0, 1, 0), columnCosine: Vector3(1, 0, 0))
        let all = Mask(rows: 10, columns: 10, flags: [Bool](repeating: true, count: 100))
        let kept = matrix.onTiles(all, tileRows: 4, tileColumns: 4)
        // Tiles at the edges reach beyond the matrix.
        #expect(kept.count == 16 + 16 + 8 + 4)
        #expect(kept[3, 7] && kept[4, 8] && kept[9, 9] && !kept[0, 8] && !kept[4, 0] && !kept[9, 7])
        let cut = matrix.cut(kept, tileRows: 4, tileColumns: 4)
        #expect(cut.reduce(0) { $0 + $1.count } == kept.count)
        #expect(cut == matrix.cut(all, tileRows: 4, tileColumns: 4))
    }

    @Test(
        "a segmentation of a slide lies in its coordinate system, names the tiles it was made of, and has no empty ones"
    )
    func segmentation() throws {
        let phantom = SlidePhantom(seed: 2, rows: 1500, columns: 2000, filled: 2)
        let object = try Self.level(phantom, isSparse: true)[0]
        let result = try #require(try run([object], tile: 256).segmentation)
        #expect(result.string(.dimensionOrganizationType) == "TILED_SPARSE")
        #expect(result.string(.frameOfReferenceUID) == "1.2.3.5")
        for attribute in [Attribute.imageOrientationSlide, .containerIdentifier, .rows, .columns] {
            #expect(result.bytes(attribute) == object.bytes(attribute))
        }
        let tiles = object.items(.perFrameFunctionalGroupsSequence).map { $0.item(.planePositionSlideSequence) }
        for group in result.items(.perFrameFunctionalGroupsSequence) {
            let image = group.item(.derivationImageSequence)?.item(.sourceImageSequence)
            let number = try #require(image?.int(.referencedFrameNumber))
            #expect(image?.string(.referencedSOPInstanceUID) == object.string(.sopInstanceUID))
            let (ours, theirs) = (group.item(.planePositionSlideSequence), tiles[number - 1])
            for attribute in [
                Attribute.xOffsetInSlideCoordinateSystem, .yOffsetInSlideCoordinateSystem,
                .columnPositionInTotalImagePixelMatrix, .rowPositionInTotalImagePixelMatrix,
            ] {
                let (a, b) = (try #require(ours?.double(attribute)), try #require(theirs?.double(attribute)))
                #expect(abs(a - b) < 1e-6)
            }
        }
    }

    @Test("the level whose pixels suit the model is taken, the others and the label are skipped as such")
    func levels() throws {
        let phantom = SlidePhantom(seed: 3, rows: 1024, columns: 1024, filled: 3)
        var objects = try [1, 2].flatMap { try Self.level(phantom, factor: $0, isSparse: false) }
        objects.append(try phantom.label(identity: Self.identity, keys: Self.keys, frameOfReferenceUID: "1.2.3.5"))
        func codes(_ trained: TrainedScale?) throws -> [String?] {
            try run(objects, tile: 256, trained: trained).record.inputs.map(\.code)
        }
        let (fine, coarse) = (SlidePhantom.pixelMM, 2 * SlidePhantom.pixelMM)
        #expect(try codes(TrainedScale(pixels: 256, pixelMM: coarse)) == ["SEL-LEVEL", nil, "IN-NOTIMAGE"])
        #expect(try codes(TrainedScale(pixels: 256, pixelMM: fine)) == [nil, "SEL-LEVEL", "IN-NOTIMAGE"])
        // Nobody says how large the model's pixels were: the finest.
        #expect(try codes(nil) == [nil, "SEL-LEVEL", "IN-NOTIMAGE"])
    }

    @Test("a slide whose tiles do not make one picture is refused with what contradicts")
    func refusals() throws {
        let phantom = SlidePhantom(seed: 4, rows: 1000, columns: 1000, filled: 1)
        func code(_ objects: [DataSet]) throws -> Set<String?> { Set(try run(objects).record.inputs.map(\.code)) }
        let parts = try Self.level(phantom, isSparse: false, parts: 3)
        #expect(try code([parts[0], parts[2]]) == ["GEO-SLIDE"])
        var full = try Self.level(phantom, isSparse: false)[0]
        full.put(.totalPixelMatrixRows, 2000)
        #expect(try code([full]) == ["GEO-SLIDE"])
        var paths = try Self.level(phantom, isSparse: false)[0]
        paths.put(.numberOfOpticalPaths, 2)
        #expect(try code([paths]) == ["GEO-SLIDE"])
        var sparse = try Self.level(phantom, isSparse: true)[0]
        let groups = sparse.items(.perFrameFunctionalGroupsSequence)
        sparse.put(.perFrameFunctionalGroupsSequence, items: groups.map { _ in groups[0] })
        #expect(try code([sparse]) == ["GEO-SLIDE"])
        sparse.put(.dimensionOrganizationType, "TILED_FULL")
        #expect(try code([sparse]) == ["GEO-SLIDE"])
    }

    @Test("a total pixel matrix that no slide has is refused with its size, whatever its tiles are")
    func sizes() throws {
        let phantom = SlidePhantom(seed: 4, rows: 1000, columns: 1000, filled: 1)
        for (rows, columns, isSparse) in [
            (4_294_967_295, 4_294_967_295, false), (4_294_967_295, 4_294_967_295, true), (2_000_000, 8, true),
            (1_000_000, 1_000_000, true),
        ] {
            var object = try Self.level(phantom, isSparse: isSparse)[0]
            for (attribute, value) in [(Attribute.totalPixelMatrixRows, rows), (.totalPixelMatrixColumns, columns)] {
                object.put(attribute, bytes: (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
            }
            let record = try run([object]).record
            #expect(record.inputs.map(\.code) == ["IN-LIMIT"])
            #expect(record.inputs[0].reason?.contains("Total Pixel Matrix") == true)
        }
    }

    @Test("the whole slide is what its extent is judged by, not one of its tiles")
    func extent() throws {
        let phantom = SlidePhantom(seed: 4, rows: 1000, columns: 1000, filled: 1)
        var object = try Self.level(phantom, isSparse: false)[0]
        var shared = try #require(object.item(.sharedFunctionalGroupsSequence))
        var measures = try #require(shared.item(.pixelMeasuresSequence))
        // 10 m of slide, 2.5 m of tile.
        measures.put(.pixelSpacing, decimals: [10, 10])
        shared.put(.pixelMeasuresSequence, item: measures)
        object.put(.sharedFunctionalGroupsSequence, item: shared)
        (object[.imagedVolumeWidth], object[.imagedVolumeHeight]) = (nil, nil)
        #expect(try run([object]).record.inputs.map(\.code) == ["VOL-PLACE"])
        // Half a metre is longer than any glass; a large picture file that was imported may show more.
        object[.instanceCreatorUID] = nil
        measures.put(.pixelSpacing, decimals: [0.5, 0.5])
        shared.put(.pixelMeasuresSequence, item: measures)
        object.put(.sharedFunctionalGroupsSequence, item: shared)
        #expect(try run([object]).record.inputs.map(\.code) == ["VOL-PLACE"])
        var away = try Self.level(SlidePhantom(seed: 4, rows: 500, columns: 500, filled: 1), isSparse: false)[0]
        away.put(.imageOrientationSlide, decimals: [0, 0, -1, -1, 0, 0])
        #expect(try run([away]).record.inputs.map(\.code) == ["VOL-PLACE"])
    }

    @Test("tiles of a TILED_FULL slide that say where they lie have to lie where their order puts them")
    func fullPlaces() throws {
        let full = try Self.level(SlidePhantom(seed: 4, rows: 500, columns: 500, filled: 1), isSparse: false)[0]
        func placed(_ origins: [(row: Int, column: Int)]) -> DataSet {
            var object = full
            object.put(
                .perFrameFunctionalGroupsSequence,
                items: origins.map { origin in
                    var (group, place) = (DataSet(), DataSet())
                    place.put(.columnPositionInTotalImagePixelMatrix, origin.column)
                    place.put(.rowPositionInTotalImagePixelMatrix, origin.row)
                    group.put(.planePositionSlideSequence, item: place)
                    return group
                })
            return object
        }
        let right = [(row: 1, column: 1), (1, 257), (257, 1), (257, 257)]
        #expect(try run([placed(right)]).record.inputs.map(\.code) == [nil])
        let scrambled = try run([placed([right[3], right[1], right[0], right[2]])]).record
        #expect(scrambled.inputs.map(\.code) == ["GEO-SLIDE"])
    }

    @Test("a Pixel Spacing by which a slide has another size than it says is refused")
    func imagedVolume() throws {
        // 0.25 × 0.25 mm.
        let slide = try Self.level(SlidePhantom(seed: 4, rows: 500, columns: 500, filled: 1), isSparse: false)[0]
        func code(width: Float, height: Float) throws -> String? {
            var object = slide
            for (attribute, value) in [(Attribute.imagedVolumeWidth, width), (.imagedVolumeHeight, height)] {
                object.put(attribute, bytes: (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) })
            }
            return try run([object]).record.inputs.first?.code
        }
        #expect(try code(width: 25, height: 25) == "GEO-SLIDE")
        #expect(try code(width: 0.0025, height: 0.0025) == "GEO-SLIDE")
        #expect(try code(width: 0.4, height: 0.2) == nil)
        // Nothing is said.
        #expect(try code(width: 0, height: 0) == nil)
    }

    /// With other positions of its tiles.
    private static func moved(
        _ object: DataSet, _ change: (Int, inout DataSet) -> Void
    ) throws -> DataSet {
        var object = object
        object.put(
            .perFrameFunctionalGroupsSequence,
            items: try object.items(.perFrameFunctionalGroupsSequence).enumerated().map { index, group in
                var group = group
                var place = try #require(group.item(.planePositionSlideSequence))
                change(index, &place)
                group.put(.planePositionSlideSequence, item: place)
                return group
            })
        return object
    }

    /// The codes of the inputs and of the warnings, and the exit status.
    private func outcome(
        _ objects: [DataSet]
    ) throws -> (codes: Set<String?>, warnings: Set<String>, status: Failures.ExitStatus) {
        let record = try run(objects, tile: 256).record
        let warnings = record.results.flatMap(\.findings).filter { $0.severity == .warning }.map(\.code)
        return (Set(record.inputs.map(\.code)), Set(warnings.filter { !$0.hasPrefix("QC-") }), record.exitStatus)
    }

    /// With the place of its picture on the glass.
    private static func placed(_ object: DataSet, x: Double, y: Double) throws -> DataSet {
        var object = object
        var origin = try #require(object.item(.totalPixelMatrixOriginSequence))
        origin.put(.xOffsetInSlideCoordinateSystem, decimals: [x])
        origin.put(.yOffsetInSlideCoordinateSystem, decimals: [y])
        object.put(.totalPixelMatrixOriginSequence, item: origin)
        return object
    }

    @Test("tiles that do not continue each other ask a person: they lie in another order than the slide says")
    func seams() throws {
        let phantom = SlidePhantom(seed: 4, rows: 1000, columns: 1000, filled: 4)
        func value(_ row: Int, _ column: Int) -> UInt8 {
            let (y, x) = (Double(row), Double(column))
            return UInt8(128 + 50 * sin(y / 17 + 3 * sin(x / 29)) + 50 * sin(x / 19 + 3 * sin(y / 37)))
        }
        /// The picture by tiles of which each has the place of another.
        func warnings(isSparse: Bool, _ place: (Int) -> Int) throws -> Set<String> {
            var object = try Self.level(phantom, isSparse: isSparse)[0]
            try #require(object.int(.numberOfFrames) == 16)
            object.put(
                .pixelData,
                bytes: (0..<16).map(place).flatMap { tile in
                    (0..<256 * 256).map { value(tile / 4 * 256 + $0 / 256, tile % 4 * 256 + $0 % 256) }
                })
            return try outcome([object]).warnings
        }
        for isSparse in [false, true] {
            #expect(try warnings(isSparse: isSparse) { $0 }.isEmpty)
            #expect(try warnings(isSparse: isSparse) { 15 - $0 } == ["VOL-PLACE"])
            // Column by column, and each two exchanged.
            #expect(try warnings(isSparse: isSparse) { $0 % 4 * 4 + $0 / 4 } == ["VOL-PLACE"])
            #expect(try warnings(isSparse: isSparse) { $0 ^ 1 } == ["VOL-PLACE"])
        }
    }

    @Test("a slide whose picture lies off any glass is refused; one that says two places, or none, asks a person")
    func places() throws {
        let phantom = SlidePhantom(seed: 4, rows: 1000, columns: 1000, filled: 4)
        let full = try Self.level(phantom, isSparse: false)[0]
        let sparse = try Self.level(phantom, isSparse: true)[0]
        for (x, y) in [(500, 20), (20, -500), (20, 1e4)] as [(Double, Double)] {
            for object in [full, sparse] {
                #expect(try outcome([try Self.placed(object, x: x, y: y)]).codes == ["VOL-PLACE"], "\(x) \(y)")
            }
        }
        #expect(try outcome([try Self.placed(full, x: 60, y: 10)]).status == .done)
        let two = try outcome([try Self.placed(sparse, x: 60, y: 10)])
        #expect(two.codes == [nil] && two.warnings == ["VOL-PLACE"] && two.status == .refusedOrFailed)
        // Tiles say it where the matrix does not; its orientation nothing else says.
        let found = try Self.level(SlidePhantom(seed: 2, rows: 1500, columns: 2000, filled: 2), isSparse: true)[0]
        var object = found
        object[.totalPixelMatrixOriginSequence] = nil
        let stated = try #require(try run([found], tile: 256).segmentation)
        let derived = try #require(try run([object], tile: 256).segmentation)
        for attribute in [Attribute.xOffsetInSlideCoordinateSystem, .yOffsetInSlideCoordinateSystem] {
            let places = [stated, derived].compactMap {
                $0.item(.totalPixelMatrixOriginSequence)?.double(attribute)
            }
            #expect(places.count == 2 && abs(places[0] - places[1]) < 1e-6)
        }
        for lost in [Attribute.totalPixelMatrixOriginSequence, .imageOrientationSlide] {
            object = full
            object[lost] = nil
            #expect(try outcome([object]).warnings == ["VOL-PLACE"], "\(lost)")
        }
    }

    @Test(
        "levels of one series that are of several slides, regions or lights, or of unlike sizes, are refused together")
    func unlikeLevels() throws {
        let phantom = SlidePhantom(seed: 3, rows: 1500, columns: 2000, filled: 3)
        let (fine, coarse) = (
            try Self.level(phantom, isSparse: false)[0], try Self.level(phantom, factor: 2, isSparse: false)[0]
        )
        func specimen(_ attribute: Attribute, _ value: String) throws -> DataSet {
            var (object, item) = (coarse, try #require(coarse.item(.specimenDescriptionSequence)))
            item.put(attribute, value)
            object.put(.specimenDescriptionSequence, item: item)
            return object
        }
        func spacing(_ factor: Double) throws -> DataSet {
            var (object, shared) = (coarse, try #require(coarse.item(.sharedFunctionalGroupsSequence)))
            var measures = try #require(shared.item(.pixelMeasuresSequence))
            let mm = 2 * SlidePhantom.pixelMM * factor
            measures.put(.pixelSpacing, decimals: [mm, mm])
            shared.put(.pixelMeasuresSequence, item: measures)
            object.put(.sharedFunctionalGroupsSequence, item: shared)
            return object
        }
        var (reference, container, turned, light) = (coarse, coarse, coarse, coarse)
        reference.put(.frameOfReferenceUID, "1.2.3.6")
        container.put(.containerIdentifier, "another slide")
        turned.put(.imageOrientationSlide, decimals: [1, 0, 0, 0, 1, 0])
        var path = try #require(coarse.item(.opticalPathSequence))
        path.put(.illuminationTypeCodeSequence, item: Code("111741", "DCM", "Transmission illumination").item)
        light.put(.opticalPathSequence, item: path)
        let unlike = [
            container, turned, light, try specimen(.specimenIdentifier, "another"),
            try specimen(.specimenUID, "1.2.3.7"), try spacing(1.5), try spacing(0.6),
            try Self.placed(coarse, x: 5, y: 60),
        ]
        for (index, object) in unlike.enumerated() {
            #expect(try outcome([fine, object]).codes == ["GEO-SLIDE"], "\(index)")
        }
        // A level that says nothing, rounds, or has a Frame of Reference of its own contradicts none.
        var silent = coarse
        for attribute in [Attribute.containerIdentifier, .specimenDescriptionSequence, .totalPixelMatrixOriginSequence]
        {
            silent[attribute] = nil
        }
        for object in [silent, reference, try spacing(1.002)] {
            let found = try outcome([fine, object])
            #expect(found.codes == [nil, "SEL-LEVEL"] && found.status == .done)
        }
    }

    @Test(
        "a label that calls itself a slide, and images that do not say which of both they are, are not taken silently")
    func labels() throws {
        let phantom = SlidePhantom(seed: 3, rows: 1024, columns: 1024, filled: 3)
        let fine = try Self.level(phantom, isSparse: false)[0]
        let label = try phantom.label(identity: Self.identity, keys: Self.keys, frameOfReferenceUID: "1.2.3.5")
        func typed(_ object: DataSet, _ values: [String], frame: [String]? = nil) throws -> DataSet {
            var (object, shared) = (object, try #require(object.item(.sharedFunctionalGroupsSequence)))
            object.put(.imageType, values)
            var type = DataSet()
            if let frame { type.put(.frameType, frame) }
            shared.put(.wholeSlideMicroscopyImageFrameTypeSequence, item: type)
            object.put(.sharedFunctionalGroupsSequence, item: shared)
            return object
        }
        let volume = ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
        let other = ["DERIVED", "PRIMARY", "LABEL", "NONE"]
        // Of another size than the slide; and by itself.
        #expect(try outcome([fine, try typed(label, volume)]).codes == ["GEO-SLIDE"])
        let alone = try outcome([try typed(label, volume)])
        #expect(alone.warnings == ["PIX-NOTE"] && alone.status == .refusedOrFailed)
        // Frame Type contradicts it.
        #expect(try outcome([try typed(fine, volume, frame: other)]).codes == ["GEO-SLIDE"])
        #expect(try outcome([try typed(fine, other, frame: volume)]).codes == ["GEO-SLIDE"])
        #expect(try outcome([try typed(fine, volume, frame: volume)]).status == .done)
        for type in [["DERIVED", "PRIMARY"], ["DERIVED", "PRIMARY", "MACRO", "NONE"]] {
            let found = try outcome([try typed(fine, type)])
            #expect(found.warnings == ["PIX-NOTE"] && found.status == .refusedOrFailed, "\(type)")
        }
    }

    @Test(
        "what a slide says twice and differently of its scale, place or light is refused; sides that are exchanged ask a person"
    )
    func saidTwice() throws {
        let phantom = SlidePhantom(seed: 4, rows: 500, columns: 1000, filled: 2)
        let (full, sparse) = (try Self.level(phantom, isSparse: false)[0], try Self.level(phantom, isSparse: true)[0])
        func code(_ object: DataSet, _ change: (inout DataSet) throws -> Void) throws -> Set<String?> {
            var object = object
            try change(&object)
            return try outcome([object]).codes
        }
        func inShared(_ object: inout DataSet, _ attribute: Attribute, _ items: [DataSet]) throws {
            var shared = try #require(object.item(.sharedFunctionalGroupsSequence))
            shared.put(attribute, items: items)
            object.put(.sharedFunctionalGroupsSequence, item: shared)
        }
        let measures = DataSet(composing: { $0.put(.pixelSpacing, decimals: [0.0005, 0.0005]) })
        let others = DataSet(composing: { $0.put(.pixelSpacing, decimals: [0.0006, 0.0006]) })
        #expect(try code(full) { try inShared(&$0, .pixelMeasuresSequence, [measures, others]) } == ["VOL-PLACE"])
        #expect(try code(full) { $0.put(.pixelSpacing, decimals: [0.25, 0.25]) } == ["VOL-PLACE"])
        #expect(try code(full) { $0.put(.modality, "CT") } == ["GRP-IDENTITY"])
        #expect(
            try code(full) {
                let origin = try #require($0.item(.totalPixelMatrixOriginSequence))
                $0.put(.totalPixelMatrixOriginSequence, items: [origin, origin])
            } == ["GEO-SLIDE"])
        #expect(
            try code(sparse) { object in
                try inShared(&object, .opticalPathIdentificationSequence, [])
                let groups = object.items(.perFrameFunctionalGroupsSequence)
                object.put(
                    .perFrameFunctionalGroupsSequence,
                    items: groups.enumerated().map { index, group in
                        var group = group
                        let path = DataSet(composing: { $0.put(.opticalPathIdentifier, "\(index % 2)") })
                        group.put(.opticalPathIdentificationSequence, item: path)
                        return group
                    })
            } == ["GEO-SLIDE"])
        // 2 × 4 tiles either way.
        var exchanged = full
        exchanged.put(.totalPixelMatrixRows, 1000)
        exchanged.put(.totalPixelMatrixColumns, 500)
        let found = try outcome([exchanged])
        #expect(found.codes == [nil] && found.warnings == ["VOL-PLACE"] && found.status == .refusedOrFailed)
        #expect(try outcome([full]).status == .done)
    }

    @Test("tiles with strips between them that are narrower than a tile ask a person; whole tiles may lack")
    func gaps() throws {
        let sparse = try Self.level(SlidePhantom(seed: 4, rows: 1000, columns: 1000, filled: 4), isSparse: true)[0]
        func stretched(_ step: Int) throws -> DataSet {
            var object = try Self.moved(sparse) { _, place in
                for attribute in [
                    Attribute.rowPositionInTotalImagePixelMatrix, .columnPositionInTotalImagePixelMatrix,
                ] {
                    place.put(attribute, ((place.int(attribute) ?? 1) - 1) / 256 * step + 1)
                }
                (place[.xOffsetInSlideCoordinateSystem], place[.yOffsetInSlideCoordinateSystem]) = (nil, nil)
            }
            for attribute in [Attribute.totalPixelMatrixRows, .totalPixelMatrixColumns] {
                object.put(attribute, 4 * step)
            }
            (object[.imagedVolumeWidth], object[.imagedVolumeHeight]) = (nil, nil)
            return object
        }
        #expect(try outcome([try stretched(266)]).warnings == ["VOL-PLACE"])
        #expect(try outcome([try stretched(512)]).status == .done)
        #expect(try outcome([sparse]).status == .done)
    }

    @Test("tiles that overlap, or lie elsewhere in mm than in pixels, and parts that are unlike are refused")
    func contradictions() throws {
        let phantom = SlidePhantom(seed: 4, rows: 1000, columns: 1000, filled: 4)
        func code(_ objects: [DataSet]) throws -> Set<String?> { Set(try run(objects).record.inputs.map(\.code)) }
        let sparse = try Self.level(phantom, isSparse: true)[0]
        #expect(sparse.items(.perFrameFunctionalGroupsSequence).count > 2)
        let first = sparse.items(.perFrameFunctionalGroupsSequence)[0].item(.planePositionSlideSequence)
        let onFirst = try Self.moved(sparse) { index, place in
            guard index == 1, let row = first?.int(.rowPositionInTotalImagePixelMatrix) else { return }
            place.put(.rowPositionInTotalImagePixelMatrix, row + 100)
            place.put(
                .columnPositionInTotalImagePixelMatrix, first?.int(.columnPositionInTotalImagePixelMatrix) ?? 1)
        }
        #expect(try code([onFirst]) == ["GEO-SLIDE"])
        let elsewhere = try Self.moved(sparse) { index, place in
            guard index == 1, let x = place.double(.xOffsetInSlideCoordinateSystem) else { return }
            place.put(.xOffsetInSlideCoordinateSystem, decimals: [x + 0.2])
        }
        #expect(try code([elsewhere]) == ["GEO-SLIDE"])

        var parts = try Self.level(phantom, isSparse: false, parts: 3)
        parts[1].put(.rescaleSlope, "2")
        #expect(try code(parts) == ["GEO-SLIDE"])
        parts = try Self.level(phantom, isSparse: false, parts: 3)
        var shared = try #require(parts[2].item(.sharedFunctionalGroupsSequence))
        var measures = try #require(shared.item(.pixelMeasuresSequence))
        measures.put(.pixelSpacing, decimals: [0.001, 0.001])
        shared.put(.pixelMeasuresSequence, item: measures)
        parts[2].put(.sharedFunctionalGroupsSequence, item: shared)
        #expect(try code(parts) == ["GEO-SLIDE"])
        // The last of sparse parts is lost, and nobody says how many there were.
        var some = Array(try Self.level(phantom, isSparse: true, parts: 3).prefix(2))
        #expect(try code(some) == ["GEO-SLIDE"])
        for index in some.indices { some[index][.inConcatenationTotalNumber] = nil }
        #expect(try code(some) == ["GEO-SLIDE"])
    }

    @Test("of a slide of 20,000 × 20,000, most of it empty, only the tissue is inferred")
    func large() throws {
        let phantom = SlidePhantom(seed: 6, rows: 20_000, columns: 20_000, filled: 4)
        let result = try run(try Self.level(phantom, isSparse: true), tile: 384)
        #expect(result.record.exitStatus == .done)
        let matrix = try #require(result.matrix)
        #expect(matrix.rows == 20_000 && matrix.count > 0)
        // What is found lies in tissue, or within a tile of it.
        for row in stride(from: 0, to: 20_000, by: 97) {
            for column in stride(from: 0, to: 20_000, by: 97) where matrix[row, column] {
                #expect(phantom.isTissue(near: row, column, within: 512))
            }
        }
    }
}
