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

        @Test func wordsComeFromTheOneCatalogueInBothLanguages() throws {
            let code = try outcomeCode(of: .notAtHome)
            #expect(try word(locale: .zh, of: .outcome, code: code) == "无人在家")
            #expect(try word(locale: .en, of: .outcome, code: "not-at-home") == "not at home")
            #expect(try choices(locale: .zh, of: .outcome).count == 4)
        }

        @Test func theSampleRuns() async throws {
            let codes = [try server.code(19), try server.code(19)]
            try await Morning(server: server.url, folder: server.phoneFolder(), codes: codes).run()
        }
    }
}
