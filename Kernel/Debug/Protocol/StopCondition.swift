/// What has to hold for a stop to stop the guest: comparisons, joined by "and" and "or".
///
/// All operands have their values at the VM exit. The comparisons are a list, and a program of two bits per step, from the
/// lowest on, says what to do with them: 1 makes the next comparison, 2 and 3 join the last two results by "and" and "or",
/// 0 is the end.
public struct StopCondition: Sendable {
    public struct Operand: Equatable, Sendable {
        public enum Source: Equatable, Sendable {
            case register(GuestRegister)
            /// What belongs only to the exit.
            case exit(ExitField)

            /// The registers by their own numbers, the others after them.
            var number: UInt8 {
                switch self {
                case .register(let register): register.rawValue
                case .exit(let field): field.rawValue
                }
            }

            init?(number: UInt8) {
                if let register = GuestRegister(rawValue: number) {
                    self = .register(register)
                } else if let field = ExitField(rawValue: number) {
                    self = .exit(field)
                } else {
                    return nil
                }
            }
        }

        /// Which part of it counts: for RAX all, EAX, AX, AL, AH.
        public enum Part: UInt8, Sendable { case all, low32, low16, low8, high8 }

        public let source: Source
        public let part: Part

        public init(_ source: Source, _ part: Part = .all) {
            self.source = source
            self.part = part
        }

        public func value(of whole: UInt64) -> UInt64 {
            switch part {
            case .all: whole
            case .low32: whole & 0xFFFF_FFFF
            case .low16: whole & 0xFFFF
            case .low8: whole & 0xFF
            case .high8: whole >> 8 & 0xFF
            }
        }
    }

    public enum ExitField: UInt8, Sendable {
        case cpl = 64
        /// The basic exit reason.
        case reason
        case qualification
        /// The guest-physical address.
        case physical
        /// The guest-linear address.
        case linear
    }

    public enum Relation: UInt8, Sendable {
        case equal, unequal, less, greater, atMost, atLeast
        /// All bits of the value are set.
        case hasBits

        func holds(_ left: UInt64, _ right: UInt64) -> Bool {
            switch self {
            case .equal: left == right
            case .unequal: left != right
            case .less: left < right
            case .greater: left > right
            case .atMost: left <= right
            case .atLeast: left >= right
            case .hasBits: left & right == right
            }
        }
    }

    /// `operand & mask relation value`, unsigned.
    public struct Comparison: Equatable, Sendable {
        public let operand: Operand
        public let mask: UInt64
        public let relation: Relation
        public let value: UInt64

        public init(_ operand: Operand, mask: UInt64 = .max, _ relation: Relation, _ value: UInt64) {
            self.operand = operand
            self.mask = mask
            self.relation = relation
            self.value = value
        }
    }

    public enum Joint: UInt32, Sendable { case and = 2, or = 3 }

    /// A step of the program.
    public enum Step: Equatable, Sendable { case compare(Comparison), join(Joint) }

    /// The maximum number of comparisons.
    public static var capacity: Int { 8 }

    private var comparisons: [8 of Comparison]
    public private(set) var comparisonCount: Int
    private(set) var program: UInt32

    public init(_ comparison: Comparison) {
        comparisons = .init(repeating: comparison)
        comparisonCount = 1
        program = 1
    }

    public func comparison(_ index: Int) -> Comparison { comparisons[index] }

    #if !hasFeature(Embedded)
    /// The program, step by step, for putting it into words.
    public var steps: [Step] {
        var steps: [Step] = []
        var next = 0
        for index in 0..<stepCount {
            if let joint = Joint(rawValue: program >> UInt32(2 * index) & 3) {
                steps.append(.join(joint))
            } else {
                steps.append(.compare(comparisons[next]))
                next += 1
            }
        }
        return steps
    }
    #endif

    /// How many steps the program has.
    private var stepCount: Int { (32 - program.leadingZeroBitCount + 1) / 2 }

    /// This condition and another; nil if together they have too many comparisons.
    public func joined(with other: StopCondition, by joint: Joint) -> StopCondition? {
        guard comparisonCount + other.comparisonCount <= StopCondition.capacity else { return nil }
        var result = self
        for index in 0..<other.comparisonCount { result.comparisons[comparisonCount + index] = other.comparisons[index] }
        result.comparisonCount += other.comparisonCount
        result.program |= other.program << UInt32(2 * stepCount)
        result.program |= joint.rawValue << UInt32(2 * (stepCount + other.stepCount))
        return result
    }

    /// - Parameter value: gives what an operand's source holds.
    func holds(_ value: (Operand.Source) -> UInt64) -> Bool {
        // The results so far, the last in the lowest bit.
        var results: UInt32 = 0
        var next = 0
        var rest = program
        while rest != 0 {
            let isTrue: Bool
            switch rest & 3 {
            case 1:
                let comparison = comparisons.span[next]
                next += 1
                isTrue = comparison.relation.holds(
                    comparison.operand.value(of: value(comparison.operand.source)) & comparison.mask, comparison.value)
            case 2:
                isTrue = results & 3 == 3
                results >>= 2
            default:
                isTrue = results & 3 != 0
                results >>= 2
            }
            results = results << 1 | (isTrue ? 1 : 0)
            rest >>= 2
        }
        return results & 1 != 0
    }
}

extension StopCondition: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        guard left.program == right.program, left.comparisonCount == right.comparisonCount else { return false }
        for index in 0..<left.comparisonCount where left.comparisons[index] != right.comparisons[index] { return false }
        return true
    }
}

// MARK: On the line

extension StopCondition {
    /// The program in 4 bytes, then its comparisons: source, part, relation, mask, value.
    public func encode(to message: inout Message) {
        message.append(program)
        for index in 0..<comparisonCount {
            let comparison = comparisons.span[index]
            message.append(comparison.operand.source.number)
            message.append(comparison.operand.part.rawValue)
            message.append(comparison.relation.rawValue)
            message.append(comparison.mask)
            message.append(comparison.value)
        }
    }

    /// Nil for a program that uses more results than there are, or leaves more or less than one.
    @inline(never)
    init?(program: UInt32, _ reader: inout MessageReader) {
        guard program & 3 == 1 else { return nil }
        var depth = 0
        var count = 0
        var rest = program
        while rest != 0 {
            switch rest & 3 {
            case 0: return nil
            case 1:
                depth += 1
                count += 1
            default:
                depth -= 1
                if depth < 1 { return nil }
            }
            rest >>= 2
        }
        guard depth == 1, count <= StopCondition.capacity, let first = Comparison(&reader) else { return nil }
        self.init(first)
        self.program = program
        for index in 1..<max(count, 1) {
            guard let comparison = Comparison(&reader) else { return nil }
            comparisons[index] = comparison
        }
        comparisonCount = count
    }
}

extension StopCondition.Comparison {
    fileprivate init?(_ reader: inout MessageReader) {
        guard let source = reader.uint8().flatMap({ StopCondition.Operand.Source(number: $0) }),
            let part = reader.uint8().flatMap({ StopCondition.Operand.Part(rawValue: $0) }),
            let relation = reader.uint8().flatMap({ StopCondition.Relation(rawValue: $0) }), let mask = reader.uint64(),
            let value = reader.uint64()
        else { return nil }
        self.init(.init(source, part), mask: mask, relation, value)
    }
}
