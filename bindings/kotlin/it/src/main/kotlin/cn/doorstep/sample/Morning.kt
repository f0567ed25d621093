/** A morning in grid 17: enrol, work offline, see a conflict, sync, watch live. A phone in the terminal, on the package that apps use. */
package cn.doorstep.sample

import cn.doorstep.Doorstep
import cn.doorstep.ffi.*
import cn.doorstep.text
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*
import java.nio.file.Path
import kotlin.system.exitProcess

private fun say(line: String) = println(line)

/** Two phones of the same grid; `codes` are one-time codes of its worker, as `doorstep admin code` prints them. */
class Morning(private val server: String, private val folder: Path, private val codes: List<String>) {
    suspend fun run() {
        Doorstep.open(folder.resolve("phone-a")).use { mine ->
            enrol(mine, codes[0])
            val door = record(mine)
            send(mine)
            Doorstep.open(folder.resolve("phone-b")).use { other ->
                enrol(other, codes[1])
                send(other)
                disagree(mine, other, door)
                watch(mine, other, door)
            }
            follow(mine)
            say("状态 " + mine.status.value.let { "${it.phase}: ${it.pending} 条待发送, ${it.refused} 条被退回" })
        }
    }

    private suspend fun enrol(phone: Doorstep, code: String) {
        val known = phone.identity()
        val identity = known ?: phone.enrol(server, code, "terminal")
        if (known == null) phone.sync()
        val grids = phone.grids().filter { it.isMine }.joinToString { it.name }
        say("您好,${identity.name}。网格:$grids")
    }

    /** No signal needed: each of these is on the disk when it returns. */
    private suspend fun record(phone: Doorstep): java.util.UUID = withContext(Dispatchers.IO) {
        val building = phone.places.add(null, PlaceDetails(kind = PlaceKind.Building, name = "3栋", address = "窑湾路44号"), emptyList())
        val door = phone.households.add(
            null,
            HouseholdDetails(place = building, door = "1单元301", contact = "张秀兰", phone = "13800000001"),
            listOf(TagChange("独居", true)),
        )
        phone.visits.record(VisitDraft(VisitSubject.Household(door), Purpose.Care, Outcome.Met, "身体还好,药够吃两周"))
        phone.cases.report(null, IssueDraft(Category.Facilities, "三楼楼道灯不亮", place = building))
        for (row in phone.households.list(null)) say("${row.door} ${row.contact} ${word(Locale.ZH, Words.SYNC_STATE, code(row.sync))}")
        door
    }

    private suspend fun send(phone: Doorstep) {
        try {
            val report = phone.sync { status -> if (!status.usable) say("${status.documents} / ${status.documentsTotal}") }
            say("同步:受理 ${report.accepted},收到 ${report.received},往返 ${report.roundTrips}")
        } catch (away: DoorstepException.Network) {
            say("${away.text}没有丢失:${phone.waiting().size} 条待发送")
        }
    }

    /** Both write the same field without hearing of each other: both values are kept, with who wrote them. */
    private suspend fun disagree(mine: Doorstep, other: Doorstep, door: java.util.UUID) {
        withContext(Dispatchers.IO) {
            mine.households.change(door, HouseholdDetails(remark = "门铃坏了,请敲门"), emptyList())
            other.households.change(door, HouseholdDetails(remark = "下午才在家"), emptyList())
        }
        send(mine)
        send(other)
        send(mine)
        for (conflict in withContext(Dispatchers.IO) { mine.households.get(door) }.conflicts) {
            say("${conflict.label} 有 ${conflict.values.size} 个值:")
            for (value in conflict.values) say("  ${if (value.isShown) "*" else " "} ${value.value}(${value.by})")
        }
    }

    /** Connected: what the other phone records is here a moment later. */
    private suspend fun watch(mine: Doorstep, other: Doorstep, door: java.util.UUID) = coroutineScope {
        val connected = CompletableDeferred<Unit>()
        val arrived = async {
            mine.live().onEach { if (it is LiveEvent.Exchanged) connected.complete(Unit) }.filterIsInstance<LiveEvent.Pushed>().first()
        }
        connected.await()
        withContext(Dispatchers.IO) {
            other.visits.record(VisitDraft(VisitSubject.Household(door), Purpose.FollowUp, Outcome.NotAtHome))
        }
        send(other)
        say("收到 " + arrived.await().arrived.joinToString { word(Locale.ZH, Words.RECORD, it.kind.name.lowercase()) })
    }

    /** The app asks what may be done, and shows only that. */
    private suspend fun follow(phone: Doorstep) = withContext(Dispatchers.IO) {
        val case = phone.cases.open(null).first()
        val actions = phone.cases.actions(case.id)
        say("“${case.excerpt}”可以:" + actions.joinToString { it.label })
        phone.cases.act(case.id, actions.first { it.kind == EventKind.Closed }.kind, "换了灯泡")
        for (line in phone.cases.get(case.id).timeline) {
            say("  ${line.label} ${line.byName ?: ""} ${line.text ?: ""}${if (line.acceptedAt == null) "(待发送)" else ""}")
        }
    }

    private fun code(state: SyncState): String = when (state) {
        SyncState.Local -> "local"
        SyncState.Sending -> "sending"
        SyncState.Accepted -> "accepted"
        is SyncState.Refused -> "refused"
    }
}

fun main(arguments: Array<String>) {
    if (arguments.size != 4) {
        System.err.println("usage: morning SERVER FOLDER CODE CODE")
        exitProcess(2)
    }
    runBlocking { Morning(arguments[0], Path.of(arguments[1]), arguments.drop(2)).run() }
}
