import Foundation
import MorningKit

let arguments = CommandLine.arguments
guard arguments.count == 5 else {
    print("usage: Morning SERVER FOLDER CODE CODE")
    exit(2)
}
try await Morning(server: arguments[1], folder: URL(fileURLWithPath: arguments[2]), codes: Array(arguments[3...])).run()
