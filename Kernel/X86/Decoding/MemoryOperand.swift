extension MemoryInstruction {
    /// How the address of a ModRM operand is computed, as encoded in the instruction; most accesses never need it.
    public struct Operand: Equatable, Sendable {
        /// How ModRM is to be read.
        enum Form: Equatable, Sendable { case none, short, long, ripRelative }

        var form = Form.none
        var modRM: UInt8 = 0
        var sib: UInt8 = 0
        var rex: UInt8 = 0
        public var displacement: Int64 = 0

        /// Relative to the end of the instruction.
        public var isRIPRelative: Bool { form == .ripRelative }

        private var mod: UInt8 { modRM >> 6 }
        private var rm: UInt8 { modRM & 7 }
        private var hasSIB: Bool { form == .long && rm == 4 }

        /// The register of `size` bytes that ModRM also names. Without REX, byte registers 4 to 7 are AH, CH, DH and BH.
        @inline(__always)
        func register(size: Int) -> Register {
            let number = modRM >> 3 & 7
            if size == 1, rex == 0, number >= 4 { return .init(number: number - 4, isHighByte: true) }
            return .init(number: number | rex << 1 & 8)
        }

        /// The number of the base register, if there is one.
        @inline(__always)
        public var base: UInt8? {
            switch form {
            case .none, .ripRelative: return nil
            case .short:
                if mod == 0, rm == 6 { return nil }
                switch rm {
                case 0, 1, 7: return 3
                case 2, 3, 6: return 5
                case 4: return 6
                default: return 7
                }
            case .long:
                let number = hasSIB ? sib & 7 : rm
                return mod == 0 && number == 5 ? nil : number | rex << 3 & 8
            }
        }

        /// The number of the base register of an operand with only a displacement besides, and no SIB byte: by far the most
        /// frequent form.
        @inline(__always)
        public var simpleBase: UInt8? {
            form == .long && rm != 4 && (mod != 0 || rm != 5) ? rm | rex << 3 & 8 : nil
        }

        /// The number of the index register, if there is one.
        @inline(__always)
        public var index: UInt8? {
            if form == .short { return rm < 4 ? (rm & 1 == 0 ? 6 : 7) : nil }
            guard hasSIB else { return nil }
            let number = sib >> 3 & 7 | rex << 2 & 8
            return number == 4 ? nil : number
        }

        /// The index is shifted left by this, 0 to 3.
        public var scale: UInt8 { hasSIB ? sib >> 6 : 0 }

        /// SP and BP as a base select the stack segment (SDM volume 1, "Specifying a Segment Selector").
        public var defaultSegment: SegmentRegister { base == 4 || base == 5 ? .ss : .ds }
    }
}
