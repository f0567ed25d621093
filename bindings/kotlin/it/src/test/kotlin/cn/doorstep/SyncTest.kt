package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.*
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.*
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Test
import java.time.Duration
import java.util.UUID
import kotlin.system.measureNanoTime

/** Offline, syncing, cancelling, staying connected. */
class SyncTest {
    @Test fun `what a killed process recorded offline arrives`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(17, folder).close()
        val java = ProcessHandle.current().info().command().get()
        val process = ProcessBuilder(java, "-cp", System.getProperty("java.class.path"), "cn.doorstep.RecorderKt", folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val door = UUID.fromString(process.inputStream.bufferedReader().readText().trim())
        assertEquals(9, process.waitFor())

        Doorstep.open(folder).use { phone ->
            assertEquals(SyncState.Local, phone.households.list(null).single { it.id == door }.sync)
            assertEquals(2, phone.waiting().size)
            assertEquals(2u, phone.status.value.pending)
            assertNotEquals(Phase.IDLE, phone.status.value.phase)
            assertEquals(phone.waiting().minOf { it.recordedAt }, phone.status.value.oldestPending)
            assertEquals(2u, phone.sync().accepted)
            val row = phone.households.list(null).single { it.id == door }
            assertEquals(SyncState.Accepted, row.sync)
            assertEquals(1u, row.lastVisit.count)
            assertEquals(1, phone.search("zhangxiulan").count { it.id == door })
            assertNotNull(phone.status.first { it.pending == 0u && it.lastSuccess != null }.lastSuccess)
        }
    }

    @Test fun `a conflict shows both values and who wrote them`() = runBlocking<Unit> {
        enrolled(16).use { mine ->
            val door = mine.door("2单元201")
            mine.sync()
            enrolled(16).use { other ->
                mine.households.change(door, HouseholdDetails(remark = "门铃坏了"), noTags)
                other.households.change(door, HouseholdDetails(remark = "下午在家"), noTags)
                mine.sync(); other.sync(); mine.sync()
                val conflict = mine.households.get(door).conflicts.single()
                assertEquals("remark", conflict.field)
                assertEquals("备注", conflict.label)
                assertEquals(setOf("门铃坏了", "下午在家"), conflict.values.map { it.value }.toSet())
                assertTrue(conflict.values.all { it.by == server.worker(16) })
                assertTrue(conflict.values.last().isShown)
                assertTrue(mine.households.list(null).single { it.id == door }.conflicted)
                // Writing the field again settles it.
                mine.households.change(door, HouseholdDetails(remark = "请敲门"), noTags)
                assertTrue(mine.households.get(door).conflicts.isEmpty())
            }
        }
    }

