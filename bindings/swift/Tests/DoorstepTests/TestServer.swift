/// A real `doorstep` server in a process of its own, on a free port, ended by its own process.

import Foundation

final class TestServer: @unchecked Sendable {
    let url: String
    private let process = Process()
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("doorstep-swift-\(UUID())")
    private let people: [[String]]
    private static let binary = ProcessInfo.processInfo.environment["DOORSTEP_BINARY"] ?? "doorstep"

    static let shared: TestServer = {
        let server = try! TestServer()
        atexit { TestServer.shared.stop() }
        return server
    }()

    private init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let demo = folder.appendingPathComponent("demo")
        let said = Pipe()
        process.executableURL = URL(fileURLWithPath: Self.binary)
        process.arguments = ["demo", "--empty", "--port", "0", "--data", demo.path]
        process.standardOutput = said
        try process.run()
        var lines = ""
        while lines.range(of: #"http://[0-9.:]+ "#, options: .regularExpression) == nil {
            let more = said.fileHandleForReading.availableData
            if more.isEmpty { fatalError("the server did not start: \(lines)") }
            lines += String(decoding: more, as: UTF8.self)
        }
        url = String(lines[lines.range(of: #"http://[0-9.:]+"#, options: .regularExpression)!])
        people = try String(contentsOf: demo.appendingPathComponent("codes.txt"), encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: "\t").map(String.init) }
    }

    func worker(_ grid: Int) -> String { people.first { $0[1] == "第\(grid)网格" }![2] }

    /// A one-time code of a worker.
    func code(_ grid: Int) throws -> String {
        let said = try admin("code", worker(grid))
        return String(said[said.range(of: #"[A-Z0-9]{4}-[A-Z0-9]{4,}"#, options: .regularExpression)!])
    }

    @discardableResult
    func admin(_ arguments: String...) throws -> String {
        let asked = Process()
        let said = Pipe()
        asked.executableURL = URL(fileURLWithPath: Self.binary)
        let token = folder.appendingPathComponent("demo/server/admin.token").path
        asked.arguments = ["admin", "--server", url, "--token-file", token] + arguments
        asked.standardOutput = said
        try asked.run()
        let answer = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        asked.waitUntilExit()
        precondition(asked.terminationStatus == 0, answer)
        return answer
    }

    /// A new folder for a phone.
    func phoneFolder() -> URL { folder.appendingPathComponent("phone-\(UUID())") }

    private func stop() {
        // Not waited for: at the exit no run loop is left that would hear of its end.
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }
}
