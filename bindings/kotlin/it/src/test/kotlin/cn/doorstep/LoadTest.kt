package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Test
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** What many objects and many threads do: nothing. */
class LoadTest {
    @Test fun `ten thousand objects leave no growth`() = runBlocking<Unit> {
        enrolled(14).use { phone ->
            val app = phone.generated()
            val silent = listener { }
            fun round() = repeat(10_000) { app.households().use { it.list(null) }; app.onChanges(silent).use { it.cancel() } }
            // The heap has one size from the start (see the pom), so that what grows is native.
            fun resident(): Long { System.gc(); return Files.readString(Path.of("/proc/self/statm")).split(' ')[1].toLong() * 4096 }
            round()
            val before = resident()
            round()
            val growth = resident() - before
            println("measured: growth after 20,000 more objects ${growth / 1024} kB")
            assertTrue(growth < 8 * 1024 * 1024, "$growth bytes")
        }
    }

    @Test fun `eight threads for ten seconds`() = runBlocking<Unit> {
        enrolled(15).use { phone ->
            val doors = (0 until 8).map { phone.door("并发$it") }
            val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10)
            val recorded = AtomicInteger()
            val failed = ConcurrentLinkedQueue<Throwable>()
            val threads = doors.map { door -> thread {
                try {
                    while (System.nanoTime() < end) {
                        phone.visit(door)
                        val count = recorded.incrementAndGet()
                        phone.households.list(null)
                        phone.status.value
                        if (count % 50 == 0) runBlocking { phone.sync() }
                    }
                } catch (wrong: Throwable) {
                    failed += wrong
                }
            } }
            threads.forEach { it.join() }
            assertEquals(emptyList<Throwable>(), failed.toList())
            while (phone.waiting().isNotEmpty()) phone.sync()
            assertEquals(recorded.get(), doors.sumOf { phone.visits.list(VisitSubject.Household(it)).size })
            println("measured: ${recorded.get()} visits recorded by 8 threads in 10 s")
        }
    }
}
