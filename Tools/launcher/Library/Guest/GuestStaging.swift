import Foundation

extension RunRequest {
    /// Puts the kernel, the guest and its modules where a machine finds them.
    mutating func stage(in folder: String, _ checkout: Checkout) throws(Failure) -> GuestFiles {
        var files = try GuestFiles(folder: folder, kernel: kernel)
        if isTour {
            guard words.given(.commandLine) == nil, words.given(.modules) == nil else {
                throw .badUsage("CMDLINE and MODULES need a GUEST: the tour takes neither")
            }
            return files
        }
        let guest = try guestFile(checkout)
        // Martlet's own guests are known to be flat binaries.
        if flat.isEmpty, guest.hasPrefix(checkout.guests + "/") { flat = "on" }
        try files.add(guest, words[.commandLine])
        try files.addList(words[.modules])
        // Only the loader knows how much memory the guest's image takes.
        let needed = files.mebibytes(from: 1)
        guard needed <= memory.mebibytes else {
            throw .badUsage(
                "MODULES do not fit in the guest's MEMORY=\(memory.text): they take \(needed) MiB; increase MEMORY")
        }
        return files
    }

    private func guestFile(_ checkout: Checkout) throws(Failure) -> String {
        let name = words[.guest]
        if !name.contains("/") {
            for candidate in ["", ".elf", ".bin"].map({ "\(checkout.guests)/\(name)\($0)" }) where isFile(candidate) {
                return candidate
            }
        }
        guard !isFile(name) else { return name }
        throw .badUsage(
            name.contains("/")
                ? "GUEST=\(name): there is no such file"
                : "GUEST=\(name) is neither a guest nor a file: the guests are \(guestNames(checkout))")
    }

    private func guestNames(_ checkout: Checkout) -> String {
        let built = (try? FileManager.default.contentsOfDirectory(atPath: checkout.guests)) ?? []
        let names = built.filter { $0.hasSuffix(".elf") || $0.hasSuffix(".bin") }.map { String($0.dropLast(4)) }
        return (["tour"] + names.sorted()).joined(separator: ", ")
    }
}
