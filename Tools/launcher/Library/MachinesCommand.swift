/// `martlet machines`: which machines this host supports.
struct MachinesCommand {
    let checkout: Checkout

    func run(_ words: [String], isHelp: Bool) throws(Failure) -> Int32 {
        guard !isHelp else {
            print("martlet machines             which values of MACHINE this host supports, and what the others lack")
            print("martlet machines MACHINE     status 0 if it supports that one; otherwise status 18, and what it lacks")
            return 0
        }
        let processes = Processes(SignalWatch())
        let known = MachineKind.allCases.filter { $0 != .auto }
        guard let name = words.first else {
            for kind in known {
                let column = kind.rawValue + String(repeating: " ", count: 10 - kind.rawValue.count)
                do throws(Failure) {
                    try check(kind, processes)
                    print(column + "available")
                } catch {
                    let words = error.words ?? "not available"
                    let name = "MACHINE=\(kind.rawValue): "
                    print(column + (words.hasPrefix(name) ? words.dropFirst(name.count) : words[...]))
                }
            }
            return 0
        }
        guard words.count == 1, let kind = MachineKind(rawValue: name) else {
            throw .badUsage(
                "machines takes one of \(known.map(\.rawValue).joined(separator: ", ")), not \"\(words.joined(separator: " "))\"")
        }
        try check(kind, processes)
        return 0
    }

    private func check(_ kind: MachineKind, _ processes: Processes) throws(Failure) {
        switch kind {
        case .kvm: try QEMU.check(.kvm)
        case .tcg: try QEMU.check(.tcg)
        case .auto where QEMU.hasNestedKVM: try QEMU.check(.kvm)
        case .auto, .bochs: _ = try Bochs(.usual, checkout, processes)
        case .olderBochs: _ = try Bochs(.older, checkout, processes)
        case .nested:
            _ = try Bochs(.usual, checkout, processes)
            try NestedLinux.check(checkout)
        }
    }
}
