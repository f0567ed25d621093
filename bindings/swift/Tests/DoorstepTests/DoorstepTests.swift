import Dispatch
import Doorstep
import Foundation
import MorningKit
import Testing

private let server = TestServer.shared

private func enrolled(_ grid: Int, folder: URL = server.phoneFolder(), keys: KeyProvider? = nil) async throws -> Doorstep {
    let phone = try await Doorstep.open(folder: folder, keys: keys)
    _ = try await phone.enrol(server: server.url, code: server.code(grid), label: "swift")
    _ = try await phone.sync()
    return phone
}

extension Doorstep {
    fileprivate func door(_ name: String) throws -> UUID {
        try households.add(grid: nil, details: HouseholdDetails(door: name, contact: "张秀兰"), tags: [])
    }

    @discardableResult
    fileprivate func visit(_ door: UUID, _ findings: String = "") throws -> UUID {
        try visits.record(draft: VisitDraft(subject: .household(id: door), purpose: .routine, outcome: .met, findings: findings))
    }
}

private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: [AnyObject] = []
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isSet = false
    private(set) var count = 0

    func set(_ keep: AnyObject? = nil) {
        let resumed: [CheckedContinuation<Void, Never>] = lock.withLock {
            if let keep { kept.append(keep) }
            isSet = true
            count += 1
            defer { waiting = [] }
            return waiting
        }
        resumed.forEach { $0.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let now = lock.withLock {
                if !isSet { waiting.append(continuation) }
                return isSet
            }
            if now { continuation.resume() }
        }
    }
}

private final class Hanging: Transport {
    let asked = Flag()
    func post(request: PostRequest, reply: Reply) throws { asked.set(reply) }
}

private final class Key: KeyProvider {
    let bytes: Data?
    init(_ bytes: Data?) { self.bytes = bytes }
    func storeKey() throws -> Data {
        guard let bytes else { throw ForeignError.Failed(reason: "locked") }
        return bytes
    }
}

private struct Bug: Error {}

private final class Throwing: ChangeListener {
    let called = Flag()
    func onChange(change: Change) throws {
        called.set()
        throw Bug()
    }
}

private final class Silent: ChangeListener {
    func onChange(change: Change) throws {}
}

@Suite(.serialized) struct DoorstepTests {
    @Test func whatIsRecordedOfflineSurvivesARestartAndArrives() async throws {
        let folder = server.phoneFolder()
        var phone = try await enrolled(17, folder: folder)
        let door = try phone.door("1单元101")
        try phone.visit(door, "身体还好")
        #expect(try phone.households.list(grid: nil).first { $0.id == door }?.sync == .local)
        try await phone.close()
        phone = try await Doorstep.open(folder: folder)
        #expect(try phone.waiting().count == 2)
        #expect(try phone.status().phase != .idle)
        #expect(try await phone.sync().accepted == 2)
        let row = try #require(try phone.households.list(grid: nil).first { $0.id == door })
        #expect(row.sync == .accepted && row.lastVisit.count == 1)
        #expect(try await phone.search("zhangxiulan").contains { $0.id == door })
        #expect(try phone.status().lastSuccess != nil)
        try await phone.close()
    }

    @Test func aConflictShowsBothValuesAndWhoWroteThem() async throws {
        let mine = try await enrolled(16)
        let door = try mine.door("2单元201")
        _ = try await mine.sync()
        let other = try await enrolled(16)
        try mine.households.change(id: door, details: HouseholdDetails(remark: "门铃坏了"), tags: [])
        try other.households.change(id: door, details: HouseholdDetails(remark: "下午在家"), tags: [])
        _ = try await mine.sync()
        _ = try await other.sync()
        _ = try await mine.sync()
        let conflict = try #require(try mine.households.get(id: door).conflicts.first)
        #expect(conflict.field == "remark")
        #expect(Set(conflict.values.map(\.value)) == ["门铃坏了", "下午在家"])
        #expect(conflict.values.allSatisfy { $0.by == server.worker(16) })
        try await mine.close()
        try await other.close()
    }

