import Foundation
import LauncherTools

exit(Launcher.main(CommandLine.arguments))
