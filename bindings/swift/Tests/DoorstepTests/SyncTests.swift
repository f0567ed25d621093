/// Offline, syncing, cancelling, staying connected.

import Dispatch
import Doorstep
import Foundation
import Testing

extension Phones {
    @Suite struct Sync {
        @Test func whatAKilledProcessRecordedOfflineArrives() async throws {
            let folder = server.phoneFolder()
            try await enrolled(17, folder: folder).close()
            let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            let (status, said) = try run(programs.appendingPathComponent("Recorder").path, folder.path)
            #expect(status == SIGKILL)
            let door = try #require(UUID(uuidString: said))

            let phone = try await Doorstep.open(folder: folder)
            #expect(try phone.households.list(grid: nil).first { $0.id == door }?.sync == .local)
            #expect(try phone.waiting().count == 2)
            let waiting = try phone.status()
            #expect(waiting.pending == 2 && waiting.phase != .idle)
            #expect(try waiting.oldestPending == phone.waiting().map(\.recordedAt).min())
            #expect(try await phone.sync().accepted == 2)
            let row = try #require(try phone.households.list(grid: nil).first { $0.id == door })
            #expect(row.sync == .accepted && row.lastVisit.count == 1)
            #expect(try await phone.search("zhangxiulan").contains { $0.id == door })
            let done = try phone.status()
            #expect(done.pending == 0 && done.lastSuccess != nil)
            try await phone.close()
        }

        @Test func aConflictShowsBothValuesAndWhoWroteThem() async throws {
            let mine = try await enrolled(16)
            let door = try mine.door("2单元201")
            _ = try await mine.sync()
            let other = try await enrolled(16)
            try mine.households.change(id: door, details: HouseholdDetails(remark: "门铃坏了"), tags: [])
            try other.households.change(id: door, details: HouseholdDetails(remark: "下午在家"), tags: [])
            for phone in [mine, other, mine] { _ = try await phone.sync() }
            let conflict = try #require(try mine.households.get(id: door).conflicts.first)
            #expect(conflict.field == "remark" && conflict.label == "备注")
            #expect(Set(conflict.values.map(\.value)) == ["门铃坏了", "下午在家"])
            #expect(conflict.values.allSatisfy { $0.by == server.worker(16) })
            #expect(conflict.values.last?.isShown == true)
            // Writing the field again settles it.
            try mine.households.change(id: door, details: HouseholdDetails(remark: "请敲门"), tags: [])
            #expect(try mine.households.get(id: door).conflicts.isEmpty)
            try await mine.close()
            try await other.close()
        }

        @Test func aHangingSyncIsCancelledAtOnceAndNothingIsLostByIt() async throws {
            let folder = server.phoneFolder()
            let recording = try await enrolled(5, folder: folder)
            try recording.visit(try recording.door("4单元401"))
            try await recording.close()
            // Five times and the middle one: a machine that is busy for a moment is not what is asked about.
            var took: [Double] = []
            for _ in 0..<5 {
                let silence = Silence()
                let phone = try await Doorstep.open(folder: folder, transport: silence)
                let round = Task { try await phone.sync() }
                await silence.asked.next()
                let began = DispatchTime.now().uptimeNanoseconds
                round.cancel()
                await #expect(throws: CancellationError.self) { try await round.value }
                took.append(Double(DispatchTime.now().uptimeNanoseconds - began) / 1e6)
                #expect(try phone.waiting().count == 2)
                try await phone.close()
            }
            print("measured: cancelling a hanging sync took \(took) ms")
            #expect(took.sorted()[2] < 100)
            let phone = try await Doorstep.open(folder: folder)
            #expect(try await phone.sync().accepted == 2)
            try await phone.close()
        }

        @Test func closingEndsAHangingSyncAndEveryStream() async throws {
            let folder = server.phoneFolder()
            try await enrolled(5, folder: folder).close()
            let silence = Silence()
            let phone = try await Doorstep.open(folder: folder, transport: silence)
            let round = Task { try await phone.sync() }
            let (changes, refusals, states) = (try phone.changes(), try phone.refusals(), try phone.statusUpdates())
            await silence.asked.next()
            try await phone.close()
            #expect(try await failure { try await round.value }.arm == "Cancelled")
            for await _ in changes {}
            for await _ in refusals {}
            for await _ in states {}
        }

        @Test func thePlatformsOwnClientCarriesEverything() async throws {
            let phone = try await enrolled(6, transport: URLSessionTransport())
            _ = try phone.door("5单元501")
            #expect(try await phone.sync().accepted == 1)
            try await phone.close()
        }

        @Test func aBudgetEndsARoundAndTheStatusSaysWhatComesNext() async throws {
            let folder = server.phoneFolder()
            let recording = try await enrolled(6, folder: folder)
            _ = try recording.door("6单元601")
            try await recording.close()
            let hanging = try await Doorstep.open(folder: folder, transport: Silence())
            #expect(try await failure { try await hanging.syncOnce(budget: .milliseconds(200)) }.arm == "Cancelled")
            #expect(try hanging.waiting().count == 1)
            try await hanging.close()
            let phone = try await Doorstep.open(folder: folder, transport: Unreachable())
            _ = try await failure { try await phone.syncOnce(budget: .milliseconds(50)) }
            let status = try phone.status()
            #expect(status.lastError?.code == "sync.unreachable" && status.lastError?.retryable == true)
            #expect(status.phase == .backingOff && status.nextAttempt != nil)
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

        @Test func aLiveConnectionStepsAsideForARound() async throws {
            let phone = try await enrolled(8)
            var exchanges = 0
            for await event in try phone.live() {
                guard case .exchanged = event else { continue }
                exchanges += 1
                if exchanges == 1 {
                    for _ in 0..<3 { _ = try await phone.sync() }
                } else {
                    try await phone.close()  // connected again; the loop ends with the phone
                }
            }
            #expect(exchanges >= 2)
        }

        @Test func aPushMessageIsAHint() async throws {
            let phone = try await enrolled(18)
            #expect(try await phone.handlePush("{}") == nil)
            _ = try phone.door("推送301")
            #expect(try await phone.handlePush(#"{"doorstep":1}"#)?.accepted == 1)
            try await phone.close()
        }
    }
}
