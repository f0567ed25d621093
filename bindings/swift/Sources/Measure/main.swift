/// What the border costs, printed: a call, a list of 500 cases, each of them read whole, how long after a record a listener hears of it, and how
/// long a hanging sync goes on after it was cancelled. `bindings/measure` runs it.

import Dispatch
import Doorstep
import Foundation

final class Heard: ChangeListener {
    let heard = DispatchSemaphore(value: 0)
    func onChange(change: Change) throws { if !change.records.isEmpty { heard.signal() } }
}

func millis(_ ask: () throws -> Void) rethrows -> Double {
    let began = DispatchTime.now().uptimeNanoseconds
    try ask()
    return Double(DispatchTime.now().uptimeNanoseconds - began) / 1e6
}

func median(_ times: Int, _ ask: () throws -> Double) rethrows -> Double {
    try (0..<times).map { _ in try ask() }.sorted()[times / 2]
}

func say(_ what: String, _ figure: Double, _ unit: String) { print("Swift:", what, String(format: "%.2f", figure), unit) }

func measure(_ phone: Doorstep) throws {
    say("a call", try millis { for _ in 0..<100_000 { _ = try phone.generated.isWiped() } } / 100, "us")

    let cases = try (0..<500).map { try phone.cases.report(grid: nil, draft: IssueDraft(category: .facilities, description: "楼道灯不亮 \($0)")) }
    let list = try median(101) {
        try millis {
            let rows = try phone.cases.list(grid: nil)
            precondition(rows.count == 500)
        }
    }
    say("a list of 500 cases", list, "ms")
    // More than the engine keeps loaded: each is read from the store.
    say("a case read whole", try median(5) { try millis { for id in cases { _ = try phone.cases.get(id: id) } } } / 500, "ms")

    let latency = try median(21) {
        Thread.sleep(forTimeInterval: 0.15)  // bursts are told together: each record here is one of its own
        let listener = Heard()
        let subscription = try phone.generated.onChanges(listener: listener)
        let took = try millis {
            _ = try phone.cases.report(grid: nil, draft: IssueDraft(category: .noise, description: "夜里施工"))
            listener.heard.wait()
        }
        try subscription.cancel()
        return took
    }
    say("from a record to its listener, the commit with it,", latency, "ms")
}

/// A network that takes everything and never answers.
final class Silence: Transport, @unchecked Sendable {
    let asked = AsyncStream.makeStream(of: Void.self)
    private let lock = NSLock()
    private var replies: [Reply] = []  // kept: a reply that is released counts as unreachable

    func post(request: PostRequest, reply: Reply) throws {
        lock.withLock { replies.append(reply) }
        asked.continuation.yield()
    }
}

func measureCancelling(_ folder: URL) async throws {
    let silence = Silence()
    let phone = try await Doorstep.open(folder: folder, transport: silence)
    var took: [Double] = []
    for _ in 0..<21 {
        let round = Task { try await phone.sync() }
        for await _ in silence.asked.stream { break }
        let began = DispatchTime.now().uptimeNanoseconds
        round.cancel()
        _ = await round.result
        took.append(Double(DispatchTime.now().uptimeNanoseconds - began) / 1e6)
    }
    say("a hanging sync cancelled after", took.sorted()[10], "ms")
    try await phone.close()
}

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("doorstep-measure-\(UUID())")
let phoneFolder = folder.appendingPathComponent("phone")
let phone = try await Doorstep.open(folder: phoneFolder, transport: URLSessionTransport())
_ = try await phone.enrol(server: CommandLine.arguments[1], code: CommandLine.arguments[2], label: "measure")
_ = try await phone.sync()
try measure(phone)
_ = try await phone.sync()
try await phone.close()
try await measureCancelling(phoneFolder)
try FileManager.default.removeItem(at: folder)
