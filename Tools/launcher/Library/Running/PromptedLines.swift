/// Lines that go to the guest one by one, each when it prompts, and end-of-file as Ctrl-D.
struct PromptedLines {
    private let prompt: [UInt8]
    /// Input that has not been requested yet.
    private var lines: [UInt8] = []
    private var isComplete = false
    private var isOver = false
    /// The end of the guest's output since the last answer.
    private var printed: [UInt8] = []

    init(prompt: String) { self.prompt = Array(prompt.utf8) }

    /// Adds input; nil is the end.
    mutating func add(_ bytes: [UInt8]?) {
        if let bytes { lines += bytes.filter { $0 != 0 } } else { isComplete = true }
    }

    /// Whether there is enough to answer with.
    var isSated: Bool { isComplete || lines.count > 4096 && lines.contains(10) }

    /// Takes note of the guest's output.
    mutating func see(_ bytes: [UInt8]) {
        printed += bytes.filter { $0 != 0 }
        if printed.count > 400 { printed.removeFirst(printed.count - 200) }
    }

    /// What to answer, if the guest has prompted.
    mutating func answer() -> [UInt8] {
        guard !isOver, isAsked else { return [] }
        var line: [UInt8]
        if let end = lines.firstIndex(of: 10) {
            line = Array(lines[...end])
            lines.removeSubrange(...end)
        } else if !isComplete {
            return []
        } else if lines.isEmpty {
            line = [4]
            isOver = true
        } else {
            line = lines
            lines = []
        }
        printed = []
        return line
    }

    private var isAsked: Bool {
        // After its prompt, a shell asks for the cursor position.
        var text = printed[...]
        let question = Array("\u{1B}[6n".utf8)
        while text.count >= question.count, Array(text.suffix(question.count)) == question {
            text = text.dropLast(question.count)
        }
        return text.suffix(prompt.count).elementsEqual(prompt)
    }
}
