/// What the border costs, printed: a call, a list of 500 cases, and how long after a record a listener hears of it. `bindings/measure` runs it.

import Dispatch
import Doorstep
import Foundation

final class Heard: ChangeListener {
    let heard = DispatchSemaphore(value: 0)
    func onChange(change: Change) throws { if !change.records.isEmpty { heard.signal() } }
}

func millis(_ ask: () throws -> Void) rethrows -> Double {
    let began = DispatchTime.now().uptimeNanoseconds
    try ask()
    return Double(DispatchTime.now().uptimeNanoseconds - began) / 1e6
}

func median(_ times: Int, _ ask: () throws -> Double) rethrows -> Double {
    try (0..<times).map { _ in try ask() }.sorted()[times / 2]
}

func measure(_ phone: Doorstep) throws {
    let call = try millis { for _ in 0..<100_000 { _ = try phone.generated.isWiped() } } / 100
    print("Swift: a call", String(format: "%.2f", call), "us")

    for number in 0..<500 { _ = try phone.cases.report(grid: nil, draft: IssueDraft(category: .facilities, description: "楼道灯不亮 \(number)")) }
    let list = try median(101) {
        try millis {
            let rows = try phone.cases.list(grid: nil)
            precondition(rows.count == 500)
        }
    }
    print("Swift: a list of 500 cases", String(format: "%.1f", list), "ms")

    let latency = try median(21) {
        Thread.sleep(forTimeInterval: 0.15)  // bursts are told together: each record here is one of its own
        let listener = Heard()
        let subscription = try phone.generated.onChanges(listener: listener)
        let took = try millis {
            _ = try phone.cases.report(grid: nil, draft: IssueDraft(category: .noise, description: "夜里施工"))
            listener.heard.wait()
        }
        try subscription.cancel()
        return took
    }
    print("Swift: from a record to its listener, the commit with it,", String(format: "%.1f", latency), "ms")
}

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("doorstep-measure-\(UUID())")
let phone = try await Doorstep.open(folder: folder)
_ = try await phone.enrol(server: CommandLine.arguments[1], code: CommandLine.arguments[2], label: "measure")
_ = try await phone.sync()
try measure(phone)
try await phone.close()
try FileManager.default.removeItem(at: folder)
