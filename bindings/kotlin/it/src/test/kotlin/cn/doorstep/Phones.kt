/** The one server of a test run, and phones that are enrolled with it. */
package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.CompletableDeferred
import java.nio.file.Path
import java.util.UUID

/** Started with the first test that asks, ended with the process. */
val server: TestServer by lazy { TestServer().also { Runtime.getRuntime().addShutdownHook(Thread(it::close)) } }

val noTags = emptyList<TagChange>()

/** A phone of the worker of a grid, with everything that the server has for it. */
suspend fun enrolled(
    grid: Int, folder: Path = server.phoneFolder(), keys: KeyProvider? = null, transport: Transport? = null, locale: Locale = Locale.ZH,
): Doorstep {
    val phone = Doorstep.open(folder, keys, transport, locale = locale)
    phone.enrol(server.url, server.code(grid), "kotlin")
    phone.sync()
    return phone
}

fun Doorstep.door(name: String): UUID = households.add(null, HouseholdDetails(door = name, contact = "张秀兰"), noTags)

fun Doorstep.visit(door: UUID, findings: String = ""): UUID =
    visits.record(VisitDraft(VisitSubject.Household(door), Purpose.Routine, Outcome.Met, findings))

/** A network that takes everything and never answers. */
class Silence : Transport, AutoCloseable {
    val asked = CompletableDeferred<Unit>()
    private val replies = mutableListOf<Reply>() // kept: a reply that is released counts as unreachable

    override fun post(request: PostRequest, reply: Reply) {
        synchronized(replies) { replies.add(reply) }
        asked.complete(Unit)
    }

    override fun close() = synchronized(replies) { replies.forEach { it.close() } }
}

/** A phone without a network. */
object Unreachable : Transport {
    override fun post(request: PostRequest, reply: Reply) = reply.use { it.failed(TransportFault.UNREACHABLE) }
}

/** A listener from a function. */
fun listener(heard: (Change) -> Unit) = object : ChangeListener {
    override fun onChange(change: Change) = heard(change)
}
