/**
 * What the border costs, printed: a call, a list of 500 cases, each of them read whole, how long after a record a listener hears of it, and how long
 * a hanging sync goes on after it was cancelled. `bindings/measure` runs it.
 */
package cn.doorstep.sample

import cn.doorstep.Doorstep
import cn.doorstep.HttpsTransport
import cn.doorstep.ffi.*
import kotlinx.coroutines.*
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CompletableFuture

private inline fun millis(ask: () -> Unit): Double {
    val began = System.nanoTime()
    ask()
    return (System.nanoTime() - began) / 1e6
}

private inline fun median(times: Int, ask: () -> Double): Double = List(times) { ask() }.sorted()[times / 2]

private fun say(what: String, figure: Double, unit: String) = println("Kotlin: $what ${"%.2f".format(figure)} $unit")

private fun measure(phone: Doorstep) {
    val app = phone.generated()
    repeat(50_000) { app.isWiped() }
    say("a call", millis { repeat(100_000) { app.isWiped() } } / 100, "us")

    val cases = List(500) { phone.cases.report(null, IssueDraft(Category.Facilities, "楼道灯不亮 $it")) }
    repeat(200) { check(phone.cases.list(null).size == 500) }
    say("a list of 500 cases", median(101) { millis { phone.cases.list(null) } }, "ms")
    // More than the engine keeps loaded: each is read from the store.
    say("a case read whole", median(5) { millis { cases.forEach { phone.cases.get(it) } } } / cases.size, "ms")

    val latency = median(21) {
        Thread.sleep(150) // bursts are told together: each record here is one of its own
        val heard = CompletableFuture<Unit>()
        val listener = object : ChangeListener {
            override fun onChange(change: Change) { if (change.records.isNotEmpty()) heard.complete(Unit) }
        }
        app.onChanges(listener).use {
            millis {
                phone.cases.report(null, IssueDraft(Category.Noise, "夜里施工"))
                heard.get()
            }
        }
    }
    say("from a record to its listener, the commit with it,", latency, "ms")
}

/** A network that takes everything and never answers. */
private class Silence : Transport {
    var asked = CompletableDeferred<Unit>()
    private val replies = mutableListOf<Reply>() // kept: a reply that is released counts as unreachable

    override fun post(request: PostRequest, reply: Reply) {
        synchronized(replies) { replies.add(reply) }
        asked.complete(Unit)
    }
}

private suspend fun measureCancelling(folder: Path) {
    val silence = Silence()
    Doorstep.open(folder, transport = silence).use { phone ->
        val took = median(21) {
            silence.asked = CompletableDeferred()
            val round = CoroutineScope(Dispatchers.Default).launch { phone.sync() }
            silence.asked.await()
            millis { round.cancelAndJoin() }
        }
        say("a hanging sync cancelled after", took, "ms")
    }
}

fun main(arguments: Array<String>) = runBlocking<Unit> {
    val folder = Files.createTempDirectory("doorstep-measure")
    val phoneFolder = folder.resolve("phone")
    Doorstep.open(phoneFolder, transport = HttpsTransport()).use { phone ->
        phone.enrol(arguments[0], arguments[1], "measure")
        phone.sync()
        measure(phone)
        phone.sync()
    }
    measureCancelling(phoneFolder)
    folder.toFile().deleteRecursively()
}
