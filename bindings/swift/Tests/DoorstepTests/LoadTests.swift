/// What many objects and many threads do: nothing.

import Dispatch
import Doorstep
import Foundation
import Testing

extension Phones {
    @Suite struct Load {
        @Test func tenThousandObjectsLeaveNoGrowth() async throws {
            let phone = try await enrolled(14)
            try makeObjects(phone)
            let before = try resident()
            try makeObjects(phone)
            let growth = try resident() - before
            print("measured: growth after 20,000 more objects \(growth / 1_024) kB")
            #expect(growth < 8 << 20)
            try await phone.close()
        }

        private func makeObjects(_ phone: Doorstep) throws {
            for _ in 0..<10_000 {
                _ = try phone.generated.households().list(grid: nil)
                try phone.generated.onChanges(listener: Listener { _ in }).cancel()
            }
        }

        private func resident() throws -> Int {
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            return try #require(Int(pages[1])) * 4_096
        }

        @Test func eightThreadsForTenSeconds() async throws {
            let phone = try await enrolled(15)
            let doors = try (0..<8).map { try phone.door("并发\($0)") }
            let end = DispatchTime.now().uptimeNanoseconds + 10_000_000_000
            async let syncing: Void = self.syncing(phone, until: end)
            async let beside: Void = self.syncing(phone, until: end)
            let recorded = try await withThrowingTaskGroup(of: Int.self) { group in
                for door in doors { group.addTask { try await onThread { try record(phone, door, until: end) } } }
                return try await group.reduce(0, +)
            }
            _ = try await (syncing, beside)
            while try !phone.waiting().isEmpty { _ = try await phone.sync() }
            let counted = try doors.map { try phone.visits.list(subject: .household(id: $0)).count }.reduce(0, +)
            #expect(counted == recorded)
            print("measured: \(recorded) visits recorded by 8 threads in 10 s")
            try await phone.close()
        }

        private func syncing(_ phone: Doorstep, until end: UInt64) async throws {
            while DispatchTime.now().uptimeNanoseconds < end {
                _ = try await phone.sync()
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}

private func record(_ phone: Doorstep, _ door: UUID, until end: UInt64) throws -> Int {
    var count = 0
    while DispatchTime.now().uptimeNanoseconds < end {
        try phone.visit(door)
        count += 1
        _ = try phone.households.list(grid: nil)
        _ = try phone.status()
    }
    return count
}

private func onThread<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
}
