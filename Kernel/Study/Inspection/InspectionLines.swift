import Text

extension TextOutput {
    /// Writes a line. One longer than 112 columns is broken between words, the rest indented by two columns more.
    mutating func line(_ line: Line) {
        var indentation = 0
        while indentation < line.count, line[indentation] == 0x20 { indentation += 1 }
        var start = 0
        var width = 112
        while line.count - start > width {
            var end = start + width
            while end > start + indentation, line[end] != 0x20 { end -= 1 }
            // A word as long as a line stays whole.
            if end == start + indentation { break }
            for position in start..<end { write(byte: line[position]) }
            write(byte: 0x0A)
            pad(from: 0, to: indentation + 2)
            start = end + 1
            width = 110 - indentation
            indentation = min(indentation, 40)
        }
        for position in start..<line.count { write(byte: line[position]) }
        write(byte: 0x0A)
    }
}
