import Text

/// Text for the debugger's console: packets "O", each sent when it is full or the line is at its end.
struct ConsolePackets<Channel: DebugChannel>: TextOutput {
    private let connection: UnsafeMutablePointer<PacketConnection>
    private let channel: UnsafeMutablePointer<Channel>

    /// - Parameters: both must outlive this, and nothing else may send meanwhile.
    init(_ connection: UnsafeMutablePointer<PacketConnection>, _ channel: UnsafeMutablePointer<Channel>) {
        self.connection = connection
        self.channel = channel
        connection.pointee.reply.clear()
    }

    mutating func write(byte: UInt8) {
        if connection.pointee.reply.count == 0 { connection.pointee.reply.write("O") }
        connection.pointee.reply.write(hexByte: byte)
        if byte == 0x0A || connection.pointee.reply.room < 2 { flush() }
    }

    /// Sends what has been written so far.
    mutating func flush() {
        guard connection.pointee.reply.count > 0 else { return }
        connection.pointee.send(over: &channel.pointee)
        connection.pointee.reply.clear()
    }
}
