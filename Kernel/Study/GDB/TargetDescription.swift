import Text
import X86

extension RegisterLayout {
    /// Writes the description that GDB reads as target.xml ("Target Description Format" in its manual), made of the layout
    /// itself so that the two never disagree.
    func describe(to output: inout some TextOutput) {
        output.write("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target><architecture>")
        output.write(architecture)
        output.write("</architecture><osabi>none</osabi>")
        for number in 0..<count {
            guard let register = register(UInt64(number)) else { continue }
            if let feature = feature(startingAt: number) {
                if number > 0 { output.write("</feature>") }
                output.write("<feature name=\"")
                output.write(feature.name)
                output.write("\">")
                describeFlags(of: feature, to: &output)
            }
            output.write("<reg name=\"")
            output.write(register.name)
            output.write("\" bitsize=\"")
            output.write(decimal: UInt64(8 * register.size))
            output.write("\" type=\"")
            if let type = register.type {
                output.write(type)
            } else {
                output.write("int")
                output.write(decimal: UInt64(8 * register.size))
            }
            output.write("\"/>")
        }
        output.write("</feature></target>")
    }

    /// The types of flags that the registers of a feature have.
    private func describeFlags(of feature: DescribedFeature, to output: inout some TextOutput) {
        switch feature {
        case .core: describe(RFlags.self, as: "eflags", size: 4, to: &output)
        case .segments: break
        case .system:
            describe(ControlRegister0.self, as: "cr0", size: wordSize, to: &output)
            describe(ControlRegister4.self, as: "cr4", size: wordSize, to: &output)
            describe(ExtendedFeatureEnable.self, as: "efer", size: 8, to: &output)
        }
    }

    private func describe<Flags: FlagSet>(
        _: Flags.Type, as name: StaticString, size: Int, to output: inout some TextOutput
    ) {
        output.write("<flags id=\"")
        output.write(name)
        output.write("\" size=\"")
        output.write(decimal: UInt64(size))
        output.write("\">")
        for bit in 0..<8 * size {
            guard let field = Flags.name(ofBit: bit) else { continue }
            output.write("<field name=\"")
            output.write(field)
            output.write("\" start=\"")
            output.write(decimal: UInt64(bit))
            output.write("\" end=\"")
            output.write(decimal: UInt64(bit))
            output.write("\"/>")
        }
        output.write("</flags>")
    }
}

/// A part of a text, for a packet: what comes before an offset and after a length is left out.
struct TextWindow: TextOutput {
    private(set) var packet: PacketWriter
    private var skipped: UInt64
    private var room: UInt64
    /// There is more of the text.
    private(set) var isCut = false

    init(_ packet: PacketWriter, skipping skipped: UInt64, room: UInt64) {
        self.packet = packet
        self.skipped = skipped
        self.room = room
    }

    mutating func write(byte: UInt8) {
        if skipped > 0 {
            skipped -= 1
        } else if room > 0, packet.room >= 2 {  // the byte may need an escape
            room -= 1
            packet.write(binary: byte)
        } else {
            isCut = true
            room = 0
        }
    }
}
