package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Test

/** What the server refused: heard, kept, dealt with by its author. */
class RefusalTest {
    @Test fun `a refusal is heard, and stays until it is dealt with`() = runBlocking<Unit> {
        enrolled(3).use { phone ->
            val door = phone.door("3单元301")
            phone.sync()
            val heard = async(Dispatchers.Default) { phone.refusals.take(2).toList() }
            phone.visit(door, "门开着")
            phone.visit(door, "门关着")
            server.admin("grid", "reassign", "第3网格", "--to", server.worker(4))
            assertEquals(2u, phone.sync().refused)
            val refused = heard.await()
            assertEquals(listOf("sync.grant_ended"), refused.map { it.code }.distinct())
            assertTrue(refused.all { it.reason.contains("权限") && it.what == "visit" }, "$refused")
            assertEquals(2u, phone.status.first { it.refused == 2u }.refused)
            // Who listens later hears of them too, until somebody has dealt with them.
            assertEquals(refused.map { it.group }, phone.refusals.take(2).toList().map { it.group })
            phone.quarantine.discard(refused[0].group)
            assertEquals(refused[1].group, phone.refusals.first().group)
            assertEquals(listOf(refused[1].group), phone.quarantine.refused().map { it.group })
            // The visit went to the grid's new worker: here it can only be let go.
            assertFalse(refused[1].isHere)
            assertThrows(DoorstepException.HandedOver::class.java) { phone.quarantine.resend(refused[1].group) }
            phone.quarantine.discard(refused[1].group)
            assertTrue(phone.quarantine.refused().isEmpty())
        }
    }

    @Test fun `no refusal is lost on a slow collector`() = runBlocking<Unit> {
        val many = 300
        enrolled(2).use { phone ->
            val door = phone.door("2单元301")
            phone.sync()
            repeat(many) { phone.visit(door, "第${it}次") }
            server.admin("grid", "reassign", "第2网格", "--to", server.worker(1))
            while (phone.waiting().isNotEmpty()) phone.sync()
            assertEquals(many, phone.quarantine.refused().size)
            val (busy, free) = List(2) { CompletableDeferred<Unit>() }
            val heard = async(Dispatchers.Default) {
                phone.refusals.onEach { busy.complete(Unit); free.await() }.take(many).toList()
            }
            busy.await()
            phone.generated().onStatus(object : StatusListener {
                override fun onStatus(status: SyncStatus) { free.complete(Unit) } // told behind all refusals
            }).use { free.await() }
            assertEquals(many, heard.await().distinctBy { it.group }.size)
        }
    }
}
