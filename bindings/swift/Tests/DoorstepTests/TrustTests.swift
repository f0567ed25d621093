/// What a phone shows no more, or cannot send any more, and what its app hears then.

import Doorstep
import Foundation
import Testing

/// A clock that can be put forward.
private final class Ahead: Clock {
    let hours = Shared(0)
    func nowMs() throws -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) + Int64(hours.value) * 3_600_000 }
}

/// A server that speaks a newer protocol only.
private final class Newer: Transport {
    func post(request: PostRequest, reply: Reply) throws {
        try reply.answered(answer: PostAnswer(status: 400, contentType: "application/problem+json", code: "hub.protocol", body: Data()))
    }
}

extension Phones {
    @Suite struct Trust {
        @Test func whenItsLeaseIsOverAPhoneReadsNothingAndRecordsOnUntilItHasHeardFromTheServer() async throws {
            let clock = Ahead()
            let phone = try await Doorstep.open(folder: server.phoneFolder(), clock: clock)
            _ = try await phone.enrol(server: server.url, code: server.code(8), label: "swift")
            _ = try await phone.sync()
            let door = try phone.door("1单元801")
            _ = try await phone.sync()
            clock.hours.change { $0 = 80 }
            #expect(try await failure { try phone.households.list(grid: nil) }.arm == "LeaseOver")
            try phone.visit(door, "租期后")
            #expect(try phone.waiting().count == 1)
            _ = try await phone.sync()  // the server tells this clock how far it is ahead
            _ = try await phone.sync()
            #expect(try phone.waiting().isEmpty)
            #expect(try phone.households.get(id: door).visits.map(\.findings) == ["租期后"])
            try await phone.close()
        }

        @Test func anErasedRecordIsShownAsThatAndTakesNothingMore() async throws {
            let phone = try await enrolled(8)
            let door = try phone.door("1单元802")
            let resident = try phone.residents.add(grid: nil, details: ResidentDetails(name: "赵桂英", household: door), tags: [])
            _ = try await phone.sync()
            #expect(try phone.residents.get(id: resident).lock == .open)
            try server.admin("erase", resident.uuidString.lowercased())
            _ = try await phone.sync()
            let erased = try phone.residents.get(id: resident)
            #expect(erased.lock == .erased && erased.details.name == nil)
            #expect(try word(locale: .zh, of: .lock, code: "erased") == "已删除")
            #expect(try phone.residents.list(grid: nil).first { $0.id == resident }?.lock == .erased)
            let change = { try phone.residents.change(id: resident, details: ResidentDetails(name: "赵桂英"), tags: []) }
            #expect(try await failure { try change() }.arm == "Erased")
            try await phone.close()
        }

        @Test func aServerThatSpeaksANewerProtocolOnlyAsksForAnUpdateAndWhatWaitsStays() async throws {
            let folder = server.phoneFolder()
            let before = try await enrolled(8, folder: folder)
            let door = try before.door("1单元803")
            _ = try await before.sync()
            try await before.close()
            let phone = try await Doorstep.open(folder: folder, transport: Newer())
            try phone.visit(door, "更新前")
            #expect(try await failure { try await phone.sync() }.arm == "UpdateRequired")
            #expect(try phone.waiting().count == 1)
            try await phone.close()
            let updated = try await Doorstep.open(folder: folder)
            #expect(try await updated.sync().accepted == 1)
            try await updated.close()
        }
    }
}
