package cn.doorstep

import cn.doorstep.ffi.*
import cn.doorstep.sample.Morning
import cn.doorstep.sample.firstVisit
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Test

/** What comes from the engine's rules and words, and the sample that uses it all. */
class RulesTest {
    @Test fun `actions are what the rules allow`() = runBlocking<Unit> {
        enrolled(9).use { phone ->
            val case = phone.cases.report(null, IssueDraft(Category.Noise, "夜里施工"))
            assertEquals(listOf(EventKind.Noted, EventKind.Returned, EventKind.Closed), phone.cases.actions(case).map { it.kind })
            phone.cases.act(case, EventKind.Closed, null)
            assertThrows(DoorstepException.Superseded::class.java) { phone.cases.act(case, EventKind.Returned, null) }
            assertEquals(CaseState.Closed, phone.cases.get(case).state)
        }
    }

    @Test fun `a notice says which text was given and what for`() = runBlocking<Unit> {
        enrolled(9).use { phone ->
            val door = phone.door("1单元901")
            phone.households.giveNotice(door, "2026-01", "走访与求助")
            val notice = phone.households.get(door).notice!!
            assertEquals(listOf("2026-01", "走访与求助"), listOf(notice.version, notice.purpose))
            assertEquals(phone.identity()!!.person, notice.by)
            assertTrue(phone.leaseUntil()!!.isAfter(java.time.Instant.now().plus(java.time.Duration.ofHours(70))))
        }
    }

    @Test fun `what another session packed arrives and its author hears of it`() = runBlocking<Unit> {
        enrolled(9).use { author ->
            val door = author.door("1单元902")
            val invitation = "doorstep:enrol?code=${server.code(10)}&server=${server.url}"
            Doorstep.open(server.phoneFolder()).use { carrier ->
                carrier.enrol(invitation, "kotlin")
                author.packMail().forEach { carrier.carryMail(it) }
                assertThrows(DoorstepException.Rejected::class.java) { runBlocking { carrier.carryMail(byteArrayOf(1, 0, 2)) } }
            }
            assertEquals(1, author.waiting().size)
            enrolled(9).use { other -> assertEquals("1单元902", other.households.get(door).details.door) }
            assertEquals(1u, author.sync().accepted)
        }
    }

    @Test fun `words come from the one catalogue in both languages`() {
        assertEquals("无人在家", word(Locale.ZH, Words.OUTCOME, outcomeCode(Outcome.NotAtHome)))
        assertEquals("not at home", word(Locale.EN, Words.OUTCOME, "not-at-home"))
        assertEquals(4, choices(Locale.ZH, Words.OUTCOME).size)
    }

    @Test fun `the page's first visit arrives`() = runBlocking<Unit> {
        val folder = server.phoneFolder()
        firstVisit(folder, server.url, server.code(18))
        Doorstep.open(folder).use { phone ->
            assertEquals(0, phone.waiting().size)
            assertEquals(listOf(SyncState.Accepted), phone.households.list(null).filter { it.lastVisit.count == 1u }.map { it.sync })
        }
    }

    @Test fun `the sample runs`() = runBlocking<Unit> {
        Morning(server.url, server.phoneFolder(), listOf(server.code(19), server.code(19))).run()
    }
}