    @Test fun `a hanging sync is cancelled at once and nothing is lost by it`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(5, folder).use { it.visit(it.door("4单元401")) }
        // Five times and the middle one: a machine that is busy for a moment is not what is asked about.
        val took = (1..5).map {
            Silence().use { silence ->
                Doorstep.open(folder, transport = silence).use { phone ->
                    val round = launch(Dispatchers.Default) { phone.sync() }
                    silence.asked.await()
                    val syncer = phone.generated().sync()
                    assertEquals(Phase.SYNCING, syncer.status().phase)
                    val nanos = measureNanoTime {
                        round.cancelAndJoin()
                        while (syncer.status().phase == Phase.SYNCING) delay(1) // the round itself ends, not only the waiting for it
                    }
                    syncer.close()
                    assertTrue(round.isCancelled)
                    assertEquals(2, phone.waiting().size)
                    nanos / 1_000_000.0
                }
            }
        }
        println("measured: cancelling a hanging sync took ${took.joinToString { "%.1f".format(it) }} ms")
        assertTrue(took.sorted()[2] < 100, "$took")
        assertTrue(took.max() < 10_000, "one went on until the network gave up: $took")
        Doorstep.open(folder).use { assertEquals(2u, it.sync().accepted) }
    }

    @Test fun `a sync that is cancelled as it begins does not go on`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(5, folder).use { it.door("4单元402") }
        Silence().use { silence ->
            Doorstep.open(folder, transport = silence).use { phone ->
                phone.generated().sync().use { syncer ->
                    repeat(200) { number ->
                        val round = launch(Dispatchers.Default) { phone.sync() }
                        // At another moment of its beginning each time.
                        val cancelAt = System.nanoTime() + number * 5_000L
                        while (System.nanoTime() < cancelAt) Thread.onSpinWait()
                        round.cancelAndJoin()
                        withTimeout(10_000) { while (syncer.status().phase == Phase.SYNCING) delay(1) }
                    }
                }
            }
        }
    }

    @Test fun `closing ends a hanging sync and every flow`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(5, folder).close()
        Silence().use { silence ->
            val phone = Doorstep.open(folder, transport = silence)
            val round = async(Dispatchers.Default) { runCatching { phone.sync() } }
            val flows = listOf(phone.changes, phone.refusals).map { flow -> launch { flow.collect { } } }
            silence.asked.await()
            repeat(5) { yield() } // they listen now: both run on this thread
            phone.close()
            assertInstanceOf(DoorstepException.Cancelled::class.java, round.await().exceptionOrNull())
            flows.joinAll()
        }
    }

    @Test fun `the platform's own client carries everything`() = runBlocking<Unit> {
        enrolled(6, transport = HttpsTransport()).use { phone ->
            phone.door("5单元501")
            assertEquals(1u, phone.sync().accepted)
        }
    }

    @Test fun `a budget ends a round, and the status says what comes next`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(6, folder).use { it.door("6单元601") }
        Silence().use { silence ->
            Doorstep.open(folder, transport = silence).use { phone ->
                val failed = runCatching { phone.syncOnce(Duration.ofMillis(200)) }.exceptionOrNull()
                assertInstanceOf(DoorstepException.Cancelled::class.java, failed)
                assertEquals(1, phone.waiting().size)
            }
        }
        Doorstep.open(folder, transport = Unreachable).use { phone ->
            assertInstanceOf(DoorstepException::class.java, runCatching { phone.syncOnce(Duration.ofMillis(50)) }.exceptionOrNull())
            val status = phone.status.first { it.lastError != null }
            assertEquals("sync.unreachable", status.lastError?.code)
            assertTrue(status.lastError!!.retryable)
            assertEquals(Phase.BACKING_OFF, status.phase)
            assertNotNull(status.nextAttempt)
        }
    }

    @Test fun `live brings what others record`() = runBlocking<Unit> {
        enrolled(8).use { mine ->
            enrolled(8).use { other ->
                val connected = CompletableDeferred<Unit>()
                val events = mine.live().onEach { if (it is LiveEvent.Exchanged) connected.complete(Unit) }
                val pushed = async(Dispatchers.Default) { events.filterIsInstance<LiveEvent.Pushed>().first() }
                connected.await()
                val door = other.door("8单元801")
                other.sync()
                assertEquals(listOf(door), pushed.await().arrived.map { it.id })
                assertEquals("8单元801", mine.households.get(door).details.door)
            }
        }
    }

    @Test fun `a live connection steps aside for a round`() = runBlocking<Unit> {
        enrolled(8).use { phone ->
            val exchanges = Channel<LiveEvent.Exchanged>(Channel.UNLIMITED)
            val live = launch(Dispatchers.Default) { phone.live().collect { if (it is LiveEvent.Exchanged) exchanges.send(it) } }
            exchanges.receive()
            repeat(3) { phone.sync() }
            exchanges.receive() // connected again
            phone.close()
            live.join() // ends with it
        }
    }

    @Test fun `a push message is a hint`() = runBlocking<Unit> {
        enrolled(18).use { phone ->
            assertNull(phone.handlePush("{}"))
            phone.door("推送301")
            assertEquals(1u, phone.handlePush("""{"doorstep":1}""")?.accepted)
        }
    }
}
