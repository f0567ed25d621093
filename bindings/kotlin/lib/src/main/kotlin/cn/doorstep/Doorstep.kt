/** Doorstep as Kotlin expects it: `suspend` functions, flows, `AutoCloseable`. A thin layer over the generated package `cn.doorstep.ffi`. */
package cn.doorstep

import cn.doorstep.ffi.*
import kotlinx.coroutines.*
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ProducerScope
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.*
import java.nio.file.Path
import java.time.Duration
import java.time.Instant
import java.util.concurrent.atomic.AtomicBoolean

/**
 * One opened phone. Safe from any thread; commands and queries run on [Dispatchers.IO] and take milliseconds.
 *
 * Close it when its person leaves or the app ends for good; not when a screen does. What waits is on the disk already.
 */
class Doorstep private constructor(private val app: FieldApp, private val platform: Platform) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val subjects = Subjects(app)
    private val isClosed = AtomicBoolean()

    /** Buildings, alleys, yards, estates: short calls, on a thread of yours. */
    val places get() = subjects.places
    /** Doors and the people behind them: short calls, on a thread of yours. */
    val households get() = subjects.households
    /** Registered residents: short calls, on a thread of yours. */
    val residents get() = subjects.residents
    /** Enterprises, shops, schools: short calls, on a thread of yours. */
    val organisations get() = subjects.organisations
    /** Who reports in a case and is no registered resident. */
    val parties get() = subjects.parties
    /** Visits, notes, files: short calls, on a thread of yours. */
    val visits get() = subjects.visits
    /** Cases: short calls, on a thread of yours. */
    val cases get() = subjects.cases
    /** What was refused, and late work of others. */
    val quarantine get() = subjects.quarantine

    /** The state of the queue, always the latest; it survives a restart and is never idle while something waits. */
    val status: StateFlow<SyncStatus> by lazy {
        callbackFlow {
            val subscription = app.onStatus(object : StatusListener {
                override fun onStatus(status: SyncStatus) { trySend(status) }
            })
            untilClosed { subscription.end() }
        }
            .conflate()
            // Nobody collects this but the scope: what it threw would end an Android app.
            .catch { failed -> if (!isClosed.get()) throw failed }
            .stateIn(scope, SharingStarted.Eagerly, subjects.sync.status())
    }

    /**
     * What changed, bursts together; collect it and read again what the screen shows. Nothing is left out: what changes while a collector is busy
     * comes together in its next one. Ends with [close].
     */
    val changes: Flow<Change> = flow {
        val untold = Untold()
        val bells = callbackFlow {
            val subscription = app.onChanges(object : ChangeListener {
                override fun onChange(change: Change) {
                    untold.add(change)
                    trySend(Unit)
                }
            })
            untilClosed { subscription.end() }
        }
        bells.conflate().collect { untold.take()?.let { emit(it) } }
    }

    /**
     * Each record that the server refused, also those that are there when it is collected. None is left out, however slow the collector is. Ends with
     * [close].
     */
    val refusals: Flow<RefusedRecord> = callbackFlow {
        val subscription = app.onRefusals(object : RefusalListener {
            override fun onRefused(record: RefusedRecord) { trySend(record) }
        })
        untilClosed { subscription.end() }
    }.buffer(Channel.UNLIMITED)

    /** The generated object, for what this layer does not have. It is closed with this one. */
    fun generated(): FieldApp = app

    /** Who this phone is; nothing before it is enrolled. */
    suspend fun identity(): Identity? = read { identity() }

    /** Trades a one-time code for an identity. An answer that is lost costs nothing: ask again with the same code. */
    suspend fun enrol(server: String, code: String, label: String): Identity = read { enrol(server, code, label) }

    /** The same with the text of the QR code that an administrator shows: it names server and code. */
    suspend fun enrol(invitation: String, label: String): Identity = read { enrolWith(invitation, label) }

    /** Until when this phone shows what it holds without hearing from the server; `null` where that is for ever. */
    suspend fun leaseUntil(): Instant? = read { leaseUntil() }

    /** The grids of the street. */
    suspend fun grids(): List<Grid> = read { grids() }

    /** Who works for the street. */
    suspend fun colleagues(): List<Colleague> = read { colleagues() }

    /** Finds by name, pinyin, door and text. */
    suspend fun search(query: String, limit: Int = 20): List<Found> = read { search(query, limit.toUInt()) }

    /** One JSON for whoever looks for a fault, without personal data. */
    suspend fun diagnostics(): String = read { diagnostics() }

    /** What waits, in the order of recording. */
    suspend fun waiting(): List<WaitingRecord> = read { subjects.sync.waiting() }

    /** Packs what waits for another session on a shared phone to carry: each is encrypted to the server, and nothing leaves the queue by it. */
    suspend fun packMail(): List<ByteArray> = read { subjects.sync.packMail() }

    /** Carries what another session packed; it may be thrown away when this returns. */
    suspend fun carryMail(mail: ByteArray) = read { subjects.sync.carryMail(mail) }

    /** Gives this phone up: with the next sync that sends all that waits, everything here is erased. */
    suspend fun signOut() = read { subjects.sync.signOut() }

    /** Whether everything was erased: close then. */
    suspend fun isWiped(): Boolean = read { isWiped() }

    /** Exchanges everything with the server. Cancelling the coroutine ends it within milliseconds, and loses nothing. */
    suspend fun sync(progress: (SyncStatus) -> Unit = {}): SyncReport = round(progress) { subjects.sync.startSync(it) }

    /** The same within a budget, with retries: for a `CoroutineWorker`. What was done until then stays done. */
    suspend fun syncOnce(budget: Duration, progress: (SyncStatus) -> Unit = {}): SyncReport =
        round(progress) { subjects.sync.startSyncOnce(budget, it) }

    /** Takes the payload of a push message; `null` when it is not ours. */
    suspend fun handlePush(payload: String): SyncReport? = try {
        round({}) { subjects.sync.handlePush(payload, it) ?: throw NotOurs() }
    } catch (_: NotOurs) {
        null
    }

    /**
     * Stays connected for as long as it is collected: collect it while the app is in front. To show what happens; a collector that is 256 events
     * behind loses the oldest. What has to be read again is told by [changes], which loses nothing.
     */
    fun live(): Flow<LiveEvent> = callbackFlow {
        val handle = subjects.sync.live(object : LiveObserver {
            override fun onLive(event: LiveEvent) {
                trySend(event)
                if (event is LiveEvent.Stopped) channel.close()
            }
        })
        awaitClose { handle.use { it.cancel() } }
    }.buffer(256, BufferOverflow.DROP_OLDEST)

    /** Ends what runs and lets the store go; everything throws [DoorstepException.Closed] or [IllegalStateException] from then on. */
    override fun close() {
        if (!isClosed.compareAndSet(false, true)) return
        scope.cancel()
        app.shutDown()
        subjects.close()
        app.close()
        platform.close()
    }

    /** Keeps a flow going until its collector or this phone goes. */
    private suspend fun ProducerScope<*>.untilClosed(end: () -> Unit) {
        val closing = scope.coroutineContext.job.invokeOnCompletion { close() }
        awaitClose {
            closing.dispose()
            end()
        }
    }

    private suspend fun <T> read(ask: FieldApp.() -> T): T = withContext(Dispatchers.IO) { app.ask() }

    private class NotOurs : Exception()

    private suspend fun round(progress: (SyncStatus) -> Unit, start: (SyncObserver) -> SyncHandle): SyncReport {
        val finished = CompletableDeferred<Unit>()
        val handle = kept {
            start(object : SyncObserver {
                override fun onProgress(status: SyncStatus) = progress(status)
                override fun onFinished() { finished.complete(Unit) }
            })
        }
        try {
            finished.await()
            return checkNotNull(handle.result()) { "a finished round has a result" }
        } finally {
            handle.cancel()
            handle.close()
        }
    }

    companion object {
        /** Opens a folder: one for each person on a shared phone. Some tens of milliseconds. */
        suspend fun open(
            folder: Path,
            keys: KeyProvider? = null,
            transport: Transport? = null,
            live: LiveTransport? = null,
            clock: Clock? = null,
            locale: Locale = Locale.ZH,
            markFile: Path? = null,
            authority: ByteArray? = null,
        ): Doorstep = kept {
            val platform = Platform(keys, transport, live, clock)
            try {
                val options = OpenOptions(folder.toString(), markFile?.toString(), locale, authority)
                Doorstep(FieldApp.open(options, platform), platform)
            } catch (failed: Throwable) {
                platform.close()
                throw failed
            }
        }
    }
}

