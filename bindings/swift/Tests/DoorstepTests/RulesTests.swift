/// What comes from the engine's rules and words, and the sample that uses it all.

import Doorstep
import Foundation
import MorningKit
import Testing

extension Phones {
    @Suite struct Rules {
        @Test func actionsAreWhatTheRulesAllow() async throws {
            let phone = try await enrolled(9)
            let id = try phone.cases.report(grid: nil, draft: IssueDraft(category: .noise, description: "夜里施工"))
            #expect(try phone.cases.actions(id: id).map(\.kind) == [.noted, .returned, .closed])
            _ = try phone.cases.act(id: id, kind: .closed, text: nil)
            #expect(try await failure { try phone.cases.act(id: id, kind: .returned, text: nil) }.arm == "Superseded")
            #expect(try phone.cases.get(id: id).state == .closed)
            try await phone.close()
        }

        @Test func aNoticeSaysWhichTextWasGivenAndWhatFor() async throws {
            let phone = try await enrolled(9)
            let door = try phone.door("1单元901")
            try phone.households.giveNotice(id: door, version: "2026-01", purpose: "走访与求助")
            let notice = try #require(try phone.households.get(id: door).notice)
            #expect([notice.version, notice.purpose] == ["2026-01", "走访与求助"])
            let person = try await phone.identity()?.person
            #expect(notice.by == person)
            #expect(try #require(try phone.leaseUntil()) > Date(timeIntervalSinceNow: 70 * 3600))
            try await phone.close()
        }

        @Test func whatAnotherSessionPackedArrivesAndItsAuthorHearsOfIt() async throws {
            let author = try await enrolled(9)
            let door = try author.door("1单元902")
            let carrier = try await Doorstep.open(folder: server.phoneFolder())
            let invitation = "doorstep:enrol?code=\(try server.code(10))&server=\(server.url)"
            _ = try await carrier.enrol(invitation: invitation, label: "swift")
            for mail in try author.packMail() { try await carrier.carryMail(mail) }
            #expect(try await failure { try await carrier.carryMail(Data([1, 0, 2])) }.arm == "Rejected")
            try await carrier.close()
            #expect(try author.waiting().count == 1)
            let other = try await enrolled(9)
            #expect(try other.households.get(id: door).details.door == "1单元902")
            try await other.close()
            #expect(try await author.sync().accepted == 1)
            try await author.close()
        }

        @Test func wordsComeFromTheOneCatalogueInBothLanguages() throws {
            let code = try outcomeCode(of: .notAtHome)
            #expect(try word(locale: .zh, of: .outcome, code: code) == "无人在家")
            #expect(try word(locale: .en, of: .outcome, code: "not-at-home") == "not at home")
            #expect(try choices(locale: .zh, of: .outcome).count == 4)
        }

        @Test func thePagesFirstVisitArrives() async throws {
            let folder = server.phoneFolder()
            try await firstVisit(folder: folder, server: server.url, code: server.code(18))
            let phone = try await Doorstep.open(folder: folder)
            #expect(try phone.waiting().isEmpty)
            #expect(try phone.households.list(grid: nil).filter { $0.lastVisit.count == 1 }.map(\.sync) == [.accepted])
            try await phone.close()
        }

        @Test func theSampleRuns() async throws {
            let codes = [try server.code(19), try server.code(19)]
            try await Morning(server: server.url, folder: server.phoneFolder(), codes: codes).run()
        }
    }
}
