// swift-tools-version: 6.0
// Doorstep for Swift. `bindings/swift/build`, or on a Mac `bindings/swift/xcframework`, writes Sources/DoorstepFFI and the header first.
import Foundation
import PackageDescription

/// What `xcframework` made on a Mac holds the library and its header; elsewhere the linker is told where the library lies.
let onMac = FileManager.default.fileExists(atPath: Context.packageDirectory + "/DoorstepFFI.xcframework")
let library: Target =
    onMac ? .binaryTarget(name: "doorstep_ffiFFI", path: "DoorstepFFI.xcframework") : .systemLibrary(name: "doorstep_ffiFFI")

let package = Package(
    name: "Doorstep",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Doorstep", targets: ["Doorstep"])],
    targets: [
        library,
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
