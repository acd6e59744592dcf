import Memory
import Text
import VMX

/// An access to guest-physical memory as the EPT judge it, on behalf of an access to a linear address.
///
/// Intel SDM vol. 3, "EPT Violations"; the numbers of `qualification` are in the table "Exit Qualification for
/// EPT Violations".
enum NestedAccess: Equatable {
    /// A load of an entry of the guest's tables.
    case table
    /// The same while the EPT pointer enables accessed and dirty flags: it counts as a write too.
    case tableWithFlags
    /// A store of an accessed or dirty bit into an entry of the guest's tables.
    case marking
    case read
    case write
    /// A fetch by way of a supervisor-mode linear address.
    case fetch
    /// A fetch by way of a user-mode linear address, which has a right of its own with mode-based execute control.
    case userFetch

    init(_ access: GuestAccess, isUserPage: Bool) {
        switch access.kind {
        case .read: self = .read
        case .write: self = .write
        case .fetch: self = isUserPage ? .userFetch : .fetch
        }
    }

    /// Bits 2:0, 7 and 8 of the exit qualification.
    var qualification: UInt64 {
        switch self {
        case .table: 1 << 7 | 1
        case .tableWithFlags: 1 << 7 | 3
        case .marking: 1 << 7 | 2
        case .read: 1 << 8 | 1 << 7 | 1
        case .write: 1 << 8 | 1 << 7 | 2
        case .fetch, .userFetch: 1 << 8 | 1 << 7 | 4
        }
    }

    var words: StaticString {
        switch self {
        case .table: "a read of an entry of the guest's tables"
        case .tableWithFlags: "an access to an entry of the guest's tables, which counts as a write (EPTP bit 6)"
        case .marking: "a write of an accessed or dirty bit in the guest's tables"
        case .read: "a read"
        case .write: "a write"
        case .fetch: "a fetch"
        case .userFetch: "a fetch from a user-mode address"
        }
    }
}

extension ExtendedPagePermissions {
    func allow(_ access: NestedAccess, _ format: EPTFormat) -> Bool {
        switch access {
        case .table, .read: contains(.read)
        case .write, .marking: contains(.write)
        case .tableWithFlags: contains(.read | .write)
        case .fetch: contains(.execute)
        case .userFetch: contains(format.hasModeBasedExecute ? .userExecute : .execute)
        }
    }

    /// Bits 6:3 of the exit qualification.
    func qualification(_ format: EPTFormat) -> UInt64 {
        (rawValue & 7) << 3 | (format.hasModeBasedExecute && contains(.userExecute) ? 1 << 6 : 0)
    }

    /// Such as "rwx"; with mode-based execute control a fourth letter, "u", for fetches from user-mode addresses.
    func words(_ format: EPTFormat) -> Line {
        var line = Line()
        line.write(contains(.read) ? "r" : "-")
        line.write(contains(.write) ? "w" : "-")
        line.write(contains(.execute) ? "x" : "-")
        if format.hasModeBasedExecute { line.write(contains(.userExecute) ? "u" : "-") }
        return line
    }
}
