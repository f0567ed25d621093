/** From nothing to a first synced visit: what `bindings/README.md` quotes. */
package cn.doorstep.sample

import cn.doorstep.Doorstep
import cn.doorstep.ffi.*

suspend fun firstVisit(folder: java.nio.file.Path, server: String, code: String) {
    Doorstep.open(folder).use { phone ->                     // an app passes its KeyProvider: without one the store is in clear
        if (phone.identity() == null) {
            phone.enrol(server, code, label = "my phone")
            phone.sync()                                     // the directory, and everything of this worker's grid
        }
        // `null`: in the only grid of this worker.
        val door = phone.households.add(null, HouseholdDetails(door = "1单元301", contact = "张秀兰"), emptyList())
        phone.visits.record(VisitDraft(VisitSubject.Household(door), Purpose.Routine, Outcome.Met, "身体还好"))
        // On the disk now. With or without a network, it goes out with the next sync.
        try {
            println("accepted: ${phone.sync().accepted}")
        } catch (away: DoorstepException.Network) {
            println("waiting: ${phone.waiting().size}")
        }
    }
}
