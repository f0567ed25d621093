package cn.doorstep

import cn.doorstep.ffi.*
import cn.doorstep.sample.Morning
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Assumptions
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import java.net.ServerSocket
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.UUID
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DoorstepTest {
    private lateinit var server: TestServer

    @BeforeAll fun start() { server = TestServer() }
    @AfterAll fun stop() { server.close() }

    private val none = emptyList<TagChange>()

    private suspend fun enrolled(grid: Int = 17, folder: Path = server.phoneFolder(), keys: KeyProvider? = null): Doorstep {
        val phone = Doorstep.open(folder, keys = keys)
        phone.enrol(server.url, server.code(grid), "kotlin")
        phone.sync()
        return phone
    }

    private fun Doorstep.door(name: String): UUID = households.add(null, HouseholdDetails(door = name, contact = "张秀兰"), none)

    private fun Doorstep.visit(door: UUID, findings: String = ""): UUID =
        visits.record(VisitDraft(VisitSubject.Household(door), Purpose.Routine, Outcome.Met, findings))

    @Test fun `what is recorded offline survives a restart and arrives`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(folder = folder).use { phone ->
            val door = phone.door("1单元101")
            phone.visit(door, "身体还好")
            assertEquals(SyncState.Local, phone.households.list(null).single { it.id == door }.sync)
            assertEquals(2u, phone.status.first { it.pending == 2u }.pending)
        }
        Doorstep.open(folder).use { phone ->
            assertEquals(2, phone.waiting().size)
            assertEquals(2u, phone.status.value.pending)
            assertNotEquals(Phase.IDLE, phone.status.value.phase)
            val report = phone.sync()
            assertEquals(2u, report.accepted)
            val row = phone.households.list(null).single { it.door == "1单元101" }
            assertEquals(SyncState.Accepted, row.sync)
            assertEquals(1u, row.lastVisit.count)
            assertEquals(1, phone.search("zhangxiulan").count { it.id == row.id })
            assertNotNull(phone.status.first { it.pending == 0u && it.lastSuccess != null }.lastSuccess)
        }
    }

    @Test fun `a conflict shows both values and who wrote them`() = runBlocking<Unit> {
        enrolled().use { mine ->
            val door = mine.door("2单元201")
            mine.sync()
            enrolled().use { other ->
                mine.households.change(door, HouseholdDetails(remark = "门铃坏了"), none)
                other.households.change(door, HouseholdDetails(remark = "下午在家"), none)
                mine.sync(); other.sync(); mine.sync()
                val conflict = mine.households.get(door).conflicts.single()
                assertEquals("remark", conflict.field)
                assertEquals(setOf("门铃坏了", "下午在家"), conflict.values.map { it.value }.toSet())
                assertTrue(conflict.values.all { it.by == server.worker(17) })
                assertTrue(conflict.values.last().isShown)
                assertTrue(mine.households.list(null).single { it.id == door }.conflicted)
            }
        }
    }

    @Test fun `a refusal is heard and stays until it is discarded`() = runBlocking<Unit> {
        enrolled(grid = 3).use { phone ->
            val door = phone.door("3单元301")
            phone.sync()
            val heard = async(start = CoroutineStart.UNDISPATCHED) { phone.refusals.first() }
            phone.visit(door, "门开着")
            server.admin("grid", "reassign", "第3网格", "--to", server.worker(4))
            assertEquals(1u, phone.sync().refused)
            val refused = heard.await()
            assertEquals("sync.grant_ended", refused.code)
            assertTrue(refused.reason.contains("权限"))
            assertEquals(1u, phone.status.first { it.refused == 1u }.refused)
            phone.quarantine.discard(refused.group)
            assertTrue(phone.quarantine.refused().isEmpty())
        }
    }

    @Test fun `a hanging sync is cancelled at once and nothing is lost by it`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(folder = folder).use { it.visit(it.door("4单元401")) }
        val asked = CompletableDeferred<Unit>()
        val replies = mutableListOf<Reply>() // kept, so that nothing answers
        val hanging = object : Transport {
            override fun post(request: PostRequest, reply: Reply) { replies.add(reply); asked.complete(Unit) }
        }
        Doorstep.open(folder, transport = hanging).use { phone ->
            val job = launch(Dispatchers.Default) { phone.sync() }
            asked.await()
            val began = System.nanoTime()
            job.cancelAndJoin()
            val took = (System.nanoTime() - began) / 1_000_000.0
            println("measured: cancel of a hanging sync ${"%.1f".format(took)} ms")
            assertEquals(2, phone.waiting().size)
        }
        replies.forEach { it.close() }
        Doorstep.open(folder).use { assertEquals(2u, it.sync().accepted) }
    }

    @Test fun `an app's own client carries everything`() = runBlocking<Unit> {
        val client = java.net.http.HttpClient.newHttpClient()
        val own = object : Transport {
            override fun post(request: PostRequest, reply: Reply) {
                val posted = java.net.http.HttpRequest.newBuilder(java.net.URI(request.url)).header("content-type", request.contentType)
                    .POST(java.net.http.HttpRequest.BodyPublishers.ofByteArray(request.body)).build()
                client.sendAsync(posted, java.net.http.HttpResponse.BodyHandlers.ofByteArray()).whenComplete { answer, failed ->
                    reply.use {
                        if (failed != null) it.failed(TransportFault.UNREACHABLE)
                        else it.answered(
                            PostAnswer(
                                answer.statusCode().toUShort(), answer.headers().firstValue("content-type").orElse(""),
                                answer.headers().firstValue("doorstep-code").orElse(null), answer.body(),
                            ),
                        )
                    }
                }
            }
        }
        Doorstep.open(server.phoneFolder(), transport = own).use { phone ->
            phone.enrol(server.url, server.code(), "own client")
            phone.door("5单元501")
            assertEquals(1u, phone.sync().accepted)
        }
    }

    @Test fun `a budget ends a round without a server`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(folder = folder).use { it.door("6单元601") }
        val silent = ServerSocket(0) // takes connections and says nothing
        val dead = object : Transport {
            override fun post(request: PostRequest, reply: Reply) = reply.use { it.failed(TransportFault.UNREACHABLE) }
        }
        Doorstep.open(folder, transport = dead).use { phone ->
            assertThrows(DoorstepException::class.java) { runBlocking { phone.syncOnce(Duration.ofMillis(50)) } }
            val status = phone.status.first { it.lastError != null }
            assertEquals("sync.unreachable", status.lastError?.code)
            assertTrue(status.lastError!!.retryable)
            assertEquals(Phase.BACKING_OFF, status.phase)
            assertNotNull(status.nextAttempt)
        }
        silent.close()
    }

    @Test fun `what listeners throw does not harm the engine`() = runBlocking<Unit> {
        enrolled().use { phone ->
            val app = phone.generated()
            val called = CountDownLatch(2)
            app.onChanges(object : ChangeListener {
                override fun onChange(change: Change) { called.countDown(); throw IllegalStateException("a bug of the app") }
            }).use {
                val door = phone.door("7单元701")
                phone.visit(door)
                phone.sync()
                assertTrue(called.await(30, TimeUnit.SECONDS))
            }
            assertTrue(phone.diagnostics().contains("change listener"))
            phone.door("7单元702")
            assertEquals(1u, phone.sync().accepted)
        }
    }

    @Test fun `live brings what others record and takes what is recorded`() = runBlocking<Unit> {
        enrolled(8).use { mine ->
            enrolled(8).use { other ->
                val connected = CompletableDeferred<Unit>()
                val events = mine.live().onEach { if (it is LiveEvent.Exchanged) connected.complete(Unit) }
                val pushed = async { events.filterIsInstance<LiveEvent.Pushed>().first() }
                connected.await()
                val door = other.door("8单元801")
                other.sync()
                assertEquals(listOf(door), pushed.await().arrived.map { it.id })
                assertEquals("8单元801", mine.households.get(door).details.door)
            }
        }
    }

    @Test fun `actions are what the rules allow`() = runBlocking<Unit> {
        enrolled(9).use { phone ->
            val case = phone.cases.report(null, IssueDraft(Category.Noise, "夜里施工"))
            assertEquals(listOf(EventKind.Noted, EventKind.Returned, EventKind.Closed), phone.cases.actions(case).map { it.kind })
            phone.cases.act(case, EventKind.Closed, null)
            assertThrows(DoorstepException.Superseded::class.java) { phone.cases.act(case, EventKind.Returned, null) }
            assertEquals(CaseState.Closed, phone.cases.get(case).state)
        }
    }

    @Test fun `errors are typed and carry code and sentence`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        Doorstep.open(folder).use { phone ->
            assertThrows(DoorstepException.NotEnrolled::class.java) { phone.door("1") }
            val rejected = assertThrows(DoorstepException.Rejected::class.java) { runBlocking { phone.enrol(server.url, "AAAA-AAAA", "x") } }
            assertEquals("hub.enrolment_code", rejected.stableCode)
            phone.enrol(server.url, server.code(10), "kotlin")
            phone.sync()
            val invalid = assertThrows(DoorstepException.Invalid::class.java) { phone.households.add(null, HouseholdDetails(), none) }
            assertEquals("field.invalid", invalid.stableCode)
            assertTrue(invalid.text.contains("门牌"), invalid.text)
            assertThrows(DoorstepException.NotFound::class.java) { phone.visit(UUID.randomUUID()) }
            val inUse = assertThrows(DoorstepException::class.java) { runBlocking { Doorstep.open(folder) } }
            assertTrue(inUse is DoorstepException.StoreInUse, inUse.toString())
        }
    }

    @Test fun `use after close is an error and no crash`() = runBlocking<Unit> {
        val phone = enrolled(10)
        val app = phone.generated()
        val households = phone.households
        val status = phone.status
        phone.close()
        assertThrows(IllegalStateException::class.java) { households.list(null) }
        assertThrows(IllegalStateException::class.java) { app.identity() }
        assertNotNull(status.value)
        phone.close() // twice is nothing
    }

    @Test fun `a store opens with its own key only`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        val key = ByteArray(32) { it.toByte() }
        val keys = object : KeyProvider { override fun storeKey() = key }
        val others = object : KeyProvider { override fun storeKey() = ByteArray(32) }
        val locked = object : KeyProvider { override fun storeKey(): ByteArray = throw ForeignException.Failed("locked") }
        enrolled(11, folder, keys).use { it.door("保密301") }
        assertThrows(DoorstepException.WrongKey::class.java) { runBlocking { Doorstep.open(folder, keys = others) } }
        assertThrows(DoorstepException.WrongKey::class.java) { runBlocking { Doorstep.open(folder) } }
        assertThrows(DoorstepException.KeyUnavailable::class.java) { runBlocking { Doorstep.open(folder, keys = locked) } }
        val bytes = Files.walk(folder).filter(Files::isRegularFile).map { String(Files.readAllBytes(it), Charsets.UTF_8) }
        assertFalse(bytes.anyMatch { it.contains("保密301") })
        Doorstep.open(folder, keys = keys).use { assertEquals(1, it.households.list(null).count { row -> row.door == "保密301" }) }
    }

    @Test fun `a damaged store is an error and keeps its folder`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        Files.createDirectories(folder)
        enrolled(12, folder).use { phone -> repeat(5) { phone.door("楼$it") } }
        Files.walk(folder).filter(Files::isRegularFile).forEach { file ->
            val bytes = Files.readAllBytes(file)
            Files.write(file, ByteArray(bytes.size) { 0x5a })
        }
        val failed = assertThrows(DoorstepException::class.java) { runBlocking { Doorstep.open(folder).use { it.households.list(null) } } }
        assertTrue(failed is DoorstepException.StoreDamaged || failed is DoorstepException.StoreFailed, failed.toString())
        assertTrue(Files.exists(folder))
    }

    @Test fun `a full disk is an error, and what is there can be read`() = runBlocking<Unit> {
        val folder = Files.createTempDirectory("doorstep-tmpfs")
        val size = 24
        val mounted = ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=${size}m", "none", folder.toString()).redirectErrorStream(true).start()
        Assumptions.assumeTrue(mounted.waitFor() == 0 || System.getenv("CI") != null, "no root to mount a small file system")
        try {
            enrolled(13, folder.resolve("phone")).use { phone ->
                val door = phone.door("满盘301")
                val ballast = folder.resolve("ballast").toFile()
                ballast.outputStream().use { out ->
                    try { while (true) out.write(ByteArray(64 * 1024)) } catch (_: java.io.IOException) { }
                }
                val full = assertThrows(DoorstepException::class.java) { repeat(20_000) { phone.visit(door, "满".repeat(1_000)) } }
                assertTrue(full is DoorstepException.DiskFull, full.toString())
                assertEquals("满盘301", phone.households.get(door).details.door)
                ballast.delete()
            }
        } finally {
            ProcessBuilder("umount", folder.toString()).start().waitFor()
            folder.toFile().deleteRecursively()
        }
    }

    @Test fun `ten thousand objects leave no growth`() = runBlocking<Unit> {
        enrolled(14).use { phone ->
            val app = phone.generated()
            fun round(times: Int) = repeat(times) { app.households().use { it.list(null) }; app.onChanges(object : ChangeListener {
                override fun onChange(change: Change) {}
            }).use { it.cancel() } }
            fun resident(): Long { System.gc(); return Files.readString(Path.of("/proc/self/statm")).split(' ')[1].toLong() * 4096 }
            round(10_000)
            val before = resident()
            round(10_000)
            val growth = resident() - before
            println("measured: growth after 20,000 objects ${growth / 1024} kB")
            assertTrue(growth < 16 * 1024 * 1024, "$growth bytes")
        }
    }

    @Test fun `eight threads at once`() = runBlocking<Unit> {
        enrolled(15).use { phone ->
            val doors = (0 until 8).map { phone.door("并发$it") }
            val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(System.getProperty("doorstep.seconds")?.toLong() ?: 10)
            val recorded = AtomicInteger()
            val threads = doors.map { door -> thread {
                while (System.nanoTime() < end) {
                    phone.visit(door)
                    recorded.incrementAndGet()
                    phone.households.list(null)
                    phone.status.value
                    if (recorded.get() % 50 == 0) runBlocking { try { phone.sync() } catch (_: DoorstepException) { } }
                }
            } }
            threads.forEach { it.join() }
            while (phone.waiting().isNotEmpty()) phone.sync()
            assertEquals(recorded.get(), doors.sumOf { phone.visits.list(VisitSubject.Household(it)).size })
            println("measured: ${recorded.get()} visits recorded by 8 threads in 10 s")
        }
    }

    @Test fun `words come from the one catalogue in both languages`() {
        assertEquals("无人在家", word(Locale.ZH, Words.OUTCOME, outcomeCode(Outcome.NotAtHome)))
        assertEquals("not at home", word(Locale.EN, Words.OUTCOME, "not-at-home"))
        assertEquals(4, choices(Locale.ZH, Words.OUTCOME).size)
    }

    @Test fun `a push message is a hint`() = runBlocking<Unit> {
        enrolled(16).use { phone ->
            assertNull(phone.handlePush("{}"))
            phone.door("推送301")
            assertEquals(1u, phone.handlePush("""{"doorstep":1}""")?.accepted)
        }
    }

    @Test fun `the sample runs`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        Morning(server.url, folder, listOf(server.code(17), server.code(17))).run()
    }

    @Test fun `figures for the README`() = runBlocking<Unit> {
        Assumptions.assumeTrue(System.getenv("DOORSTEP_BENCH") != null, "measured with DOORSTEP_BENCH=1 only")
        enrolled(18).use { phone ->
            repeat(500) { phone.cases.report(null, IssueDraft(Category.Facilities, "楼道灯不亮 $it")) }
            repeat(200) { phone.cases.list(null) }
            fun median(times: Int, ask: () -> Unit): Double = (0 until times).map { val t = System.nanoTime(); ask(); (System.nanoTime() - t) / 1e6 }.sorted()[times / 2]
            println("measured: list of 500 cases ${"%.2f".format(median(101) { phone.cases.list(null) })} ms")
            val app = phone.generated()
            repeat(20_000) { app.isWiped() }
            val t = System.nanoTime(); repeat(100_000) { app.isWiped() }
            println("measured: a call ${"%.2f".format((System.nanoTime() - t) / 1e3 / 100_000)} us")
            val latencies = mutableListOf<Double>()
            val door = phone.door("延迟301")
            repeat(21) {
                val heard = CompletableDeferred<Long>()
                app.onChanges(object : ChangeListener { override fun onChange(change: Change) { if (change.records.any { it.id == door }) heard.complete(System.nanoTime()) } }).use {
                    delay(150)
                    val began = System.nanoTime(); phone.visit(door)
                    latencies += (heard.await() - began) / 1e6
                }
            }
            println("measured: record to listener ${"%.2f".format(latencies.sorted()[10])} ms")
        }
    }
}
