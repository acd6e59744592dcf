import Memory
import Testing
import Virtualization
import X86

@testable import Machine
@testable import StudyTools

/// Walk, shadow, ept and registers while shadow tables translate.
@Suite struct ShadowWalkTests {
    private static let pageFault: UInt32 = 1 << 31 | 1 << 11 | 3 << 8 | 14
    private static let table = UInt64(TestMachine.Table.high)

    /// A page fault of the guest's, and what Martlet makes of it.
    private func fault(_ session: MonitorSession, _ address: UInt64, _ code: UInt32 = 0) {
        session.machine.exit(.exceptionOrNMI, qualification: address, information: Self.pageFault, errorCode: code)
    }

    /// 20_1000H leads to itself, and the shadow tables have it; its table, at 5000H, is mapped by 5000H.
    private func session(hasTwins: Bool = false) -> MonitorSession {
        let session = MonitorSession(isShadowed: true, hasTwins: hasTwins)
        session.machine.map(0x20_1000, entry: 0x20_1067)
        fault(session, 0x20_1000)
        return session
    }

    @Test func `each of the guest's entries has its shadow entry beside it, and the loads are the processor's`() {
        let seen = session().type("walk 0x201234 write")[0]
        #expect(seen.count == 12)
        #expect(seen[0].hasPrefix("walk of 0x201234 for a supervisor write: 4-level paging, CR3 0x1000, shadow root 0x100"))
        for (row, name) in ["PML4E", "PDPTE", "PDE", "PTE"].enumerated() {
            #expect(seen[2 * row + 1].hasPrefix("    guest \(name)"))
            #expect(seen[2 * row + 2].hasPrefix(" \(row + 1)  shadow \(name)") && seen[2 * row + 2].hasSuffix("; in step"))
        }
        #expect(seen[7].contains("0x5008        0x201067           writable"))
        #expect(seen[8].contains("0x40201067         writable user accessed dirty, 4 KiB page 0x40201000; in step"))
        #expect(
            seen[9...] == [
                "guest-physical 0x201234 in a page of 4 KiB: writable, user, executable",
                "host-physical  0x40201234 in a page of 4 KiB: writable, user, executable", "4 loads, and the access itself: 5",
            ])
    }

    @Test func `what the shadow tables lack is distinguished from what the guest's lack`() {
        let session = session()
        session.machine.map(0x20_2000, entry: 0)
        let seen = session.type("walk 0x202000", "walk 0x203000", "walk 0x5000 write", "walk 0x800000000000")
        #expect(seen[0].contains("#PF by the guest's tables, error code 0x0 (not present, read, supervisor), CR2 0x202000"))
        #expect(seen[0].suffix(2) == ["it exits (exit reason 0), and Martlet injects it", "4 loads"])
        #expect(seen[1].contains { $0.hasPrefix("page fault by the shadow tables alone (exit reason 0): Martlet fills") })
        #expect(seen[2].contains { $0.hasSuffix("the page is a table in step, which the write puts out of step") })
        #expect(seen[3][1] == "#GP(0), or #SS(0) through SS: the address is not canonical; nothing is loaded")
        #expect(session.type("walk 0x3f000000")[0].contains { $0.contains("there is no RAM, and Martlet makes the access") })
    }

    @Test func `a table that the guest writes to is out of step, and its translation old, until INVLPG`() {
        let session = session()
        #expect(session.type("shadow")[0].last == "no table is out of step")
        fault(session, Self.table, 3)
        session.machine.map(0x20_1000, entry: 0x20_5067)
        var seen = session.type("shadow", "walk 0x201000")
        #expect(seen[0].suffix(2) == ["out of step:", "  the guest's table at 0x5000, level 1"])
        #expect(seen[1].contains { $0.contains("shadow PTE") && $0.hasSuffix("4 KiB page 0x40201000; out of step") })
        #expect(
            seen[1].contains(
                "the shadow tables still lead to guest-physical 0x201000, until the guest invalidates the translation"))
        session.machine.exit(.invlpg, qualification: 0x20_1000, length: 3)
        seen = session.type("walk 0x201000")
        #expect(seen[0].contains { $0.hasPrefix("host-physical  0x40205000") })
    }

    @Test func `roots, twins and pages in use`() {
        let seen = session().type("shadow")[0]
        #expect(seen[0].hasPrefix("shadow tables translate: 4-level paging, CR3 0x1000, shadow root 0x100"))
        #expect(
            seen[1] == "guest CR3       shadow root     twin" && seen[2].hasPrefix("0x1000          0x100")
                && seen[2].hasSuffix("none, loaded"))
        #expect(seen[3] == "4 shadow pages in use, at most 4 so far, of 63")
        #expect(session(hasTwins: true).type("shadow")[0][2].hasSuffix("at host-physical 0x1000, loaded"))
    }

    @Test(arguments: [TestMachine.Mode.paged32, .pae])
    func `without long mode the root's four entries are registers`(mode: TestMachine.Mode) {
        let session = MonitorSession(mode, isShadowed: true)
        fault(session, 0x20_1000)
        let seen = session.type("walk 0x201000", "registers", "print cr3")
        let isPAE = mode == .pae
        #expect(seen[0].contains { $0.hasPrefix("    shadow PDPTE0") && $0.hasSuffix("(a register: no load)") })
        #expect(seen[0].contains { $0.hasPrefix("    guest PDPTE0") } == isPAE)
        #expect(
            seen[0].contains { $0.hasPrefix("host-physical  0x40201000") } && seen[0].last == "2 loads, and the access itself: 3")
        let own = isPAE ? TestMachine.Table.pointersPAE : TestMachine.Table.directory32
        #expect(seen[1].first?.hasSuffix(isPAE ? "PAE paging" : "32-bit paging") == true)
        #expect(seen[1].contains("CR3    0x\(String(own, radix: 16))") && seen[1].contains { $0.hasSuffix("a shadow root") })
        #expect(seen[2][0].contains("0x\(String(own, radix: 16))"))
    }

    @Test func `what does not go with shadow tables is refused in words`() {
        let session = session()
        let seen = session.type("break write 0x1000", "set guest cr3 0x1000", "ept", "vmcs guest cr3", "controls enable ept")
        #expect(seen[0][0].hasPrefix("error: memory cannot be watched under MMU=shadow"))
        #expect(seen[1] == ["error: shadow paging keeps this field: set the register, such as \"set cr3 VALUE\""])
        #expect(seen[2][0].hasPrefix("the EPT is not in use now, shadow tables are"))
        #expect(seen[3].contains { $0.hasSuffix("the root of the shadow tables: \"registers\" has what the guest reads") })
        #expect(seen[4].contains { $0.contains("enable EPT") && $0.hasSuffix("off while shadow tables are in use") })
        #expect(MonitorSession().type("shadow")[0] == ["error: there are no shadow tables: they need MMU=shadow"])
    }
}
