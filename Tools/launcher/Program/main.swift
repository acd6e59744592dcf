import Foundation
import LauncherTools

exit(Launcher.main(Array(CommandLine.arguments.dropFirst())))
