/// What Apple's platforms give: the Keychain for the store's key, and the background task. Compiled where they are.

import Foundation

#if canImport(Security)
import Security

/// Keeps the store's key in the Keychain: this device only, readable after the first unlock, so that a background task can open the store.
public final class KeychainKeys: KeyProvider {
    private let account: String

    /// `account` names the key: one for each folder.
    public init(account: String) { self.account = account }

    public func storeKey() throws -> Data {
        var query: [CFString: Any] = [kSecClass: kSecClassGenericPassword, kSecAttrService: "cn.doorstep.store", kSecAttrAccount: account]
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query.merging([kSecReturnData: true]) { $1 } as CFDictionary, &found)
        if status == errSecSuccess, let key = found as? Data { return key }
        guard status == errSecItemNotFound else { throw ForeignError.Failed(reason: "Keychain \(status)") }
        var key = Data(count: 32)
        let filled = key.withUnsafeMutableBytes { SecRandomCopyBytes(kSecRandomDefault, 32, $0.baseAddress!) }
        guard filled == errSecSuccess else { throw ForeignError.Failed(reason: "no randomness") }
        query[kSecValueData] = key
        query[kSecAttrAccessible] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        let added = SecItemAdd(query as CFDictionary, nil)
        guard added == errSecSuccess else { throw ForeignError.Failed(reason: "Keychain \(added)") }
        return key
    }
}
#endif

#if canImport(BackgroundTasks) && os(iOS)
import BackgroundTasks

/// Background sync: register before the app has finished launching, schedule when it leaves the front.
public enum BackgroundSync {
    public static let identifier = "cn.doorstep.sync"

    public static func register(_ phone: @escaping @Sendable () async throws -> Doorstep) {
        BGTaskScheduler.shared.register(forTaskWithIdentifier: identifier, using: nil) { task in
            nonisolated(unsafe) let task = task
            let work = Task {
                let done = (try? await phone().syncOnce(budget: .seconds(25))) != nil
                task.setTaskCompleted(success: done)
                schedule()
            }
            task.expirationHandler = { work.cancel() }
        }
    }

    public static func schedule() {
        let request = BGProcessingTaskRequest(identifier: identifier)
        request.requiresNetworkConnectivity = true
        request.earliestBeginDate = Date(timeIntervalSinceNow: 15 * 60)
        try? BGTaskScheduler.shared.submit(request)
    }
}
#endif

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The app's own HTTPS client over URLSession: for builds without the engine's own, and where the system's proxy and certificates count.
public final class URLSessionTransport: Transport {
    private let session: URLSession

    public init(session: URLSession = .shared) { self.session = session }

    public func post(request: PostRequest, reply: Reply) throws {
        guard let url = URL(string: request.url) else { throw ForeignError.Failed(reason: "no address") }
        var posted = URLRequest(url: url, timeoutInterval: 25)
        posted.httpMethod = "POST"
        posted.setValue(request.contentType, forHTTPHeaderField: "content-type")
        posted.httpBody = request.body
        session.dataTask(with: posted) { body, answer, error in
            guard let answer = answer as? HTTPURLResponse, let body, error == nil else {
                try? reply.failed(fault: (error as? URLError)?.code == .timedOut ? .timedOut : .unreachable)
                return
            }
            let header = { (name: String) in answer.value(forHTTPHeaderField: name) }
            try? reply.answered(
                answer: PostAnswer(
                    status: UInt16(answer.statusCode), contentType: header("content-type") ?? "", code: header("doorstep-code"), body: body))
        }.resume()
    }
}
