/// The contents of a function's registers, by its rows. They include the level of its interrupt pin: interrupt status.
struct PCIFunctionRegisters: Equatable, Sendable {
    fileprivate var values: [16 of UInt32] = .init(repeating: 0)

    @inline(never)
    static func == (left: Self, right: Self) -> Bool {
        let (leftValues, rightValues) = (left.values.span, right.values.span)
        for row in leftValues.indices where leftValues[row] != rightValues[row] { return false }
        return true
    }
}

/// A PCI function as data: its 256-byte configuration space, made of rows, and what it claims. What has no row reads as 0
/// and swallows writes (PCI local bus specification 3.0, 6.1 "Configuration Space Organization").
struct PCIFunction: Sendable {
    let pin: PCIInterruptPin
    private let bases: [6 of PCIBaseAddress]

    // The rows. Row 0 is for absent registers.
    private var rowCount = 1
    private var rows: [64 of UInt8] = .init(repeating: 0)
    private(set) var initialValues = PCIFunctionRegisters()
    private var writable: [16 of UInt32] = .init(repeating: 0)
    private var clearable: [16 of UInt32] = .init(repeating: 0)

    /// - Parameters:
    ///   - registers: its own, with command and status. Base addresses, the interrupt register and the corresponding bits of the
    ///     command register follow from the rest.
    ///   - bases: its base addresses.
    ///   - pin: its interrupt pin.
    init(
        _ registers: Span<PCIRegister>, bases: [6 of PCIBaseAddress] = .init(repeating: .none), pin: PCIInterruptPin = .none
    ) {
        self.bases = bases
        self.pin = pin
        for index in registers.indices { add(registers[index]) }
        for index in 0..<PCIBaseAddress.count where bases[index].addressBits != 0 {
            add(
                PCIRegister(
                    PCIRegister.firstBaseAddress &+ UInt8(truncatingIfNeeded: index), bases[index].type,
                    writable: bases[index].addressBits))
            writable[row(PCIRegister.command)] |= bases[index].type != 0 ? PCICommand.ioSpace : PCICommand.memorySpace
        }
        if pin != .none {
            add(PCIRegister(PCIRegister.interrupt, UInt32(pin.rawValue) << 8, writable: 0xFF))
            writable[row(PCIRegister.command)] |= PCICommand.interruptDisable
        }
    }

    @inline(never)
    private mutating func add(_ register: PCIRegister) {
        precondition(rowCount < 16, "a PCI function with too many registers")
        rows[Int(register.number & 63)] = UInt8(truncatingIfNeeded: rowCount)
        initialValues.values[rowCount] = register.initialValue
        writable[rowCount] = register.writable
        clearable[rowCount] = register.clearable
        rowCount += 1
    }

    /// The row of a register, by the low six bits of its number; less than 16.
    @inline(__always)
    private mutating func row(_ register: UInt8) -> Int { Int(rows[Int(register & 63)] & 15) }

    // MARK: Registers

    // Values are read in place: they would be copied whole.

    @inline(__always)
    mutating func read(_ register: UInt8, of registers: inout PCIFunctionRegisters) -> UInt32 { registers.values[row(register)] }

    /// Changes the bits of `mask`, as far as they are writable.
    /// - Returns: whether it now reads differently.
    mutating func write(_ register: UInt8, of registers: inout PCIFunctionRegisters, _ value: UInt32, mask: UInt32) -> Bool {
        let row = row(register)
        let old = registers.values[row]
        let changeable = writable[row] & mask
        let new = (old & ~changeable | value & changeable) & ~(value & mask & clearable[row])
        registers.values[row] = new
        return new != old
    }

    // MARK: What it claims and requests

    /// What a base address now claims.
    @inline(never)
    mutating func claim(_ index: Int, of registers: inout PCIFunctionRegisters) -> BusClaim? {
        let register = PCIRegister.firstBaseAddress &+ UInt8(truncatingIfNeeded: index)
        return bases[index].claim(read(register, of: &registers), command: read(PCIRegister.command, of: &registers))
    }

    /// Its device asserts or deasserts the interrupt pin.
    mutating func setInterrupt(_ isAsserted: Bool, in registers: inout PCIFunctionRegisters) {
        let row = row(PCIRegister.command)
        if isAsserted {
            registers.values[row] |= PCICommand.interruptStatus
        } else {
            registers.values[row] &= ~PCICommand.interruptStatus
        }
    }

    /// Whether it drives its interrupt pin.
    @inline(never)
    mutating func isInterrupting(_ registers: inout PCIFunctionRegisters) -> Bool {
        let command = read(PCIRegister.command, of: &registers)
        return command & (PCICommand.interruptStatus | PCICommand.interruptDisable) == PCICommand.interruptStatus
    }
}
