/// Doorstep as Swift expects it: `async` functions that cancel, `AsyncStream`, `Sendable` values. A thin layer over the generated `DoorstepFFI`.

@_exported import DoorstepFFI
import Dispatch
import Foundation

/// One opened phone. Safe from any thread; commands and queries take milliseconds and run on a queue of this object's.
///
/// Close it when its person leaves or the app ends for good; not when a screen does. What waits is on the disk already.
public final class Doorstep: Sendable {
    /// The generated object, for what this layer does not have.
    public let generated: FieldApp
    /// Buildings, alleys, yards, estates: short calls, on a thread of yours.
    public let places: Places
    /// Doors and the people behind them: short calls, on a thread of yours.
    public let households: Households
    /// Registered residents.
    public let residents: Residents
    /// Enterprises, shops, schools.
    public let organisations: Organisations
    /// Who reports in a case and is no registered resident.
    public let parties: Parties
    /// Visits, notes, files.
    public let visits: Visits
    /// Cases.
    public let cases: Cases
    /// What was refused, and late work of others.
    public let quarantine: Quarantine
    private let syncer: Syncer
    private let queue = DispatchQueue(label: "cn.doorstep", attributes: .concurrent)

    private init(_ app: FieldApp) throws {
        generated = app
        places = try app.places()
        households = try app.households()
        residents = try app.residents()
        organisations = try app.organisations()
        parties = try app.parties()
        visits = try app.visits()
        cases = try app.cases()
        quarantine = try app.quarantine()
        syncer = try app.sync()
    }

    /// Opens a folder: one for each person on a shared phone. Some tens of milliseconds.
    public static func open(
        folder: URL, keys: KeyProvider? = nil, transport: Transport? = nil, live: LiveTransport? = nil, clock: DoorstepFFI.Clock? = nil,
        locale: DoorstepFFI.Locale = .zh, markFile: URL? = nil, authority: Data? = nil
    ) async throws -> Doorstep {
        let options = OpenOptions(folder: folder.path, markFile: markFile?.path, locale: locale, authority: authority)
        return try await onQueue(DispatchQueue.global()) {
            let platform = try Platform(keys: keys, transport: transport, live: live, clock: clock)
            return try Doorstep(FieldApp.open(options: options, platform: platform))
        }
    }

    /// Ends what runs and lets the store go; everything throws `DoorstepError.Closed` from then on.
    public func close() async throws {
        try await ask { try $0.shutDown() }
    }

    /// Runs a call of the generated objects on the queue: for lists that a screen waits for.
    public func ask<T: Sendable>(_ call: @escaping @Sendable (FieldApp) throws -> T) async throws -> T {
        let app = generated
        return try await onQueue(queue) { try call(app) }
    }

    /// Who this phone is; nothing before it is enrolled.
    public func identity() async throws -> Identity? { try await ask { try $0.identity() } }

    /// Trades a one-time code for an identity. An answer that is lost costs nothing: ask again with the same code.
    public func enrol(server: String, code: String, label: String) async throws -> Identity {
        try await ask { try $0.enrol(server: server, code: code, label: label) }
    }

    /// The same with the text of the QR code that an administrator shows: it names server and code.
    public func enrol(invitation: String, label: String) async throws -> Identity {
        try await ask { try $0.enrolWith(invitation: invitation, label: label) }
    }

    /// Until when this phone shows what it holds without hearing from the server; nothing where that is for ever.
    public func leaseUntil() throws -> Date? { try generated.leaseUntil() }

    /// The grids of the street.
    public func grids() async throws -> [Grid] { try await ask { try $0.grids() } }

    /// Who works for the street.
    public func colleagues() async throws -> [Colleague] { try await ask { try $0.colleagues() } }

    /// Finds by name, pinyin, door and text.
    public func search(_ query: String, limit: UInt32 = 20) async throws -> [Found] {
        try await ask { try $0.search(query: query, limit: limit) }
    }

    /// One JSON for whoever looks for a fault, without personal data.
    public func diagnostics() async throws -> String { try await ask { try $0.diagnostics() } }

    /// The state of the queue now. Reads no disk.
    public func status() throws -> SyncStatus { try syncer.status() }

