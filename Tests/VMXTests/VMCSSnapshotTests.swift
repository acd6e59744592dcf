import Support
import Testing

@testable import VMX

/// VMCS snapshots.
@Suite struct VMCSSnapshotTests {
    @Test(arguments: [CapabilitySet.skylakeX, .nestedKVM, .arrandale, .penryn])
    func `a snapshot reads and writes exactly the fields that the processor has`(_ set: CapabilitySet) {
        let capabilities = set.capabilities
        let source = SimulatedVMCS(capabilities)
        let target = SimulatedVMCS(capabilities)
        var count: UInt64 = 0
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position).encoding
            guard field.exists(capabilities) else { continue }
            count += 1
            source[field.rawValue] = count
        }
        let snapshot = VMCSSnapshot(reading: VMCS(source), capabilities)
        snapshot.write(to: VMCS(target), capabilities)
        #expect(source.refusals == [])
        #expect(target.refusals == [])
        #expect(source.readCount == Int(count))
        #expect(target.contents == source.contents.filter { $0.key >> 10 & 3 != 1 })
    }

    @Test func `every field of the list has a place of its own, as wide as the field`() {
        var snapshot = VMCSSnapshot()
        for position in 0..<VMCSFieldDescription.count {
            snapshot[VMCSFieldDescription.field(at: position).encoding] = .max - UInt64(position)
        }
        for position in 0..<VMCSFieldDescription.count {
            let field = VMCSFieldDescription.field(at: position).encoding
            #expect(snapshot[field] == (UInt64.max - UInt64(position)) & field.valueMask)
        }
    }

    @Test func `the list names each field once`() {
        let encodings = (0..<VMCSFieldDescription.count).map { VMCSFieldDescription.field(at: $0).encoding.rawValue }
        #expect(Set(encodings).count == encodings.count)
        #expect(VMCSFieldDescription.name(of: .init(rawValue: 0x6802)).description == "guest CR3")
        #expect(VMCSFieldDescription.name(of: .init(rawValue: 0x7FFF)).description == "unknown field")
    }

    @Test func `penryn has no field of the secondary controls`() {
        let capabilities = CapabilitySet.penryn.capabilities
        for encoding in [0x401E, 0x201A, 0x0000, 0x2014, 0x482E, 0x2806, 0x2C02] as [UInt32] {
            #expect(!VMCSFieldEncoding(rawValue: encoding).exists(capabilities), "\(String(encoding, radix: 16))")
        }
        for encoding in [0x4002, 0x2012, 0x401C, 0x6800, 0x2004, 0x600E] as [UInt32] {
            #expect(VMCSFieldEncoding(rawValue: encoding).exists(capabilities), "\(String(encoding, radix: 16))")
        }
    }
}
