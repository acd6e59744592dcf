/// What needs attention before the guest goes on: nearly always nothing, which one comparison tells.
struct Attention: Equatable, Sendable {
    private var rawValue: UInt8

    static var none: Self { .init(rawValue: 0) }
    /// An interrupt is requested, or a waiting one may have become deliverable.
    static var interrupts: Self { .init(rawValue: 1) }
    /// The time at which something is due may have changed.
    static var time: Self { .init(rawValue: 2) }
    /// A device has a message, or input may be waiting for it; includes the other two.
    static var devices: Self { .init(rawValue: 7) }

    @inline(__always)
    mutating func insert(_ other: Self) { rawValue |= other.rawValue }

    /// Someone wants to know the outcome of the exit.
    static var observer: Self { .init(rawValue: 8) }

    /// The nested page tables have to follow the local APIC.
    static var memory: Self { .init(rawValue: 16) }

    @inline(__always)
    mutating func remove(_ other: Self) { rawValue &= ~other.rawValue }

    /// The guest is in a real mode whose events Martlet delivers.
    static var realMode: Self { .init(rawValue: 32) }

    var concernsMode: Bool { rawValue & (Self.memory.rawValue | Self.realMode.rawValue) != 0 }

    /// Whether anything but the observer waits.
    var isForGuest: Bool { rawValue & Self.devices.rawValue != 0 }
    var concernsDevices: Bool { rawValue & 4 != 0 }

    @inline(__always)
    func contains(_ other: Self) -> Bool { rawValue & other.rawValue == other.rawValue }
}
