import Text
import X86

extension RegisterLayout {
    /// The description that GDB reads as target.xml ("Target Description Format" in its manual), made of the layout itself so
    /// that the two never disagree.
    var description: String {
        var text = "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target><architecture>\(code.architecture)"
        text += "</architecture><osabi>none</osabi>"
        for feature in features {
            text += "<feature name=\"\(feature.name)\">\(flags(of: feature))"
            for register in feature.registers {
                text += "<reg name=\"\(register.name)\" bitsize=\"\(8 * register.size)\" type=\"\(register.type)\""
                if let group = register.group { text += " group=\"\(group)\"" }
                text += "/>"
            }
            text += "</feature>"
        }
        return text + "</target>"
    }

    /// The types of flags that the registers of a feature have.
    private func flags(of feature: DescribedFeature) -> String {
        feature.registers.map { register in
            switch register.type {
            case "eflags": flags(RFlags.self, of: register)
            case "cr0": flags(ControlRegister0.self, of: register)
            case "cr4": flags(ControlRegister4.self, of: register)
            case "efer": flags(ExtendedFeatureEnable.self, of: register)
            default: ""
            }
        }.joined()
    }

    private func flags<Flags: FlagSet>(_: Flags.Type, of register: DescribedRegister) -> String {
        let fields = (0..<8 * register.size).compactMap { bit in
            Flags.name(ofBit: bit).map { "<field name=\"\($0)\" start=\"\(bit)\" end=\"\(bit)\"/>" }
        }
        return "<flags id=\"\(register.type)\" size=\"\(register.size)\">\(fields.joined())</flags>"
    }
}
