// What PCI functions claim on the bus, and the lines that they drive.

extension Board {
    /// Software may have changed what functions claim or request.
    @inline(__always)
    mutating func followFunctions() {
        if pci.takeChange() { wireFunctions() }
    }

    /// Gives each function what it now claims. Everything is reassigned, so that what one releases can go to another that also
    /// claims it; the board's own devices come first and lose nothing.
    @inline(never)
    mutating func wireFunctions() {
        ports = PortMap()
        wirePorts()
        memory.releaseAll()
        wireMemory()
        for number in 0..<pci.count {
            for base in 0..<PCIBaseAddress.count {
                switch pci.claim(number, base) {
                case nil: break
                case .ports(let claim): _ = ports.claim(claim, takes: false)
                case .memory(let claim): memory.claim(claim)
                }
            }
        }
        followFunctionInterrupts()
    }

    /// A function's device asserts or deasserts its interrupt pin.
    /// - Parameter number: of the function.
    mutating func setInterrupt(ofFunction number: Int, _ isAsserted: Bool) {
        pci.setInterrupt(number, isAsserted)
        followFunctionInterrupts()
    }

    private mutating func followFunctionInterrupts() {
        let lines = pci.interruptLines()
        var changed = lines ^ functionLines
        functionLines = lines
        while changed != 0 {
            drive(UInt8(truncatingIfNeeded: changed.trailingZeroBitCount))
            changed &= changed &- 1
        }
    }
}
