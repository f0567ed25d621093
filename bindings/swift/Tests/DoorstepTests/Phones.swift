/// Phones that are enrolled with the one server of a test run, and what their tests share.

import Doorstep
import Foundation
import Testing

/// One after the other: they share a server. A test that hangs is named after two minutes; `bindings/swift/build` ends what does not end then.
@Suite(.serialized, .timeLimit(.minutes(2))) enum Phones {}

let server = TestServer.shared

func enrolled(
    _ grid: Int, folder: URL = server.phoneFolder(), keys: KeyProvider? = nil, transport: Transport? = nil
) async throws -> Doorstep {
    let phone = try await Doorstep.open(folder: folder, keys: keys, transport: transport)
    _ = try await phone.enrol(server: server.url, code: server.code(grid), label: "swift")
    _ = try await phone.sync()
    return phone
}

extension Doorstep {
    func door(_ name: String) throws -> UUID {
        try households.add(grid: nil, details: HouseholdDetails(door: name, contact: "张秀兰"), tags: [])
    }

    @discardableResult
    func visit(_ door: UUID, _ findings: String = "") throws -> UUID {
        try visits.record(draft: VisitDraft(subject: .household(id: door), purpose: .routine, outcome: .met, findings: findings))
    }
}

/// The error of a call that has to fail; its arm is what an app switches over.
func failure<T>(of call: () async throws -> T) async throws -> DoorstepError {
    do {
        _ = try await call()
    } catch let error as DoorstepError {
        #expect(error.said.code.wholeMatch(of: /[a-z]+\.[a-z_]+/) != nil, "\(error)")
        #expect(!error.said.sentence.isEmpty, "\(error)")
        return error
    }
    throw NothingThrown()
}

struct NothingThrown: Error {}

extension DoorstepError {
    /// The name of the arm.
    var arm: String { Mirror(reflecting: self).children.first?.label ?? "" }
}

/// Calls that are waited for, one by one.
final class Calls: Sendable {
    private let stream: AsyncStream<Void>
    private let feed: AsyncStream<Void>.Continuation

    init() { (stream, feed) = AsyncStream.makeStream(of: Void.self) }

    func call() { feed.yield() }
    func next() async { for await _ in stream { return } }
}

/// A network that takes everything and never answers.
final class Silence: Transport, @unchecked Sendable {
    let asked = Calls()
    private let lock = NSLock()
    private var replies: [Reply] = []  // kept: a reply that is released counts as unreachable

    func post(request: PostRequest, reply: Reply) throws {
        lock.withLock { replies.append(reply) }
        asked.call()
    }
}

/// A phone without a network.
final class Unreachable: Transport {
    func post(request: PostRequest, reply: Reply) throws { try reply.failed(fault: .unreachable) }
}

/// A listener from a function.
final class Listener: ChangeListener {
    private let heard: @Sendable (Change) throws -> Void
    init(_ heard: @escaping @Sendable (Change) throws -> Void) { self.heard = heard }
    func onChange(change: Change) throws { try heard(change) }
}

/// A value that several threads write.
final class Shared<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var held: Value

    init(_ value: Value) { held = value }

    var value: Value { lock.withLock { held } }
    func change(_ how: (inout Value) throws -> Void) rethrows { try lock.withLock { try how(&held) } }
}

/// What the app's own code throws.
struct Bug: Error {}

@discardableResult
func run(_ program: String, _ arguments: String...) throws -> (status: Int32, said: String) {
    let process = Process()
    let said = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = said
    try process.run()
    let text = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
}
