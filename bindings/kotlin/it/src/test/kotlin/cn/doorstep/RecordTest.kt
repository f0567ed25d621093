package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.*
import org.junit.jupiter.api.Test
import java.nio.file.Files
import java.security.MessageDigest
import java.time.LocalDate

/** Each kind of record comes back as it was given, from its row, from its document, and on another phone. */
class RecordTest {
    private val on = listOf(TagChange("重点", true))

    @Test fun `what is recorded comes back, also on another phone`() = runBlocking<Unit> {
        enrolled(20).use { phone ->
            val estate = phone.places.add(null, PlaceDetails(kind = PlaceKind.Estate, name = "窑湾小区", community = "窑湾"), noTags)
            val placeDetails = PlaceDetails(
                PlaceKind.Building, "3栋", "窑湾路44号", "窑湾", estate, Point(31.25, 121.5, 8.0), "门禁 1234#", "物业公司", "开发商", "业委会",
            )
            val building = phone.places.add(null, placeDetails, on)
            val household = HouseholdDetails(building, "1单元301", "张秀兰", "13800000001", "敲门")
            val door = phone.households.add(null, household, on)
            val resident = ResidentDetails("张秀兰", door, "13800000002", "11010519491231002X", LocalDate.of(1949, 12, 31), "听力不好")
            val person = phone.residents.add(null, resident, on)
            phone.households.setMember(door, person, true)
            val organisation = OrganisationDetails("便民超市", "91350100M000100Y43", "李强", "13800000003", "零售", building, "窑湾路46号")
            val shop = phone.organisations.add(null, organisation, on)
            val party = PartyDetails("王芳", "13800000004", "110105194912310054", "窑湾路48号")
            val reporter = phone.parties.add(null, party)
            val draft = VisitDraft(
                VisitSubject.Household(door), Purpose.Care, Outcome.NotAtHome, "没人应门", listOf("社区医生"), LocalDate.now().plusDays(3),
                Point(31.25, 121.5, 8.0),
            )
            val visit = phone.visits.record(draft)
            phone.visits.amend(draft.subject, visit, "下午在家")
            phone.visits.addNote(RecordKind.RESIDENT, person, "女儿周末来")
            val photo = Files.writeString(Files.createTempFile("doorstep", ".jpg"), "photo")
            val file = phone.visits.measure(photo.toString())
            assertArrayEquals(MessageDigest.getInstance("SHA-256").digest("photo".toByteArray()), file.sha256)
            phone.visits.attach(RecordKind.HOUSEHOLD, door, file, AttachmentKind.Photo, visit)
            val issue = IssueDraft(
                Category.Facilities, "楼道灯不亮", building, Reporter.Party(reporter), Urgency.Urgent, Channel.Telephone,
                point = Point(31.25, 121.5, 8.0),
            )
            val case = phone.cases.report(null, issue)
            phone.sync()
            Files.delete(photo)

            fun check(at: Doorstep) {
                val placeRow = at.places.list(null).single { it.id == building }
                assertEquals(listOf(PlaceKind.Building, "3栋", "窑湾路44号", estate, listOf("重点")),
                    listOf(placeRow.kind, placeRow.name, placeRow.address, placeRow.parent, placeRow.tags))
                assertEquals(placeDetails, at.places.get(building).details)

                val doorRow = at.households.list(null).single { it.id == door }
                assertEquals(listOf(building, "1单元301", "张秀兰", listOf("重点"), 1u, Lock.OPEN, SyncState.Accepted),
                    listOf(doorRow.place, doorRow.door, doorRow.contact, doorRow.tags, doorRow.members, doorRow.lock, doorRow.sync))
                assertEquals(listOf(Outcome.NotAtHome, null, draft.followUp, 1u),
                    doorRow.lastVisit.run { listOf(outcome, metAt, followUp, count) })
                val detail = at.households.get(door)
                assertEquals(household, detail.details)
                assertEquals(listOf(person), detail.members)
                val attachment = detail.attachments.single()
                assertEquals(listOf(5uL, AttachmentKind.Photo, visit), listOf(attachment.size, attachment.kind, attachment.visit))
                val recorded = detail.visits.single()
                assertEquals(listOf(draft.purpose, draft.outcome, draft.findings, draft.companions, draft.followUp, draft.point),
                    recorded.run { listOf(purpose, outcome, findings, companions, followUp, point) })
                assertEquals("下午在家", recorded.amendments.single().text)

                val residentRow = at.residents.list(null).single { it.id == person }
                assertEquals(listOf(door, "张秀兰", listOf("重点")), listOf(residentRow.household, residentRow.name, residentRow.tags))
                assertEquals(resident, at.residents.get(person).details)
                assertEquals("女儿周末来", at.residents.get(person).notes.single().text)

                val shopRow = at.organisations.list(null).single { it.id == shop }
                assertEquals(listOf("便民超市", "零售", "窑湾路46号", "李强"), shopRow.run { listOf(name, trade, address, contact) })
                assertEquals(organisation, at.organisations.get(shop).details)

                assertEquals("王芳", at.parties.list(null).single { it.id == reporter }.name)
                assertEquals(party, at.parties.get(reporter).details)

                val caseRow = at.cases.list(null).single { it.id == case }
                assertEquals(listOf(Category.Facilities, building, Urgency.Urgent, CaseState.Captured, true, "楼道灯不亮"),
                    caseRow.run { listOf(category, place, urgency, state, isOpen, excerpt) })
                assertEquals(listOf("楼道灯不亮", issue.reporter, issue.channel, issue.point),
                    at.cases.get(case).let { listOf(it.description, it.reporter, it.channel, it.point) })
            }
            check(phone)
            enrolled(20).use { check(it) }

            val rule = DueRule("重点", 30u)
            assertEquals(listOf(door to "3栋"), phone.households.due(null, listOf(rule)).map { it.household.id to it.place })
            phone.visits.record(VisitDraft(draft.subject, Purpose.Care, Outcome.Met))
            assertEquals(emptyList<DueDoor>(), phone.households.due(null, listOf(rule)))
        }
    }
}
