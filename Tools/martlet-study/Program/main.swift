import StudyTools