/**
 * What `make` makes, also where the coroutine is cancelled meanwhile: a round without its handle could not be ended, and a store without its object
 * not closed. `withContext` with another dispatcher alone would drop it on the way back.
 */
private suspend fun <T> kept(make: () -> T): T = withContext(NonCancellable) { withContext(Dispatchers.IO) { make() } }

/** The objects by subject: made once, closed with the app. */
internal class Subjects(app: FieldApp) : AutoCloseable {
    val places = app.places()
    val households = app.households()
    val residents = app.residents()
    val organisations = app.organisations()
    val parties = app.parties()
    val visits = app.visits()
    val cases = app.cases()
    val quarantine = app.quarantine()
    val sync = app.sync()

    override fun close() {
        listOf<AutoCloseable>(places, households, residents, organisations, parties, visits, cases, quarantine, sync).forEach { it.close() }
    }
}

/** What changed and was not taken yet: as long as nobody takes it, one change that grows by no more than there are records. */
private class Untold {
    private val records = LinkedHashSet<ChangedRecord>()
    private var directory = false
    private var isEmpty = true

    @Synchronized fun add(change: Change) {
        records += change.records
        directory = directory || change.directory
        isEmpty = false
    }

    @Synchronized fun take(): Change? {
        if (isEmpty) return null
        return Change(records.toList(), directory).also { records.clear(); directory = false; isEmpty = true }
    }
}

