import Memory

/// Writes firmware tables byte by byte, then fills in what is known only at the end of a table: its length and its checksum.
struct TableWriter<Memory: FirmwareMemory> {
    let memory: Memory
    /// Where the next byte goes.
    private(set) var next: UInt64

    init(_ memory: Memory, at start: UInt64) {
        self.memory = memory
        next = start
    }

    mutating func put(_ value: UInt64, count: Int) {
        memory.write(value, count: count, at: GuestPhysicalAddress(next))
        next &+= UInt64(count)
    }

    mutating func byte(_ value: UInt8) { put(UInt64(value), count: 1) }
    mutating func word(_ value: UInt16) { put(UInt64(value), count: 2) }
    mutating func doubleWord(_ value: UInt32) { put(UInt64(value), count: 4) }
    mutating func quadWord(_ value: UInt64) { put(value, count: 8) }

    mutating func zeros(_ count: Int) {
        for _ in 0..<count { byte(0) }
    }

    mutating func text(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { byte(text.utf8Start[index]) }
    }

    mutating func align(to alignment: UInt64) {
        while next % alignment != 0 { byte(0) }
    }

    /// Fills in a value that was left open.
    func patch(_ value: UInt64, count: Int, at address: UInt64) {
        memory.write(value, count: count, at: GuestPhysicalAddress(address))
    }

    /// Moves the bytes from `start` on by one, so that one more fits before them.
    mutating func moveOn(from start: UInt64) {
        var place = next
        while place > start {
            place -= 1
            let value = memory.readUInt8(at: GuestPhysicalAddress(place)) ?? 0
            memory.write(UInt64(value), count: 1, at: GuestPhysicalAddress(place + 1))
        }
        next += 1
    }

    /// Makes the bytes from `start` up to here sum to zero, through the byte at an offset among them, which is now zero.
    func close(_ start: UInt64, checksumAt offset: UInt64) {
        patch(UInt64(memory.complement(of: start, count: next - start)), count: 1, at: start + offset)
    }

    /// A system description table with its header (ACPI specification 6.3, 5.2.6 "System Description Table Header").
    /// - Returns: its address.
    mutating func table(_ signature: StaticString, revision: UInt8, _ body: (inout Self) -> Void) -> UInt64 {
        align(to: 16)
        let start = next
        text(signature)
        doubleWord(0)  // the length
        byte(revision)
        byte(0)  // the checksum
        text("MARTLT")
        text("MARTLET ")
        doubleWord(1)
        text("MTLT")
        doubleWord(1)
        body(&self)
        patch(next - start, count: 4, at: start + 4)
        close(start, checksumAt: 9)
        return start
    }

    /// A register in the I/O address space as a Generic Address Structure (5.2.3.2), accessed as bytes (1), words (2) or
    /// double words (3).
    mutating func register(port: UInt16, bits: UInt8, accessSize: UInt8) {
        byte(1)
        byte(bits)
        byte(0)
        byte(accessSize)
        quadWord(UInt64(port))
    }

    mutating func absentRegister() { zeros(12) }
}