    /// What waits, in the order of recording.
    public func waiting() throws -> [WaitingRecord] { try syncer.waiting() }

    /// Packs what waits for another session on a shared phone to carry: each is encrypted to the server, and nothing leaves the queue by it.
    public func packMail() throws -> [Data] { try syncer.packMail() }

    /// Carries what another session packed; it may be thrown away when this returns.
    public func carryMail(_ mail: Data) async throws {
        let syncer = syncer
        try await ask { _ in try syncer.carryMail(mail: mail) }
    }

    /// Gives this phone up: with the next sync that sends all that waits, everything here is erased.
    public func signOut() throws { try syncer.signOut() }

    /// Whether everything was erased: close then.
    public func isWiped() throws -> Bool { try generated.isWiped() }

    /// Exchanges everything with the server. Cancelling the task ends it within milliseconds, and loses nothing.
    public func sync(progress: @escaping @Sendable (SyncStatus) -> Void = { _ in }) async throws -> SyncReport {
        let syncer = syncer
        return try await round(progress) { try syncer.startSync(observer: $0) }
    }

    /// The same within a budget, with retries: for a `BGProcessingTask`. What was done until then stays done.
    public func syncOnce(budget: Duration, progress: @escaping @Sendable (SyncStatus) -> Void = { _ in }) async throws -> SyncReport {
        let syncer = syncer
        return try await round(progress) { try syncer.startSyncOnce(budget: budget, observer: $0) }
    }

    /// Takes the payload of a push message; nothing when it is not ours.
    public func handlePush(_ payload: String) async throws -> SyncReport? {
        let syncer = syncer
        struct NotOurs: Error {}
        do {
            return try await round({ _ in }) { observer in
                guard let handle = try syncer.handlePush(payload: payload, observer: observer) else { throw NotOurs() }
                return handle
            }
        } catch is NotOurs {
            return nil
        }
    }

    /// What changed, bursts together; read again what the screen shows. Nothing is left out: what changes while a loop is busy comes together in its
    /// next one. Ends with `close`.
    public func changes() throws -> AsyncStream<Change> {
        let (bells, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let untold = Untold()
        let subscription = try generated.onChanges(listener: ChangeFeed(untold, bell))
        bell.onTermination = { _ in try? subscription.cancel() }
        return AsyncStream(unfolding: {
            for await _ in bells {
                if let change = untold.take() { return change }
            }
            return nil
        })
    }

    /// The state of the queue, the present one first. Ends with `close`.
    public func statusUpdates() throws -> AsyncStream<SyncStatus> {
        let (stream, feed) = AsyncStream.makeStream(of: SyncStatus.self, bufferingPolicy: .bufferingNewest(1))
        feed.yield(try syncer.status())
        let subscription = try generated.onStatus(listener: StatusFeed(feed))
        feed.onTermination = { _ in try? subscription.cancel() }
        return stream
    }

    /// Each record that the server refused, also those that are there already. None is left out, however slow the loop is. Ends with `close`.
    public func refusals() throws -> AsyncStream<RefusedRecord> {
        let (stream, feed) = AsyncStream.makeStream(of: RefusedRecord.self, bufferingPolicy: .unbounded)
        let subscription = try generated.onRefusals(listener: RefusalFeed(feed))
        feed.onTermination = { _ in try? subscription.cancel() }
        return stream
    }

    /// Stays connected for as long as it is iterated: while the app is in front. To show what happens; a loop that is 256 events behind loses the
    /// oldest. What has to be read again is told by `changes`, which loses nothing.
    public func live() throws -> AsyncStream<LiveEvent> {
        let (stream, feed) = AsyncStream.makeStream(of: LiveEvent.self, bufferingPolicy: .bufferingNewest(256))
        let handle = try syncer.live(observer: LiveFeed(feed))
        feed.onTermination = { _ in try? handle.cancel() }
        return stream
    }

    private func round(
        _ progress: @escaping @Sendable (SyncStatus) -> Void, _ start: @escaping @Sendable (SyncObserver) throws -> SyncHandle
    ) async throws -> SyncReport {
        try Task.checkCancellation()
        let (finished, feed) = AsyncStream.makeStream(of: Void.self)
        let observer = RoundObserver(progress: progress, feed: feed)
        let handle = try await onQueue(queue) { try start(observer) }
        return try await withTaskCancellationHandler {
            // Waits in a task of its own: the end is heard also when this one is cancelled, and the handle has its result by then.
            await Task.detached { for await _ in finished {} }.value
            do {
                guard let report = try handle.result() else { throw CancellationError() }
                return report
            } catch DoorstepError.Cancelled where Task.isCancelled {
                throw CancellationError()
            }
        } onCancel: {
            try? handle.cancel()
        }
    }
}

private func onQueue<T: Sendable>(_ queue: DispatchQueue, _ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        queue.async { continuation.resume(with: Result { try work() }) }
    }
}

