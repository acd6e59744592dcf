import Text
import VMX
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
                text += "<reg name=\"\(register.name)\" bitsize=\"\(8 * register.size)\" type=\"\(register.type)\"/>"
            }
            text += "</feature>"
        }
        return text + "</target>"
    }

    /// A field for each of the VMCS's.
    private func structure(of register: DescribedRegister) -> String {
        guard case .fields(let fields) = register.source else { return "" }
        let members = fields.compactMap { VMCSFieldDescription.position(of: $0) }.map {
            "<field name=\"\(DescribedRegister.name(.field(at: $0)))\" type=\"uint64\"/>"
        }
        return "<struct id=\"\(register.type)\">\(members.joined())</struct>"
    }

    /// The types of flags that the registers of a feature have.
    private func flags(of feature: DescribedFeature) -> String {
        feature.registers.map { register in
            switch register.type {
            case "eflags": flags(RFlags.self, of: register)
            case "cr0": flags(ControlRegister0.self, of: register)
            case "cr4": flags(ControlRegister4.self, of: register)
            case "efer": flags(ExtendedFeatureEnable.self, of: register)
            case "vmcs": structure(of: register)
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
