/// A process that records and is killed, for the tests: what it recorded has to be there for the next one.

import Doorstep
import Foundation

/// A phone without a network.
final class Unreachable: Transport {
    func post(request: PostRequest, reply: Reply) throws { try reply.failed(fault: .unreachable) }
}

let phone = try await Doorstep.open(folder: URL(fileURLWithPath: CommandLine.arguments[1]), transport: Unreachable())
let door = try phone.households.add(grid: nil, details: HouseholdDetails(door: "1单元101", contact: "张秀兰"), tags: [])
_ = try phone.visits.record(draft: VisitDraft(subject: .household(id: door), purpose: .routine, outcome: .met, findings: "身体还好"))
FileHandle.standardOutput.write(Data(door.uuidString.utf8))
kill(getpid(), SIGKILL)
