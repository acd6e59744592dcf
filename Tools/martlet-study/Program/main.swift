import Foundation
import StudyTools

exit(Program.main(Array(CommandLine.arguments.dropFirst())))