private final class RoundObserver: SyncObserver {
    private let progress: @Sendable (SyncStatus) -> Void
    private let feed: AsyncStream<Void>.Continuation

    init(progress: @escaping @Sendable (SyncStatus) -> Void, feed: AsyncStream<Void>.Continuation) {
        self.progress = progress
        self.feed = feed
    }

    func onProgress(status: SyncStatus) throws { progress(status) }
    func onFinished() throws { feed.finish() }
}

// The engine lets its listeners go when it is shut down: their streams end with them.

private final class ChangeFeed: ChangeListener {
    private let untold: Untold
    private let bell: AsyncStream<Void>.Continuation

    init(_ untold: Untold, _ bell: AsyncStream<Void>.Continuation) {
        self.untold = untold
        self.bell = bell
    }

    func onChange(change: Change) throws {
        untold.add(change)
        bell.yield()
    }

    deinit { bell.finish() }
}

/// What changed and was not taken yet: as long as nobody takes it, one change that grows by no more than there are records.
private final class Untold: @unchecked Sendable {
    private let lock = NSLock()
    private var records: Set<ChangedRecord> = []
    private var order: [ChangedRecord] = []
    private var directory = false
    private var isEmpty = true

    func add(_ change: Change) {
        lock.withLock {
            order += change.records.filter { records.insert($0).inserted }
            directory = directory || change.directory
            isEmpty = false
        }
    }

    func take() -> Change? {
        lock.withLock {
            guard !isEmpty else { return nil }
            defer { (records, order, directory, isEmpty) = ([], [], false, true) }
            return Change(records: order, directory: directory)
        }
    }
}

private final class StatusFeed: StatusListener {
    private let feed: AsyncStream<SyncStatus>.Continuation
    init(_ feed: AsyncStream<SyncStatus>.Continuation) { self.feed = feed }
    func onStatus(status: SyncStatus) throws { feed.yield(status) }
    deinit { feed.finish() }
}

private final class RefusalFeed: RefusalListener {
    private let feed: AsyncStream<RefusedRecord>.Continuation
    init(_ feed: AsyncStream<RefusedRecord>.Continuation) { self.feed = feed }
    func onRefused(record: RefusedRecord) throws { feed.yield(record) }
    deinit { feed.finish() }
}

private final class LiveFeed: LiveObserver {
    private let feed: AsyncStream<LiveEvent>.Continuation
    init(_ feed: AsyncStream<LiveEvent>.Continuation) { self.feed = feed }
    func onLive(event: LiveEvent) throws {
        feed.yield(event)
        if event == .stopped { feed.finish() }
    }
}

extension DoorstepError {
    /// The stable code and the sentence for the person, in the language that the phone was opened with.
    public var said: (code: String, sentence: String) {
        switch self {
        case let .NotEnrolled(code, sentence), let .AlreadyEnrolled(code, sentence), let .Wiped(code, sentence), let .Invalid(code, sentence),
            let .NotFound(code, sentence), let .Denied(code, sentence), let .Superseded(code, sentence), let .HandedOver(code, sentence),
            let .Erased(code, sentence),
            let .LeaseOver(code, sentence),
            let .WrongKey(code, sentence), let .KeyUnavailable(code, sentence), let .DiskFull(code, sentence),
            let .StoreDamaged(code, sentence), let .StoreInUse(code, sentence), let .StoreFailed(code, sentence),
            let .Network(code, sentence), let .Rejected(code, sentence), let .UpdateRequired(code, sentence),
            let .Cancelled(code, sentence), let .Closed(code, sentence), let .Internal(code, sentence):
            (code, sentence)
        }
    }
}
