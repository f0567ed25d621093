/// What an app's own listeners may do, and what their bugs do not do.

import Dispatch
import Doorstep
import Foundation
import Testing

private final class ThrowingStatus: StatusListener {
    let calls = Calls()
    func onStatus(status: SyncStatus) throws {
        calls.call()
        throw Bug()
    }
}

private final class ThrowingObserver: SyncObserver {
    let progress = Calls()
    let finished = Calls()

    func onProgress(status: SyncStatus) throws {
        progress.call()
        throw Bug()
    }

    func onFinished() throws {
        finished.call()
        throw Bug()
    }
}

extension Phones {
    @Suite struct Listeners {
        @Test func whatListenersThrowDoesNotHarmTheEngine() async throws {
            let phone = try await enrolled(7)
            let (calls, status, observer) = (Calls(), ThrowingStatus(), ThrowingObserver())
            let changes = try phone.generated.onChanges(listener: Listener { _ in
                calls.call()
                throw Bug()
            })
            let states = try phone.generated.onStatus(listener: status)
            await status.calls.next()
            _ = try phone.door("7单元701")
            await calls.next()
            _ = try phone.door("7单元702")  // told as well: a listener that threw is not left out from then on
            await calls.next()
            let round = try phone.generated.sync().startSync(observer: observer)
            await observer.progress.next()
            await observer.finished.next()
            #expect(try round.result()?.accepted == 2)
            await status.calls.next()
            try changes.cancel()
            try states.cancel()
            let diagnostics = try await phone.diagnostics()
            for place in ["change listener", "status listener", "observer"] { #expect(diagnostics.contains(place)) }
            #expect(!diagnostics.contains("张秀兰"))
            try await phone.close()
        }

        @Test func aListenerMayCallBackSubscribeAndCancel() async throws {
            let phone = try await enrolled(7)
            let (seen, seenByOther) = (Calls(), Calls())
            let (app, households) = (phone.generated, phone.households)
            let own = Shared<Subscription?>(nil)
            let other = Shared<Subscription?>(nil)
            let subscription = try app.onChanges(listener: Listener { _ in
                guard other.value == nil, try households.list(grid: nil).contains(where: { $0.door == "7单元703" }) else { return }
                _ = try households.add(grid: nil, details: HouseholdDetails(door: "7单元704"), tags: [])
                let next = try app.onChanges(listener: Listener { _ in seenByOther.call() })
                other.change { $0 = next }
                try own.value?.cancel()
                seen.call()
            })
            own.change { $0 = subscription }
            _ = try phone.door("7单元703")
            await seen.next()
            await seenByOther.next()  // of what the first recorded
            try await phone.close()
        }

        @Test func aListenerMayCloseThePhone() async throws {
            let phone = try await enrolled(7)
            let closed = Calls()
            let app = phone.generated
            let subscription = try app.onChanges(listener: Listener { _ in
                try app.shutDown()
                closed.call()
            })
            _ = try phone.door("7单元705")
            await closed.next()
            #expect(try await failure { try phone.households.list(grid: nil) }.arm == "Closed")
            try subscription.cancel()
        }

        @Test func aListenerThatHangsHoldsUpNeitherRecordingNorClosing() async throws {
            let hanging = DispatchSemaphore(value: 0)
            defer { hanging.signal() }
            let called = Calls()
            let phone = try await enrolled(7)
            let subscription = try phone.generated.onChanges(listener: Listener { _ in
                called.call()
                hanging.wait()
            })
            let door = try phone.door("7单元706")
            await called.next()
            try phone.visit(door)
            #expect(try phone.visits.list(subject: .household(id: door)).count == 1)
            try subscription.cancel()
            try await phone.close()
        }

        @Test func burstsAreToldTogether() async throws {
            let phone = try await enrolled(7)
            let told = Shared(0)
            let last = Calls()
            let lastDoor = Shared<UUID?>(nil)
            let subscription = try phone.generated.onChanges(listener: Listener { change in
                told.change { $0 += 1 }
                if change.records.contains(where: { $0.id == lastDoor.value }) { last.call() }
            })
            let began = DispatchTime.now().uptimeNanoseconds
            for number in 0..<200 { _ = try phone.door("突发\(number)") }
            let door = try phone.door("突发末")
            lastDoor.change { $0 = door }
            // A change of its own behind the door: what was told before its id was known here is told again.
            try phone.visit(door)
            await last.next()
            let most = (DispatchTime.now().uptimeNanoseconds - began) / 100_000_000 + 2
            #expect(told.value <= Int(most))
            try subscription.cancel()
            try await phone.close()
        }

        @Test func aLoopThatIsBusyMissesNoChange() async throws {
            let phone = try await enrolled(7)
            let changes = try phone.changes()  // nothing is taken from it yet
            let told = Shared<Set<UUID>>([])
            let called = Calls()
            let subscription = try phone.generated.onChanges(listener: Listener { change in
                told.change { $0.formUnion(change.records.map(\.id)) }
                called.call()
            })
            var doors: Set<UUID> = []
            for number in 0..<5 {
                // Each in a telling of its own, and told to this listener behind the stream's.
                let door = try phone.door("忙\(number)")
                while !told.value.contains(door) { await called.next() }
                doors.insert(door)
            }
            var heard = changes.makeAsyncIterator()
            let first = try #require(await heard.next())
            #expect(doors.isSubset(of: first.records.map(\.id)))
            try subscription.cancel()
            try await phone.close()
        }
    }
}
