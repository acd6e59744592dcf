import Foundation

/// Where Martlet's files are.
struct Checkout {
    /// The folder with the sources and build/.
    let root: String
    /// Where downloads are kept, for all checkouts on this machine.
    let cache: String

    init(environment: [String: String], root: String) {
        self.root = root
        func given(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
        cache =
            given("MARTLET_CACHE")
            ?? (given("XDG_CACHE_HOME") ?? (given("HOME") ?? "\(root)/build") + "/.cache") + "/martlet"
    }

    var kernel: String { root + "/build/martlet.elf" }
    var guests: String { root + "/build/guests" }
    var iso: String { root + "/Tools/iso" }
    var bochs: String { root + "/Tools/bochs" }
    /// Linux with KVM, for MACHINE=nested.
    var nested: String { cache + "/linux-6.1" }
}
