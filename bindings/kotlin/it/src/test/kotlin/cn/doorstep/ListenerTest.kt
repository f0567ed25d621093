package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Test
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference

/** What an app's own listeners may do, and what their bugs do not do. */
class ListenerTest {
    private fun Semaphore.await() = assertTrue(tryAcquire(30, TimeUnit.SECONDS), "nothing was told within 30 s")

    @Test fun `what listeners throw does not harm the engine`() = runBlocking<Unit> {
        enrolled(7).use { phone ->
            val (changed, stated) = List(2) { Semaphore(0) }
            val app = phone.generated()
            val subscriptions = listOf(
                app.onChanges(listener { changed.release(); throw IllegalStateException("a bug of the app") }),
                app.onStatus(object : StatusListener {
                    override fun onStatus(status: SyncStatus) { stated.release(); error("a bug of the app") }
                }),
            )
            stated.await()
            phone.door("7单元701")
            changed.await()
            phone.door("7单元702") // told as well: a listener that threw is not left out from then on
            changed.await()
            val told = AtomicInteger()
            val report = phone.sync { told.incrementAndGet(); error("another bug of the app") }
            assertEquals(2u, report.accepted)
            assertTrue(told.get() > 0)
            stated.await()
            subscriptions.forEach { it.use(Subscription::cancel) }
            val diagnostics = phone.diagnostics()
            for (place in listOf("change listener", "status listener", "observer")) assertTrue(diagnostics.contains(place), diagnostics)
            assertFalse(diagnostics.contains("张秀兰"), diagnostics)
        }
    }

    @Test fun `a listener may call back, subscribe and cancel`() = runBlocking<Unit> {
        enrolled(7).use { phone ->
            val app = phone.generated()
            val (seen, seenByOther) = List(2) { Semaphore(0) }
            val own = AtomicReference<Subscription>()
            val other = AtomicReference<Subscription>()
            own.set(app.onChanges(listener {
                if (phone.households.list(null).none { it.door == "7单元703" } || other.get() != null) return@listener
                phone.door("7单元704")
                other.set(app.onChanges(listener { seenByOther.release() }))
                own.get().cancel()
                seen.release()
            }))
            phone.door("7单元703")
            seen.await()
            seenByOther.await() // of what the first recorded
            listOf(own, other).forEach { it.get().close() }
        }
    }

    @Test fun `a listener may close the phone`() = runBlocking<Unit> {
        val phone = enrolled(7)
        val closed = Semaphore(0)
        phone.generated().onChanges(listener { phone.close(); closed.release() })
        phone.door("7单元705")
        closed.await()
        assertThrows(IllegalStateException::class.java) { phone.households.list(null) }
    }

    @Test fun `a listener that hangs holds up neither recording nor closing`() = runBlocking<Unit> {
        val called = Semaphore(0)
        val hanging = CountDownLatch(1)
        try {
            val phone = enrolled(7)
            phone.generated().onChanges(listener { called.release(); hanging.await() })
            val door = phone.door("7单元706")
            called.await()
            phone.visit(door)
            assertEquals(1, phone.visits.list(VisitSubject.Household(door)).size)
            phone.close()
        } finally {
            hanging.countDown()
        }
    }

    @Test fun `bursts are told together`() = runBlocking<Unit> {
        enrolled(7).use { phone ->
            val told = AtomicInteger()
            val last = Semaphore(0)
            val lastDoor = AtomicReference<UUID>()
            phone.generated().onChanges(listener { change ->
                told.incrementAndGet()
                if (change.records.any { it.id == lastDoor.get() }) last.release()
            }).use {
                val began = System.nanoTime()
                repeat(200) { phone.door("突发$it") }
                lastDoor.set(phone.door("突发末"))
                // A change of its own behind the door: what was told before its id was known here is told again.
                phone.visit(lastDoor.get())
                last.await()
                val most = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began) / 100 + 2
                assertTrue(told.get() <= most, "$told tellings where at most $most fit")
            }
        }
    }

    @Test fun `a collector that is busy misses no change`() = runBlocking<Unit> {
        enrolled(7).use { phone ->
            val (busy, free) = List(2) { CompletableDeferred<Unit>() }
            val heard = async(Dispatchers.Default) { phone.changes.onEach { busy.complete(Unit); free.await() }.take(2).toList() }
            while (!busy.isCompleted) { phone.door("忙"); delay(20) } // until the collector has come
            val told = ConcurrentHashMap.newKeySet<UUID>()
            val called = Semaphore(0)
            phone.generated().onChanges(listener { change -> told += change.records.map { it.id }; called.release() }).use {
                // Each in a telling of its own, and told to this listener behind the collector's.
                val doors = List(5) { number -> phone.door("忙$number").also { while (it !in told) called.await() } }
                free.complete(Unit)
                assertTrue(heard.await()[1].records.map { it.id }.containsAll(doors))
            }
        }
    }
}
