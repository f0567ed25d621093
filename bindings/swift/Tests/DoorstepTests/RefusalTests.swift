/// What the server refused: heard, kept, dealt with by its author.

import Doorstep
import Foundation
import Testing

private final class ThrowingRefusals: RefusalListener {
    let calls = Calls()
    func onRefused(record: RefusedRecord) throws {
        calls.call()
        throw Bug()
    }
}

private final class Stated: StatusListener {
    let calls = Calls()
    func onStatus(status: SyncStatus) throws { calls.call() }
}

extension Phones {
    @Suite struct Refusals {
        @Test func aRefusalIsHeardAndStaysUntilItIsDealtWith() async throws {
            let phone = try await enrolled(3)
            let door = try phone.door("3单元301")
            _ = try await phone.sync()
            let throwing = ThrowingRefusals()
            let bug = try phone.generated.onRefusals(listener: throwing)
            let refusals = try phone.refusals()
            try phone.visit(door, "门开着")
            try phone.visit(door, "门关着")
            try server.admin("grid", "reassign", "第3网格", "--to", server.worker(4))
            #expect(try await phone.sync().refused == 2)
            let refused = await first(2, of: refusals)
            #expect(refused.allSatisfy { $0.code == "sync.grant_ended" && $0.reason.contains("权限") && $0.what == "visit" && !$0.isHere })
            #expect(try phone.status().refused == 2)
            await throwing.calls.next()
            await throwing.calls.next()
            try bug.cancel()
            // Who listens later hears of them too, until somebody has dealt with them.
            #expect(await first(2, of: try phone.refusals()).map(\.group) == refused.map(\.group))
            try phone.quarantine.discard(group: refused[0].group)
            #expect(await first(1, of: try phone.refusals()).map(\.group) == [refused[1].group])
            #expect(try phone.quarantine.refused().map(\.group) == [refused[1].group])
            // The visit went to the grid's new worker: here it can only be let go.
            #expect(try await failure { try phone.quarantine.resend(group: refused[1].group) }.arm == "HandedOver")
            try phone.quarantine.discard(group: refused[1].group)
            #expect(try phone.quarantine.refused().isEmpty)
            try await phone.close()
        }

        @Test func noRefusalIsLostOnASlowLoop() async throws {
            let many = 300
            let phone = try await enrolled(2)
            let door = try phone.door("2单元301")
            _ = try await phone.sync()
            for number in 0..<many { try phone.visit(door, "第\(number)次") }
            try server.admin("grid", "reassign", "第2网格", "--to", server.worker(1))
            while try !phone.waiting().isEmpty { _ = try await phone.sync() }
            #expect(try phone.quarantine.refused().count == many)
            let refusals = try phone.refusals()
            // The second telling of the status comes behind all refusals.
            var states: [Subscription] = []
            for _ in 0..<2 {
                let stated = Stated()
                states.append(try phone.generated.onStatus(listener: stated))
                await stated.calls.next()
            }
            #expect(Set(await first(many, of: refusals).map(\.group)).count == many)
            for subscription in states { try subscription.cancel() }
            try await phone.close()
        }

        private func first(_ count: Int, of refusals: AsyncStream<RefusedRecord>) async -> [RefusedRecord] {
            var found: [RefusedRecord] = []
            for await record in refusals {
                found.append(record)
                if found.count == count { break }
            }
            return found
        }
    }
}
