package cn.doorstep

import cn.doorstep.ffi.*
import cn.doorstep.sample.Morning
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

    @Test fun `words come from the one catalogue in both languages`() {
        assertEquals("无人在家", word(Locale.ZH, Words.OUTCOME, outcomeCode(Outcome.NotAtHome)))
        assertEquals("not at home", word(Locale.EN, Words.OUTCOME, "not-at-home"))
        assertEquals(4, choices(Locale.ZH, Words.OUTCOME).size)
    }

    @Test fun `the sample runs`() = runBlocking<Unit> {
        Morning(server.url, server.phoneFolder(), listOf(server.code(19), server.code(19))).run()
    }
}
