// swift-tools-version: 6.0
// Doorstep for Swift. `bindings/swift/build` writes Sources/DoorstepFFI and the header first; `xcframework` makes what an app on a Mac links.
import PackageDescription

let package = Package(
    name: "Doorstep",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Doorstep", targets: ["Doorstep"])],
    targets: [
        .systemLibrary(name: "doorstep_ffiFFI"),
        // Generated, in Swift 5 mode: uniffi 0.32 does not write for Swift 6 throughout. Its types are Sendable, so clients in Swift 6 see no warning.
        .target(name: "DoorstepFFI", dependencies: ["doorstep_ffiFFI"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .target(name: "Doorstep", dependencies: ["DoorstepFFI"]),
        .target(name: "MorningKit", dependencies: ["Doorstep"]),
        .executableTarget(name: "Morning", dependencies: ["MorningKit"]),
        .executableTarget(name: "Measure", dependencies: ["Doorstep"]),
        .executableTarget(name: "Recorder", dependencies: ["Doorstep"]),
        .testTarget(name: "DoorstepTests", dependencies: ["Doorstep", "MorningKit", "Recorder"]),
    ],
    swiftLanguageModes: [.v6]
)
