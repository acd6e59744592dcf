/// The debug console of Bochs and QEMU at port E9h: what is written is text; what is read shows that it is there.
public enum DebugConsole {
    public static var port: UInt16 { 0xE9 }

    public static func read() -> UInt8 { 0xE9 }
}
