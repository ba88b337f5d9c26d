// swift-tools-version: 6.2
import PackageDescription

// The house: who may import whom stands in docs/architecture.md, and `ArchitectureTests` holds every `import` line to that table.

// HSPSAM_FUZZ=1 adds the fuzzer (Tests/Fuzz/run.sh) and instruments everything; other builds do not see it.
let isFuzzing = Context.environment["HSPSAM_FUZZ"] != nil
let fuzzFlags = isFuzzing ? ["-fsanitize=fuzzer-no-link,address,undefined", "-fno-sanitize-recover=undefined"] : []

/// Settings of every Swift target.
let swiftSettings: [SwiftSetting] =
    (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address"])] : []) + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
/// Numerical rooms are optimised in debug builds too: a plain loop is 47 times faster.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]
/// Rooms without unsafe code: no pointer slips in unseen.
let safe: [SwiftSetting] = [.strictMemorySafety(), .treatAllWarnings(as: .error)]
let c: [CSetting] = [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"] + fuzzFlags)]
let cxx: [CXXSetting] = [.unsafeFlags(["-O3", "-Wall", "-Wextra"] + fuzzFlags)]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func room(_ name: String, _ own: [String], _ outside: [Target.Dependency] = [], _ extra: [SwiftSetting] = []) -> Target
{
    .target(name: name, dependencies: own.map { .byName(name: $0) } + outside, swiftSettings: swiftSettings + extra)
}

func tests(_ name: String, _ own: [String], _ outside: [Target.Dependency] = []) -> Target {
    .testTarget(name: name, dependencies: own.map { .byName(name: $0) } + outside, swiftSettings: swiftSettings)
}

let targets: [Target] = [
    // C, ground floor
    .target(
        name: "CKernels",
        cSettings: [
            // A square root that might set errno is not vectorised. Sanitisers keep loops from being vectorised; that is no error then.
            .unsafeFlags([
                "-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror", "-Wno-error=pass-failed",
            ])
        ],
        linkerSettings: [.linkedLibrary("m")]),
    .target(
        name: "CDICOM", cxxSettings: cxx,
        linkerSettings: [
            "dcmdata", "dcmnet", "dcmimgle", "dcmimage", "dcmjpeg", "dcmjpls", "ofstd", "oflog", "openjp2", "stdc++",
        ]
        .map { .linkedLibrary($0) }),
    .target(
        name: "CImageFiles", cSettings: c, linkerSettings: ["tiff", "png", "jpeg", "z"].map { .linkedLibrary($0) }),
    .target(name: "CMPI", cSettings: c),
    .target(name: "CSystem", cSettings: c, linkerSettings: ["crypto", "deflate", "z"].map { .linkedLibrary($0) }),
    // foundations
    room("Failures", [], [], safe),
    room("Numbers", [], [], safe),
    room("Identification", [], [], safe),
    room("Records", ["Failures", "Numbers", "Identification"], [], safe),
    room("Storage", ["Failures", "CSystem"]),
    room("Settings", ["Failures"], [yams], safe),
    room("Processes", ["Failures", "CMPI"], [], safe),
    room("Pages", [], [], safe),
    // data
    room("Imaging", ["Numbers"], [], optimised + safe),
    room("Tensors", ["Failures", "Numbers", "Storage", "Imaging", "CKernels"], [], optimised),
    room("DICOM", ["Failures", "Numbers", "Identification", "Storage", "Imaging", "CDICOM"]),
    room("DICOMObjects", ["Failures", "Numbers", "Storage", "Imaging", "DICOM"], [], safe),
    room("ImageFiles", ["Failures", "Numbers", "Storage", "Imaging", "CImageFiles"]),
    // model
    room("SegmentAnything", ["Failures", "Numbers", "Storage", "Tensors", "Imaging"], [], safe),
    // product
    room(
        "Pipelines",
        [
            "Failures", "Numbers", "Records", "Pages", "Storage", "Settings", "Imaging", "DICOM", "DICOMObjects",
            "ImageFiles", "Tensors", "SegmentAnything",
        ], [], safe),
    room(
        "Training",
        [
            "Failures", "Numbers", "Identification", "Pages", "Storage", "Settings", "Processes", "Tensors", "Imaging",
            "DICOM", "ImageFiles", "SegmentAnything",
        ], [], safe),
    room(
        "References", ["Failures", "Numbers", "Tensors", "Imaging", "SegmentAnything", "Training"], [], safe),
    room("Phantoms", ["Numbers", "Storage", "Imaging", "DICOM", "DICOMObjects", "ImageFiles"], [], safe),
    room(
        "Daemon", ["Failures", "Numbers", "Records", "Pages", "Storage", "Processes"], [grdb, logging], safe),
    .executableTarget(
        name: "hspsam",
        dependencies: [
            "Failures", "Numbers", "Records", "Storage", "Settings", "Processes", "Tensors", "Imaging", "DICOM",
            "DICOMObjects", "SegmentAnything", "Pipelines", "Training", "References", "Phantoms", "Daemon",
            argumentParser, logging,
        ], swiftSettings: swiftSettings + safe),
    // tests
    tests("StorageTests", ["Storage", "Failures", "CSystem"]),
    tests("FailuresTests", ["Failures"]),
    tests("NumbersTests", ["Numbers"]),
    tests("RecordsTests", ["Records", "Failures"]),
    tests("PagesTests", ["Pages"]),
    tests("ProcessesTests", ["Processes", "Failures"]),
    tests("SettingsTests", ["Settings", "Failures"]),
    tests("TensorsTests", ["Tensors", "Numbers", "Failures", "Storage", "CKernels"]),
    tests("ImagingTests", ["Imaging", "Numbers"]),
    tests("DICOMTests", ["DICOM", "Identification", "Imaging", "Failures", "Storage", "Mutations"]),
    tests("DICOMObjectsTests", ["DICOMObjects", "DICOM", "Imaging", "Failures", "Storage"]),
    tests("ImageFilesTests", ["ImageFiles", "Imaging", "Failures", "Storage", "Mutations"]),
    tests("SegmentAnythingTests", ["SegmentAnything", "Tensors", "Imaging", "Failures", "Storage", "TinyNetworks"]),
    tests("ReferencesTests", ["References", "Tensors"]),
    tests(
        "TrainingTests",
        [
            "Training", "Numbers", "Storage", "Settings", "SegmentAnything", "Tensors", "Imaging", "ImageFiles",
            "Failures", "Mutations",
        ]),
    tests(
        "PipelinesTests",
        [
            "Pipelines", "Phantoms", "Records", "Storage", "DICOM", "DICOMObjects", "ImageFiles", "Imaging",
            "Mutations", "SegmentAnything", "Failures", "Numbers", "Settings", "TinyNetworks",
        ]),
    tests("PhantomsTests", ["Phantoms", "DICOM", "Imaging", "Failures"]),
    tests("DaemonTests", ["Daemon", "Records", "Failures", "Storage", "Processes"], [grdb, logging]),
    tests(
        "EndToEndTests",
        ["DICOM", "ImageFiles", "Mutations", "Numbers", "SegmentAnything", "TinyNetworks", "Training"]),
    tests("ArchitectureTests", []),
    // inputs that are wrong on purpose, for tests and for the fuzzer
    .target(
        name: "Mutations", dependencies: ["Failures", "Imaging", "DICOM", "DICOMObjects"], path: "Tests/Mutations",
        swiftSettings: swiftSettings),
    // small models, for tests of whatever runs one
    .target(
        name: "TinyNetworks", dependencies: ["SegmentAnything", "Tensors"], path: "Tests/TinyNetworks",
        swiftSettings: swiftSettings),
    tests("MutationTests", ["Mutations", "Failures", "DICOM", "ImageFiles"]),
]
let fuzzer = Target.executableTarget(
    name: "Fuzz",
    dependencies: ["Mutations", "Failures", "Settings", "Tensors", "DICOM", "ImageFiles", "Pipelines"],
    path: "Tests/Fuzz", exclude: ["Seeds", "leaks.supp", "run.sh"], swiftSettings: swiftSettings,
    linkerSettings: [
        .unsafeFlags(["-sanitize=address", "-Xlinker", Context.environment["HSPSAM_FUZZ"] ?? ""]),
        .linkedLibrary("stdc++"),
    ])

// ROOMS="Failures,Storage,StorageTests" builds only these, for work on one room.
let wanted = Context.environment["ROOMS"].map { Set($0.split(separator: ",").map(String.init)) }
let chosen = (targets + (isFuzzing ? [fuzzer] : [])).filter { wanted?.contains($0.name) ?? true }
let names = Set(chosen.map(\.name))
for target in chosen {
    target.dependencies.removeAll {
        switch $0 {
        case .byNameItem(let name, _), .targetItem(let name, _): !names.contains(name)
        default: false
        }
    }
}

let package = Package(
    name: "hspsam",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: chosen,
    cLanguageStandard: .c11,
    cxxLanguageStandard: .cxx17
)