    @Test func aRefusalIsHeardAndStaysUntilItIsDiscarded() async throws {
        let phone = try await enrolled(3)
        let door = try phone.door("3单元301")
        _ = try await phone.sync()
        let refusals = try phone.refusals()
        try phone.visit(door, "门开着")
        try server.admin("grid", "reassign", "第3网格", "--to", server.worker(4))
        #expect(try await phone.sync().refused == 1)
        var heard = refusals.makeAsyncIterator()
        let refused = try #require(await heard.next())
        #expect(refused.code == "sync.grant_ended" && refused.reason.contains("权限"))
        try phone.quarantine.discard(group: refused.group)
        #expect(try phone.quarantine.refused().isEmpty)
        try await phone.close()
    }

    @Test func aHangingSyncIsCancelledAtOnceAndNothingIsLostByIt() async throws {
        let folder = server.phoneFolder()
        var phone = try await enrolled(5, folder: folder)
        try phone.visit(try phone.door("4单元401"))
        try await phone.close()
        let hanging = Hanging()
        phone = try await Doorstep.open(folder: folder, transport: hanging)
        let opened = phone
        let task = Task { try await opened.sync() }
        await hanging.asked.wait()
        let began = DispatchTime.now().uptimeNanoseconds
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        print("measured: cancel of a hanging sync \(Double(DispatchTime.now().uptimeNanoseconds - began) / 1e6) ms")
        #expect(try phone.waiting().count == 2)
        try await phone.close()
        phone = try await Doorstep.open(folder: folder)
        #expect(try await phone.sync().accepted == 2)
        try await phone.close()
    }

    @Test func anAppsOwnClientCarriesEverything() async throws {
        let phone = try await Doorstep.open(folder: server.phoneFolder(), transport: URLSessionTransport())
        _ = try await phone.enrol(server: server.url, code: server.code(6), label: "own client")
        _ = try phone.door("5单元501")
        #expect(try await phone.sync().accepted == 1)
        try await phone.close()
    }

    @Test func whatListenersThrowDoesNotHarmTheEngine() async throws {
        let phone = try await enrolled(7)
        let throwing = Throwing()
        let subscription = try phone.generated.onChanges(listener: throwing)
        _ = try phone.door("7单元701")
        await throwing.called.wait()
        try subscription.cancel()
        #expect(try await phone.sync().accepted == 1)
        #expect(try await phone.diagnostics().contains("change listener"))
        try await phone.close()
    }

    @Test func liveBringsWhatOthersRecord() async throws {
        let mine = try await enrolled(8)
        let other = try await enrolled(8)
        var door: UUID?
        for await event in try mine.live() {
            if case .exchanged = event, door == nil {
                door = try other.door("8单元801")
                _ = try await other.sync()
            }
            if case let .pushed(arrived) = event {
                #expect(arrived.map(\.id) == [door])
                break
            }
        }
        #expect(try mine.households.list(grid: nil).contains { $0.id == door })
        try await mine.close()
        try await other.close()
    }

    @Test func actionsAreWhatTheRulesAllow() async throws {
        let phone = try await enrolled(9)
        let id = try phone.cases.report(grid: nil, draft: IssueDraft(category: .noise, description: "夜里施工"))
        #expect(try phone.cases.actions(id: id).map(\.kind) == [.noted, .returned, .closed])
        _ = try phone.cases.act(id: id, kind: .closed, text: nil)
        #expect { try phone.cases.act(id: id, kind: .returned, text: nil) } throws: { if case DoorstepError.Superseded = $0 { true } else { false } }
        try await phone.close()
    }

