/// A morning in grid 17: enrol, work offline, see a conflict, sync, watch live. A phone in the terminal, on the package that apps use.

import Doorstep
import Foundation

/// Two phones of the same grid; `codes` are one-time codes of its worker, as `doorstep admin code` prints them.
public struct Morning: Sendable {
    let server: String
    let folder: URL
    let codes: [String]

    public init(server: String, folder: URL, codes: [String]) {
        self.server = server
        self.folder = folder
        self.codes = codes
    }

    public func run() async throws {
        let mine = try await Doorstep.open(folder: folder.appendingPathComponent("phone-a"))
        try await enrol(mine, codes[0])
        let door = try record(mine)
        await send(mine)
        let other = try await Doorstep.open(folder: folder.appendingPathComponent("phone-b"))
        try await enrol(other, codes[1])
        await send(other)
        try await disagree(mine, other, door)
        try await watch(mine, other, door)
        try follow(mine)
        let status = try mine.status()
        print("状态 \(status.phase): \(status.pending) 条待发送, \(status.refused) 条被退回")
        try await other.close()
        try await mine.close()
    }

    private func enrol(_ phone: Doorstep, _ code: String) async throws {
        var identity = try await phone.identity()
        if identity == nil {
            identity = try await phone.enrol(server: server, code: code, label: "terminal")
            _ = try await phone.sync()
        }
        let grids = try await phone.grids().filter(\.isMine).map(\.name).joined(separator: ", ")
        print("您好,\(identity?.name ?? "")。网格:\(grids)")
    }

    /// No signal needed: each of these is on the disk when it returns.
    private func record(_ phone: Doorstep) throws -> UUID {
        let building = try phone.places.add(grid: nil, details: PlaceDetails(kind: .building, name: "3栋", address: "窑湾路44号"), tags: [])
        let details = HouseholdDetails(place: building, door: "1单元301", contact: "张秀兰", phone: "13800000001")
        let door = try phone.households.add(grid: nil, details: details, tags: [TagChange(tag: "独居", on: true)])
        let visit = VisitDraft(subject: .household(id: door), purpose: .care, outcome: .met, findings: "身体还好,药够吃两周")
        _ = try phone.visits.record(draft: visit)
        let issue = IssueDraft(category: .facilities, description: "三楼楼道灯不亮", place: building)
        _ = try phone.cases.report(grid: nil, draft: issue)
        for row in try phone.households.list(grid: nil) {
            print(row.door, row.contact ?? "", try word(locale: .zh, of: .syncState, code: code(row.sync)))
        }
        return door
    }

    private func send(_ phone: Doorstep) async {
        do {
            let report = try await phone.sync { if !$0.usable { print("\($0.documents) / \($0.documentsTotal)") } }
            print("同步:受理 \(report.accepted),收到 \(report.received),往返 \(report.roundTrips)")
        } catch let DoorstepError.Network(_, sentence) {
            print("\(sentence)没有丢失:\((try? phone.waiting().count) ?? 0) 条待发送")
        } catch {
            print("没有同步:\(error)")
        }
    }

    /// Both write the same field without hearing of each other: both values are kept, with who wrote them.
    private func disagree(_ mine: Doorstep, _ other: Doorstep, _ door: UUID) async throws {
        try mine.households.change(id: door, details: HouseholdDetails(remark: "门铃坏了,请敲门"), tags: [])
        try other.households.change(id: door, details: HouseholdDetails(remark: "下午才在家"), tags: [])
        await send(mine)
        await send(other)
        await send(mine)
        for conflict in try mine.households.get(id: door).conflicts {
            print("\(conflict.label) 有 \(conflict.values.count) 个值:")
            for value in conflict.values { print("  \(value.isShown ? "*" : " ") \(value.value)(\(value.by ?? "?"))") }
        }
    }

    /// Connected: what the other phone records is here a moment later.
    private func watch(_ mine: Doorstep, _ other: Doorstep, _ door: UUID) async throws {
        for await event in try mine.live() {
            switch event {
            case .exchanged:
                let visit = VisitDraft(subject: .household(id: door), purpose: .followUp, outcome: .notAtHome)
                _ = try other.visits.record(draft: visit)
                await send(other)
            case let .pushed(arrived):
                print("收到 \(arrived.count) 份")
                return
            case let .lost(error, _):
                print(error.sentence)
            case .connected, .stopped:
                continue
            }
        }
    }

    /// The app asks what may be done, and shows only that.
    private func follow(_ phone: Doorstep) throws {
        guard let row = try phone.cases.open(grid: nil).first else { return }
        let actions = try phone.cases.actions(id: row.id)
        print("“\(row.excerpt ?? "")”可以:" + actions.map(\.label).joined(separator: ", "))
        _ = try phone.cases.act(id: row.id, kind: .closed, text: "换了灯泡")
        for line in try phone.cases.get(id: row.id).timeline {
            print(" ", line.label, line.byName ?? "", line.text ?? "", line.acceptedAt == nil ? "(待发送)" : "")
        }
    }

    private func code(_ state: SyncState) -> String {
        switch state {
        case .local: "local"
        case .sending: "sending"
        case .accepted: "accepted"
        case .refused: "refused"
        }
    }
}
