package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Test
import java.time.Duration
import java.util.concurrent.atomic.AtomicLong

/** What a phone shows no more, or cannot send any more, and what its app hears then. */
class TrustTest {
    @Test fun `when its lease is over a phone reads nothing and records on, until it has heard from the server`() = runBlocking<Unit> {
        val ahead = AtomicLong()
        val clock = object : Clock {
            override fun nowMs(): Long = System.currentTimeMillis() + ahead.get()
        }
        Doorstep.open(server.phoneFolder(), clock = clock).use { phone ->
            phone.enrol(server.url, server.code(8), "kotlin")
            phone.sync()
            val door = phone.door("1单元801")
            phone.sync()
            ahead.set(Duration.ofHours(80).toMillis())
            assertThrows(DoorstepException.LeaseOver::class.java) { phone.households.list(null) }
            phone.visit(door, "租期后")
            assertEquals(1, phone.waiting().size)
            phone.sync() // the server tells this clock how far it is ahead
            phone.sync()
            assertEquals(0, phone.waiting().size)
            assertEquals(listOf("租期后"), phone.households.get(door).visits.map { it.findings })
        }
    }

    @Test fun `an erased record is shown as that, and takes nothing more`() = runBlocking<Unit> {
        enrolled(8).use { phone ->
            val door = phone.door("1单元802")
            val resident = phone.residents.add(null, ResidentDetails(name = "赵桂英", household = door), noTags)
            phone.sync()
            assertEquals(Lock.OPEN, phone.residents.get(resident).lock)
            server.admin("erase", resident.toString())
            phone.sync()
            val erased = phone.residents.get(resident)
            assertEquals(Lock.ERASED, erased.lock)
            assertNull(erased.details.name)
            assertEquals("已删除", word(Locale.ZH, Words.LOCK, "erased"))
            assertEquals(Lock.ERASED, phone.residents.list(null).first { it.id == resident }.lock)
            assertThrows(DoorstepException.Erased::class.java) {
                phone.residents.change(resident, ResidentDetails(name = "赵桂英"), noTags)
            }
        }
    }

    @Test fun `a server that speaks a newer protocol only asks for an update, and what waits stays`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        val door = enrolled(8, folder).use { phone -> phone.door("1单元803").also { phone.sync() } }
        val newer = object : Transport {
            override fun post(request: PostRequest, reply: Reply) =
                reply.use { it.answered(PostAnswer(400u, "application/problem+json", "hub.protocol", ByteArray(0))) }
        }
        Doorstep.open(folder, transport = newer).use { phone ->
            phone.visit(door, "更新前")
            assertThrows(DoorstepException.UpdateRequired::class.java) { runBlocking { phone.sync() } }
            assertEquals(1, phone.waiting().size)
        }
        Doorstep.open(folder).use { phone -> assertEquals(1u, phone.sync().accepted) }
    }
}