    @Test func errorsAreTypedAndCarryCodeAndSentence() async throws {
        let folder = server.phoneFolder()
        let phone = try await Doorstep.open(folder: folder)
        #expect { try phone.door("1") } throws: { if case DoorstepError.NotEnrolled = $0 { true } else { false } }
        await #expect { try await phone.enrol(server: server.url, code: "AAAA-AAAA", label: "x") } throws: {
            ($0 as? DoorstepError)?.said.code == "hub.enrolment_code"
        }
        _ = try await phone.enrol(server: server.url, code: server.code(10), label: "swift")
        #expect { try phone.households.add(grid: nil, details: HouseholdDetails(), tags: []) } throws: {
            ($0 as? DoorstepError)?.said.sentence.contains("门牌") == true
        }
        #expect { try phone.visit(UUID()) } throws: { if case DoorstepError.NotFound = $0 { true } else { false } }
        await #expect { try await Doorstep.open(folder: folder) } throws: { if case DoorstepError.StoreInUse = $0 { true } else { false } }
        try await phone.close()
    }

    @Test func useAfterCloseIsAnErrorAndNoCrash() async throws {
        let phone = try await enrolled(10)
        try await phone.close()
        #expect { try phone.households.list(grid: nil) } throws: { if case DoorstepError.Closed = $0 { true } else { false } }
        await #expect { try await phone.sync() } throws: { if case DoorstepError.Closed = $0 { true } else { false } }
        try await phone.close()
    }

    @Test func aStoreOpensWithItsOwnKeyOnly() async throws {
        let folder = server.phoneFolder()
        let keys = Key(Data(0..<32))
        let phone = try await enrolled(11, folder: folder, keys: keys)
        _ = try phone.door("保密301")
        try await phone.close()
        await #expect { try await Doorstep.open(folder: folder, keys: Key(Data(count: 32))) } throws: {
            if case DoorstepError.WrongKey = $0 { true } else { false }
        }
        await #expect { try await Doorstep.open(folder: folder) } throws: { if case DoorstepError.WrongKey = $0 { true } else { false } }
        await #expect { try await Doorstep.open(folder: folder, keys: Key(nil)) } throws: {
            if case DoorstepError.KeyUnavailable = $0 { true } else { false }
        }
        let again = try await Doorstep.open(folder: folder, keys: keys)
        #expect(try again.households.list(grid: nil).contains { $0.door == "保密301" })
        try await again.close()
    }

    @Test func aDamagedStoreIsAnErrorAndKeepsItsFolder() async throws {
        let folder = server.phoneFolder()
        let phone = try await enrolled(12, folder: folder)
        for number in 0..<5 { _ = try phone.door("楼\(number)") }
        try await phone.close()
        for case let file as URL in FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])! {
            guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
            try Data(repeating: 0x5a, count: Data(contentsOf: file).count).write(to: file)
        }
        await #expect { try await Doorstep.open(folder: folder) } throws: {
            switch $0 {
            case DoorstepError.StoreDamaged, DoorstepError.StoreFailed: true
            default: false
            }
        }
        #expect(FileManager.default.fileExists(atPath: folder.path))
    }

    @Test func aFullDiskIsAnErrorAndWhatIsThereCanBeRead() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("doorstep-tmpfs-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try run("/usr/bin/mount", "-t", "tmpfs", "-o", "size=24m", "none", folder.path)
        let phone = try await enrolled(13, folder: folder.appendingPathComponent("phone"))
        let door = try phone.door("满盘301")
        let ballast = folder.appendingPathComponent("ballast")
        FileManager.default.createFile(atPath: ballast.path, contents: nil)
        let out = try FileHandle(forWritingTo: ballast)
        while (try? out.write(contentsOf: Data(count: 64 * 1024))) != nil {}
        try? out.close()
        #expect { for _ in 0..<20_000 { try phone.visit(door, String(repeating: "满", count: 1_000)) } } throws: {
            if case DoorstepError.DiskFull = $0 { true } else { false }
        }
        #expect(try phone.households.get(id: door).details.door == "满盘301")
        try await phone.close()
        try run("/usr/bin/umount", folder.path)
    }

    @Test func tenThousandObjectsLeaveNoGrowth() async throws {
        let phone = try await enrolled(14)
        func round() throws {
            for _ in 0..<10_000 {
                _ = try phone.generated.households().list(grid: nil)
                try phone.generated.onChanges(listener: Silent()).cancel()
            }
        }
        func resident() throws -> Int {
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
            return Int(pages)! * 4_096
        }
        try round()
        let before = try resident()
        try round()
        let growth = try resident() - before
        print("measured: growth after 20,000 objects \(growth / 1_024) kB")
        #expect(growth < 16 << 20)
        try await phone.close()
    }

    @Test func eightThreadsAtOnce() async throws {
        let phone = try await enrolled(15)
        let doors = try (0..<8).map { try phone.door("并发\($0)") }
        let end = DispatchTime.now().uptimeNanoseconds + 10_000_000_000
        let recorded = await withTaskGroup(of: Int.self) { group in
            for door in doors {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.detachNewThread {
                            var count = 0
                            while DispatchTime.now().uptimeNanoseconds < end {
                                if (try? phone.visit(door)) != nil { count += 1 }
                                _ = try? phone.households.list(grid: nil)
                                _ = try? phone.status()
                            }
                            continuation.resume(returning: count)
                        }
                    }
                }
            }
            group.addTask {
                while DispatchTime.now().uptimeNanoseconds < end { _ = try? await phone.sync() }
                return 0
            }
            return await group.reduce(0, +)
        }
        while try !phone.waiting().isEmpty { _ = try await phone.sync() }
        #expect(try doors.map { try phone.visits.list(subject: .household(id: $0)).count }.reduce(0, +) == recorded)
        print("measured: \(recorded) visits recorded by 8 threads in 10 s")
        try await phone.close()
    }

    @Test func aPushMessageIsAHint() async throws {
        let phone = try await enrolled(18)
        #expect(try await phone.handlePush("{}") == nil)
        _ = try phone.door("推送301")
        #expect(try await phone.handlePush(#"{"doorstep":1}"#)?.accepted == 1)
        try await phone.close()
    }

    @Test func theSampleRuns() async throws {
        let folder = server.phoneFolder()
        try await Morning(server: server.url, folder: folder, codes: [server.code(19), server.code(19)]).run()
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["DOORSTEP_BENCH"] != nil)) func figuresForTheReadme() async throws {
        let phone = try await enrolled(20)
        for number in 0..<500 { _ = try phone.cases.report(grid: nil, draft: IssueDraft(category: .facilities, description: "楼道灯不亮 \(number)")) }
        func median(_ times: Int, _ ask: () throws -> Void) rethrows -> Double {
            try (0..<times).map { _ in
                let began = DispatchTime.now().uptimeNanoseconds
                try ask()
                return Double(DispatchTime.now().uptimeNanoseconds - began) / 1e6
            }.sorted()[times / 2]
        }
        print("measured: list of 500 cases \(try median(101) { _ = try phone.cases.list(grid: nil) }) ms")
        let began = DispatchTime.now().uptimeNanoseconds
        for _ in 0..<100_000 { _ = try phone.generated.isWiped() }
        print("measured: a call \(Double(DispatchTime.now().uptimeNanoseconds - began) / 1e3 / 100_000) us")
        let door = try phone.door("延迟301")
        var latencies: [Double] = []
        for _ in 0..<21 {
            var changes = try phone.changes().makeAsyncIterator()
            try await Task.sleep(for: .milliseconds(150))
            let began = DispatchTime.now().uptimeNanoseconds
            try phone.visit(door)
            while let change = await changes.next(), !change.records.contains(where: { $0.id == door }) {}
            latencies.append(Double(DispatchTime.now().uptimeNanoseconds - began) / 1e6)
        }
        print("measured: record to listener \(latencies.sorted()[10]) ms")
        try await phone.close()
    }

    private func run(_ program: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
