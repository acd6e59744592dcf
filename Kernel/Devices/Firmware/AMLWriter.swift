/// ACPI machine language, as much as is needed to describe devices (ACPI specification 6.3, 20.2 "AML Grammar Definition").
extension TableWriter {
    /// A package's length, in as few bytes as possible, and its contents: 4095 bytes at most.
    mutating func package(_ contents: (inout Self) -> Void) {
        let start = next
        byte(0)
        contents(&self)
        let length = next - start
        if length < 0x40 { return patch(length, count: 1, at: start) }
        moveOn(from: start + 1)
        patch(0x40 | (length + 1) & 0xF | ((length + 1) >> 4) << 8, count: 2, at: start)
    }

    /// What follows belongs to an existing object.
    mutating func scope(_ path: StaticString, _ contents: (inout Self) -> Void) {
        byte(0x10)
        package {
            $0.text(path)
            contents(&$0)
        }
    }

    /// A device with a name of four characters.
    mutating func device(_ name: StaticString, _ contents: (inout Self) -> Void) {
        byte(0x5B)
        byte(0x82)
        package {
            $0.text(name)
            contents(&$0)
        }
    }

    /// The named object whose value is written next.
    mutating func name(_ name: StaticString) {
        byte(0x08)
        text(name)
    }

    mutating func integer(_ value: UInt32) {
        switch value {
        case 0: byte(0x00)
        case 1: byte(0x01)
        case 2...0xFF:
            byte(0x0A)
            byte(UInt8(truncatingIfNeeded: value))
        case 0x100...0xFFFF:
            byte(0x0B)
            word(UInt16(truncatingIfNeeded: value))
        default:
            byte(0x0C)
            doubleWord(value)
        }
    }

    mutating func name(_ object: StaticString, integer value: UInt32) {
        name(object)
        integer(value)
    }

    mutating func name(_ object: StaticString, text value: StaticString) {
        name(object)
        byte(0x0D)
        text(value)
        byte(0)
    }

    /// _HID with a Plug and Play identifier: three letters, and four hexadecimal digits as a number.
    mutating func hardwareIdentifier(_ letters: StaticString, _ product: UInt16) {
        name("_HID")
        var compressed: UInt16 = 0
        for index in 0..<3 { compressed = compressed << 5 | UInt16(letters.utf8Start[index] & 0x1F) }
        integer(UInt32(compressed.byteSwapped) | UInt32(product.byteSwapped) << 16)
    }

    /// _CRS: a device's current resources, 255 bytes at most (6.4 "Resource Data Types for ACPI").
    mutating func resources(_ contents: (inout Self) -> Void) {
        name("_CRS")
        byte(0x11)
        package {
            $0.byte(0x0A)
            let size = $0.next
            $0.byte(0)
            contents(&$0)
            $0.byte(0x79)  // the end, without a checksum
            $0.byte(0)
            $0.patch($0.next - size - 1, count: 1, at: size)
        }
    }

    /// Fixed ports, decoded with 16 bits.
    mutating func ports(_ first: UInt16, count: UInt16) {
        byte(0x47)
        byte(1)
        word(first)
        word(first)
        byte(1)
        byte(UInt8(count))
    }

    /// An ISA interrupt: edge-triggered, active high, not shared.
    mutating func interrupt(_ line: UInt8) {
        byte(0x22)
        word(1 << UInt16(line & 15))
    }

    /// Addresses that a bridge passes on to its bus.
    mutating func busNumbers(_ first: UInt16, upTo last: UInt16) {
        wordWindow(kind: 2, flags: 0, first, last)
    }

    mutating func portWindow(_ first: UInt16, upTo last: UInt16) {
        wordWindow(kind: 1, flags: 3, first, last)  // ISA ports and others
    }

    private mutating func wordWindow(kind: UInt8, flags: UInt8, _ first: UInt16, _ last: UInt16) {
        byte(0x88)
        word(13)
        byte(kind)
        byte(0x0C)  // a producer; minimum and maximum are fixed
        byte(flags)
        word(0)
        word(first)
        word(last)
        word(0)
        word(last - first + 1)
    }

    mutating func memoryWindow(_ first: UInt32, upTo last: UInt32, isCacheable: Bool) {
        byte(0x87)
        word(23)
        byte(0)
        byte(0x0C)
        byte(isCacheable ? 3 : 1)  // writable
        doubleWord(0)
        doubleWord(first)
        doubleWord(last)
        doubleWord(0)
        doubleWord(last - first + 1)
    }
}