private fun Subscription.end() = use { it.cancel() }

/** The sentence for the person, in the language that the phone was opened with. */
val DoorstepException.text: String
    get() = describe(this).second

/** The stable code, for programs and logs. */
val DoorstepException.stableCode: String
    get() = describe(this).first

private fun describe(error: DoorstepException): Pair<String, String> = when (error) {
    is DoorstepException.NotEnrolled -> error.code to error.sentence
    is DoorstepException.AlreadyEnrolled -> error.code to error.sentence
    is DoorstepException.Wiped -> error.code to error.sentence
    is DoorstepException.Invalid -> error.code to error.sentence
    is DoorstepException.NotFound -> error.code to error.sentence
    is DoorstepException.Denied -> error.code to error.sentence
    is DoorstepException.Superseded -> error.code to error.sentence
    is DoorstepException.HandedOver -> error.code to error.sentence
    is DoorstepException.Erased -> error.code to error.sentence
    is DoorstepException.LeaseOver -> error.code to error.sentence
    is DoorstepException.WrongKey -> error.code to error.sentence
    is DoorstepException.KeyUnavailable -> error.code to error.sentence
    is DoorstepException.DiskFull -> error.code to error.sentence
    is DoorstepException.StoreDamaged -> error.code to error.sentence
    is DoorstepException.StoreInUse -> error.code to error.sentence
    is DoorstepException.StoreFailed -> error.code to error.sentence
    is DoorstepException.Network -> error.code to error.sentence
    is DoorstepException.Rejected -> error.code to error.sentence
    is DoorstepException.UpdateRequired -> error.code to error.sentence
    is DoorstepException.Cancelled -> error.code to error.sentence
    is DoorstepException.Closed -> error.code to error.sentence
    is DoorstepException.Internal -> error.code to error.sentence
}
