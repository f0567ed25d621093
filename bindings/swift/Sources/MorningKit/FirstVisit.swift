/// From nothing to a first synced visit: what `bindings/README.md` quotes.

import Doorstep
import Foundation

public func firstVisit(folder: URL, server: String, code: String) async throws {
    let phone = try await Doorstep.open(folder: folder)      // an app passes KeychainKeys: without a key the store is in clear
    if try await phone.identity() == nil {
        _ = try await phone.enrol(server: server, code: code, label: "my phone")
        _ = try await phone.sync()                           // the directory, and everything of this worker's grid
    }
    let details = HouseholdDetails(door: "1单元301", contact: "张秀兰")
    // `nil`: in the only grid of this worker.
    let door = try phone.households.add(grid: nil, details: details, tags: [])
    let visit = VisitDraft(subject: .household(id: door), purpose: .routine, outcome: .met, findings: "身体还好")
    _ = try phone.visits.record(draft: visit)
    // On the disk now. With or without a network, it goes out with the next sync.
    do {
        print("accepted:", try await phone.sync().accepted)
    } catch DoorstepError.Network {
        print("waiting:", try phone.waiting().count)
    }
    try await phone.close()
}
