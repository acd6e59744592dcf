extension RunRequest {
    /// Martlet's own memory, beside the guest's.
    private static let ownMebibytes = 64

    /// The machine's memory in MiB: the guest's, the files that the loader puts beside it, and Martlet's own.
    func machineMebibytes(_ files: GuestFiles) -> Int {
        var size = memory.mebibytes + files.mebibytes() + RunRequest.ownMebibytes
        // The records about each frame take a hundredth of the guest's memory.
        if let shadow { size += shadow.mebibytes + memory.mebibytes / 100 }
        return max(size, 128)
    }

    /// The same on Bochs.
    func bochsMebibytes(_ files: GuestFiles) throws(Failure) -> Int {
        let most = Bochs.mostMebibytes
        let taken = files.mebibytes()
        let size = machineMebibytes(files)
        guard size <= most else {
            let room = most - RunRequest.ownMebibytes - taken
            guard room >= 2 else {
                throw .badUsage(
                    "GUEST and MODULES do not fit: they take \(taken) MiB, and Bochs has at most \(most)M; use smaller ones")
            }
            let files = taken < 2 ? "" : ", the files of GUEST and MODULES take \(taken) MiB"
            throw .badUsage(
                "MEMORY=\(memory.text) does not fit: Bochs has at most \(most)M\(files), which leaves \(room)M for the guest")
        }
        // A whole aligned GiB must be free beside Martlet.
        if memory.mebibytes >= 1024 { return most }
        // As much again is kept free for the roots that a guest under shadow tables loads without exits, each at its own address.
        return shadow == nil ? size : min(size + memory.mebibytes, most)
    }

    /// The same on QEMU.
    func qemuMebibytes(_ files: GuestFiles) -> Int {
        guard words[.large] == "1g" else { return machineMebibytes(files) }
        // From 3 GiB on, QEMU puts the memory beyond the first two GiB above 4 GiB: there every GiB is whole and aligned.
        return (memory.mebibytes + 1023) / 1024 * 1024 + 2048 + files.mebibytes()
    }

    /// Whether the guest and the Linux around it fit in Bochs: besides the memory of QEMU's machine, Linux holds the files twice,
    /// as its initramfs and unpacked.
    func checkNestedMemory(_ files: GuestFiles) throws(Failure) {
        let needed = machineMebibytes(files) + 2 * files.mebibytes() + 200
        guard needed <= Bochs.mostMebibytes else {
            throw .badUsage(
                """
                the guest does not fit: MEMORY=\(memory.text) and its files need \(needed) MiB, including the Linux around them, \
                but Bochs has at most \(Bochs.mostMebibytes)M; use a smaller MEMORY
                """)
        }
    }
}
