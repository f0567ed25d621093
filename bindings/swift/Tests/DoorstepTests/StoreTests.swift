/// What goes wrong, and that an app can tell one from the other.

import Doorstep
import Foundation
import Testing

private final class Key: KeyProvider {
    private let bytes: Data?
    init(_ bytes: Data?) { self.bytes = bytes }

    func storeKey() throws -> Data {
        guard let bytes else { throw ForeignError.Failed(reason: "locked") }
        return bytes
    }
}

/// A file system of some 24 MB, as `bindings/swift/root` makes one.
private let smallDisk = ProcessInfo.processInfo.environment["DOORSTEP_SMALL_DISK"]
/// Nothing is left out there.
private let isCI = ProcessInfo.processInfo.environment["CI"] != nil

private final class BuggyKey: KeyProvider {
    func storeKey() throws -> Data { throw Bug() }
}

extension Phones {
    @Suite struct Store {
        @Test func errorsAreTypedAndCarryCodeAndSentence() async throws {
            let folder = server.phoneFolder()
            let phone = try await Doorstep.open(folder: folder)
            #expect(try await failure { try phone.door("1") }.arm == "NotEnrolled")
            #expect(try await failure { try await phone.sync() }.arm == "NotEnrolled")
            let rejected = try await failure { try await phone.enrol(server: server.url, code: "AAAA-AAAA", label: "x") }
            #expect(rejected.arm == "Rejected" && rejected.said.code == "hub.enrolment_code")
            _ = try await phone.enrol(server: server.url, code: server.code(10), label: "swift")
            _ = try await phone.sync()
            let twice = try await failure { try await phone.enrol(server: server.url, code: server.code(11), label: "swift") }
            #expect(twice.arm == "AlreadyEnrolled")
            let invalid = try await failure { try phone.households.add(grid: nil, details: HouseholdDetails(), tags: []) }
            #expect(invalid.arm == "Invalid" && invalid.said.code == "field.invalid" && invalid.said.sentence.contains("门牌"))
            #expect(try await failure { try phone.visit(UUID()) }.arm == "NotFound")
            #expect(try await failure { try await Doorstep.open(folder: folder) }.arm == "StoreInUse")
            try await phone.close()
        }

        @Test func sentencesComeInTheLanguageThatThePhoneWasOpenedWith() async throws {
            let phone = try await Doorstep.open(folder: server.phoneFolder(), locale: .en)
            let nobody = try await failure { try await phone.sync() }
            #expect(nobody.said.sentence.contains("enrolled"), "\(nobody.said)")
            _ = try await phone.enrol(server: server.url, code: server.code(10), label: "swift")
            _ = try await phone.sync()
            let invalid = try await failure { try phone.households.add(grid: nil, details: HouseholdDetails(), tags: []) }
            #expect(invalid.said.sentence.contains("door"), "\(invalid.said)")
            #expect(invalid.said.sentence.utf8.count == invalid.said.sentence.count, "\(invalid.said)")
            try await phone.close()
        }

        @Test func whoSignsOutLeavesNothingBehind() async throws {
            let folder = server.phoneFolder()
            let phone = try await enrolled(10, folder: folder)
            let door = try phone.door("退出301")
            try phone.signOut()
            _ = try await phone.sync()
            #expect(try phone.isWiped())
            #expect(try await failure { try phone.door("退出302") }.arm == "Wiped")
            #expect(try await failure { try await phone.sync() }.arm == "Wiped")
            try await phone.close()
            #expect(!FileManager.default.fileExists(atPath: folder.path))
            // What waited went out first.
            let other = try await enrolled(10)
            #expect(try other.households.get(id: door).details.door == "退出301")
            try await other.close()
        }

        @Test func useAfterCloseIsAnErrorAndNoCrash() async throws {
            let phone = try await enrolled(10)
            try await phone.close()
            #expect(try await failure { try phone.households.list(grid: nil) }.arm == "Closed")
            #expect(try await failure { try await phone.sync() }.arm == "Closed")
            #expect(try await failure { try phone.live() }.arm == "Closed")
            try await phone.close()  // twice is nothing
        }

        @Test func aStoreOpensWithItsOwnKeyOnly() async throws {
            let folder = server.phoneFolder()
            let keys = Key(Data(0..<32))
            let phone = try await enrolled(11, folder: folder, keys: keys)
            _ = try phone.door("保密301")
            try await phone.close()
            let wrong: [(KeyProvider?, String)] = [
                (Key(Data(count: 32)), "WrongKey"), (nil, "WrongKey"), (Key(nil), "KeyUnavailable"), (BuggyKey(), "KeyUnavailable"),
            ]
            for (other, arm) in wrong {
                #expect(try await failure { try await Doorstep.open(folder: folder, keys: other) }.arm == arm)
            }
            for file in try files(under: folder) {
                #expect(try Data(contentsOf: file).range(of: Data("保密301".utf8)) == nil)
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
            for file in try files(under: folder) {
                try Data(repeating: 0x5a, count: Data(contentsOf: file).count).write(to: file)
            }
            #expect(try await failure { try await Doorstep.open(folder: folder) }.arm == "StoreDamaged")
            #expect(FileManager.default.fileExists(atPath: folder.path))
        }

        @Test(.enabled(if: smallDisk != nil || isCI, "DOORSTEP_SMALL_DISK names no disk to fill"))
        func aFullDiskIsAnErrorAndWhatIsThereCanBeRead() async throws {
            let disk = URL(fileURLWithPath: try #require(smallDisk))
            let folder = disk.appendingPathComponent("phone")
            let phone = try await enrolled(13, folder: folder)
            let door = try phone.door("满盘301")
            let ballast = disk.appendingPathComponent("ballast")
            try fill(ballast)
            let full = try await failure { for _ in 0..<20_000 { try phone.visit(door, String(repeating: "满", count: 1_000)) } }
            #expect(full.arm == "DiskFull")
            #expect(try phone.households.get(id: door).details.door == "满盘301")
            try FileManager.default.removeItem(at: ballast)
            try await phone.close()
            // With room again everything goes on, and nothing that was confirmed is missing.
            let again = try await Doorstep.open(folder: folder)
            _ = try await again.sync()
            let row = try #require(try again.households.list(grid: nil).first { $0.id == door })
            #expect(try again.visits.list(subject: .household(id: door)).count == Int(row.lastVisit.count))
            try again.visit(door, "有空间了")
            #expect(try await again.sync().accepted == 1)
            try await again.close()
        }

        private func fill(_ ballast: URL) throws {
            try Data().write(to: ballast)
            let out = try FileHandle(forWritingTo: ballast)
            while (try? out.write(contentsOf: Data(count: 64 * 1024))) != nil {}
            try out.close()
        }

        private func files(under folder: URL) throws -> [URL] {
            let all = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
            return try (all?.compactMap { $0 as? URL } ?? []).filter { try $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true }
        }
    }
}
