import Testing

@testable import Devices

@Suite struct CRTControllerTests {
    @Test func `a write and a read go to the register that was chosen`() {
        var controller = CRTController()
        for (index, value): (UInt8, UInt8) in [(0x0E, 0x03), (0x0F, 0xC1), (0x0A, 0x06), (0x0B, 0x07)] {
            controller.write(0, index)
            controller.write(1, value)
        }
        controller.write(0, 0x0E)
        #expect(controller.read(0) == 0x0E && controller.read(1) == 0x03)
        controller.write(0, 0x0F)
        #expect(controller.read(1) == 0xC1 && controller.cursor == 0x3C1)
    }

    @Test func `the cursor is not seen when it is off or ends before it begins`() {
        var controller = CRTController()
        #expect(controller.cursor == 0)
        controller.write(0, 0x0A)
        controller.write(1, 0x20)
        #expect(controller.cursor == nil)
        controller.write(1, 0x0F)
        #expect(controller.cursor == nil)
    }

    @Test func `an index without a register reads zero, and the timing is protected as mode 3 leaves it`() {
        var controller = CRTController()
        for index: UInt8 in 0x19...0xFF {
            controller.write(0, index)
            if controller.read(0) > 0x18 {
                controller.write(1, 0xFF)
                #expect(controller.read(1) == 0)
            }
        }
        controller.write(0, 0)
        controller.write(1, 0xAA)
        #expect(controller.read(1) == 0x5F)
        controller.write(0, 0x11)
        controller.write(1, 0x0E)
        controller.write(0, 0)
        controller.write(1, 0xAA)
        #expect(controller.read(1) == 0xAA)
    }
}
