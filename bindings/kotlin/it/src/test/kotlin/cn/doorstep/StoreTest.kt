package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Assumptions
import org.junit.jupiter.api.Test
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.util.UUID
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.io.path.deleteIfExists
import kotlin.io.path.outputStream

/** What goes wrong, and that an app can tell one from the other. */
class StoreTest {
    private inline fun <reified T : DoorstepException> fails(crossinline ask: suspend () -> Unit): T {
        val failed = assertThrows(T::class.java) { runBlocking { ask() } }
        assertTrue(Regex("[a-z]+[.][a-z_]+").matches(failed.stableCode), failed.stableCode)
        assertTrue(failed.text.isNotBlank())
        return failed
    }

    @Test fun `errors are typed and carry code and sentence`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        Doorstep.open(folder).use { phone ->
            fails<DoorstepException.NotEnrolled> { phone.door("1") }
            fails<DoorstepException.NotEnrolled> { phone.sync() }
            val rejected = fails<DoorstepException.Rejected> { phone.enrol(server.url, "AAAA-AAAA", "x") }
            assertEquals("hub.enrolment_code", rejected.stableCode)
            phone.enrol(server.url, server.code(10), "kotlin")
            phone.sync()
            fails<DoorstepException.AlreadyEnrolled> { phone.enrol(server.url, server.code(11), "kotlin") }
            val invalid = fails<DoorstepException.Invalid> { phone.households.add(null, HouseholdDetails(), noTags) }
            assertEquals("field.invalid", invalid.stableCode)
            assertTrue(invalid.text.contains("门牌"), invalid.text)
            fails<DoorstepException.NotFound> { phone.visit(UUID.randomUUID()) }
            fails<DoorstepException.StoreInUse> { Doorstep.open(folder).close() }
        }
        Doorstep.open(folder, locale = Locale.EN).use { phone ->
            val invalid = fails<DoorstepException.Invalid> { phone.households.add(null, HouseholdDetails(), noTags) }
            assertTrue(invalid.text.contains("door"), invalid.text)
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
        assertThrows(IllegalStateException::class.java) { runBlocking { phone.sync() } }
        assertNotNull(status.value)
        phone.close() // twice is nothing
    }

    @Test fun `an opening that is cancelled leaves nothing open`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        repeat(50) { number ->
            val opening = launch(Dispatchers.Default) { Doorstep.open(folder).close() }
            delay(number % 10L)
            opening.cancelAndJoin()
        }
        Doorstep.open(folder).close()
    }

    @Test fun `closing right after the first look at the status ends no process`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        val uncaught = ConcurrentLinkedQueue<Throwable>()
        val before = Thread.getDefaultUncaughtExceptionHandler()
        Thread.setDefaultUncaughtExceptionHandler { _, thrown -> uncaught += thrown }
        try {
            repeat(50) { Doorstep.open(folder).use { phone -> phone.status } }
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before)
        }
        assertEquals(emptyList<Throwable>(), uncaught.toList())
    }

    @Test fun `who signs out leaves nothing behind`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        val phone = enrolled(10, folder)
        val door = phone.door("退出301")
        phone.signOut()
        phone.sync()
        assertTrue(phone.isWiped())
        fails<DoorstepException.Wiped> { phone.door("退出302") }
        fails<DoorstepException.Wiped> { phone.sync() }
        phone.close()
        assertFalse(Files.exists(folder))
        // What waited went out first.
        enrolled(10).use { assertEquals("退出301", it.households.get(door).details.door) }
    }

    @Test fun `a store opens with its own key only`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        val keys = object : KeyProvider { override fun storeKey() = ByteArray(32) { it.toByte() } }
        val others = object : KeyProvider { override fun storeKey() = ByteArray(32) }
        val locked = object : KeyProvider { override fun storeKey(): ByteArray = throw ForeignException.Failed("locked") }
        val buggy = object : KeyProvider { override fun storeKey(): ByteArray = error("a bug of the app") }
        enrolled(11, folder, keys).use { it.door("保密301") }
        fails<DoorstepException.WrongKey> { Doorstep.open(folder, keys = others) }
        fails<DoorstepException.WrongKey> { Doorstep.open(folder) }
        fails<DoorstepException.KeyUnavailable> { Doorstep.open(folder, keys = locked) }
        fails<DoorstepException.KeyUnavailable> { Doorstep.open(folder, keys = buggy) }
        val files = Files.walk(folder).filter(Files::isRegularFile).map { String(Files.readAllBytes(it), Charsets.UTF_8) }
        assertFalse(files.anyMatch { it.contains("保密301") })
        Doorstep.open(folder, keys = keys).use { assertEquals(1, it.households.list(null).count { row -> row.door == "保密301" }) }
    }

    @Test fun `a damaged store is an error and keeps its folder`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        enrolled(12, folder).use { phone -> repeat(5) { phone.door("楼$it") } }
        Files.walk(folder).filter(Files::isRegularFile).forEach { file -> Files.write(file, ByteArray(Files.size(file).toInt()) { 0x5a }) }
        fails<DoorstepException.StoreDamaged> { Doorstep.open(folder) }
        assertTrue(Files.exists(folder))
    }

    @Test fun `a full disk is an error, and what is there can be read`() = runBlocking<Unit> {
        val disk = Files.createTempDirectory("doorstep-tmpfs")
        val isMounted = run("mount", "-t", "tmpfs", "-o", "size=24m", "none", disk.toString())
        if (System.getenv("CI") == null) Assumptions.assumeTrue(isMounted, "needs root to mount a small file system")
        assertTrue(isMounted)
        try {
            enrolled(13, disk.resolve("phone")).use { phone ->
                val door = phone.door("满盘301")
                val ballast = disk.resolve("ballast")
                fill(ballast)
                fails<DoorstepException.DiskFull> { repeat(20_000) { phone.visit(door, "满".repeat(1_000)) } }
                assertEquals("满盘301", phone.households.get(door).details.door)
                ballast.deleteIfExists()
            }
            // With room again everything goes on, and nothing that was confirmed is missing.
            Doorstep.open(disk.resolve("phone")).use { phone ->
                phone.sync()
                val door = phone.households.list(null).single { it.door == "满盘301" }
                assertEquals(door.lastVisit.count, phone.visits.list(VisitSubject.Household(door.id)).size.toUInt())
                phone.visit(door.id, "有空间了")
                assertEquals(1u, phone.sync().accepted)
            }
        } finally {
            assertTrue(run("umount", disk.toString()))
            Files.delete(disk)
        }
    }

    private fun fill(ballast: Path) = ballast.outputStream().use { out ->
        try { while (true) out.write(ByteArray(64 * 1024)) } catch (_: IOException) { }
    }

    private fun run(vararg command: String): Boolean = ProcessBuilder(*command).inheritIO().start().waitFor() == 0
}
