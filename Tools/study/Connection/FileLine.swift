import Foundation

/// The line to the agent over a socket or a serial port.
final class FileLine: AgentLine {
    private let polled: PolledFile
    private let poller: Poller

    init(_ file: Int32, _ poller: Poller) {
        polled = PolledFile(file, poller)
        self.poller = poller
    }

    func receive(timeout: Double) -> [UInt8]? {
        if polled.bytes.isEmpty, !polled.isAtEnd { poller.wait(timeout) }
        if !polled.bytes.isEmpty { return polled.takeAll() }
        return polled.isAtEnd ? nil : []
    }

    func send(_ bytes: [UInt8]) { if !polled.isAtEnd { Poller.write(bytes, to: polled.file) } }
}

/// Ways to get at the machine's second serial port.
enum Port {
    /// A serial port of this machine's, such as /dev/ttyS0: 115200 bits a second, 8 data bits, no parity, one stop bit, raw.
    static func open(device: String) throws(Complaint) -> Int32 {
        let file = Foundation.open(device, O_RDWR | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else { throw failure(device) }
        var settings = termios()
        guard isatty(file) != 0, tcgetattr(file, &settings) == 0 else { return file }
        cfmakeraw(&settings)
        settings.c_cflag = settings.c_cflag & ~tcflag_t(CSTOPB | PARENB) | tcflag_t(CLOCAL | CREAD | CS8)
        cfsetspeed(&settings, speed_t(B115200))
        guard tcsetattr(file, TCSANOW, &settings) == 0 else { throw failure(device) }
        tcflush(file, TCIOFLUSH)
        return file
    }

    /// Another program's TCP port, HOST:PORT.
    static func connect(host: String, port: String) throws(Complaint) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &list) == 0 else { throw Complaint("\(host):\(port): unknown host or port") }
        defer { freeaddrinfo(list) }
        var next = list
        while let place = next {
            let file = socket(place.pointee.ai_family, place.pointee.ai_socktype, 0)
            if file >= 0, Foundation.connect(file, place.pointee.ai_addr, place.pointee.ai_addrlen) == 0 { return ready(file) }
            if file >= 0 { close(file) }
            next = place.pointee.ai_next
        }
        throw failure("\(host):\(port)")
    }

    /// A socket in the file system.
    static func connect(path: String) throws(Complaint) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Complaint("\(path): the name is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isConnected else { throw failure(path) }
        return ready(file)
    }

    /// Listens on a TCP port of this host's own, any that is free for 0.
    /// - Returns: nil if it is taken.
    static func listen(on port: UInt16) -> (file: Int32, port: UInt16)? {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, length) == 0 && Foundation.listen(file, 8) == 0 && getsockname(file, $0, &length) == 0
            }
        }
        guard isBound else {
            close(file)
            return nil
        }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        return (file, UInt16(bigEndian: address.sin_port))
    }

    static func accept(_ listener: Int32) -> Int32? {
        let file = Foundation.accept(listener, nil, nil)
        return file >= 0 ? ready(file) : nil
    }

    /// A socket on which nothing waits: not for a buffer to fill, nor a reader for bytes.
    private static func ready(_ file: Int32) -> Int32 {
        var on: Int32 = 1
        setsockopt(file, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK)
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        return file
    }

    private static func failure(_ name: String) -> Complaint { Complaint("\(name): \(String(cString: strerror(errno)))") }
}
