/** What the border costs, printed: a call, a list of 500 cases, and how long after a record a listener hears of it. `bindings/measure` runs it. */
package cn.doorstep.sample

import cn.doorstep.Doorstep
import cn.doorstep.ffi.*
import kotlinx.coroutines.runBlocking
import java.nio.file.Files
import java.util.concurrent.CompletableFuture

private fun millis(ask: () -> Unit): Double {
    val began = System.nanoTime()
    ask()
    return (System.nanoTime() - began) / 1e6
}

private fun median(times: Int, ask: () -> Double): Double = List(times) { ask() }.sorted()[times / 2]

private fun measure(phone: Doorstep) {
    val app = phone.generated()
    repeat(50_000) { app.isWiped() }
    println("Kotlin: a call ${"%.2f".format(millis { repeat(100_000) { app.isWiped() } } / 100)} us")

    repeat(500) { phone.cases.report(null, IssueDraft(Category.Facilities, "楼道灯不亮 $it")) }
    repeat(200) { check(phone.cases.list(null).size == 500) }
    println("Kotlin: a list of 500 cases ${"%.1f".format(median(101) { millis { phone.cases.list(null) } })} ms")

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
    println("Kotlin: from a record to its listener, the commit with it, ${"%.1f".format(latency)} ms")
}

fun main(arguments: Array<String>) = runBlocking {
    val folder = Files.createTempDirectory("doorstep-measure")
    Doorstep.open(folder.resolve("phone")).use { phone ->
        phone.enrol(arguments[0], arguments[1], "measure")
        phone.sync()
        measure(phone)
    }
    folder.toFile().deleteRecursively()
    Unit
}
