// The public documents that rules rest on, under short names. Who measured on what is in the name,
// because it is half of what the claim is worth.
#ifndef ANEX_SERVER_MIL_ANE_ANE_SOURCES_H_
#define ANEX_SERVER_MIL_ANE_ANE_SOURCES_H_

#include <string_view>

namespace anex::mil {

inline constexpr std::string_view kOrion = "mechramc/Orion docs/ane_constraints.md (M4 Max)";
inline constexpr std::string_view kFieldGuide =
    "skyfallsin/apple-neural-engine-field-guide README.md (M3 Max, macOS 26.3.1)";
inline constexpr std::string_view kGuideNumerics = "sbryngelson/ane-guide ch. 3 (M1, M2, M5)";
inline constexpr std::string_view kGuideOps = "sbryngelson/ane-guide ch. 4 (M1)";
inline constexpr std::string_view kGuideRules = "sbryngelson/ane-guide ch. 17 (M1)";
inline constexpr std::string_view kGuidePitfalls = "sbryngelson/ane-guide ch. 19 (M1)";
inline constexpr std::string_view kGuideMatrix =
    "sbryngelson/ane-guide appendix A (M1, M2, M5 run; M3, M4 from Apple's tables)";
inline constexpr std::string_view kForgeSweep =
    "sbryngelson/ANEForge full_mil_vocabulary_sweep.json (M1 class, ANE only)";
inline constexpr std::string_view kForgeQuirks =
    "sbryngelson/ANEForge docs/developer/op-quirks.md (M1)";
inline constexpr std::string_view kForgeCliffs =
    "sbryngelson/ANEForge docs/numeric-cliffs.md (M2 Pro, M5)";
inline constexpr std::string_view kStudyDispatch =
    "751K/Apple-Neural-Engine-Microarchitecture-Study-M6 notes/coreml_dispatch.md (M4, macOS 27)";
inline constexpr std::string_view kStudyNumerics =
    "751K/Apple-Neural-Engine-Microarchitecture-Study-M6 notes/numerics.md (M4, M6)";
inline constexpr std::string_view kStudyDefects =
    "751K/Apple-Neural-Engine-Microarchitecture-Study-M6 notes/defects.md (M6, macOS 27)";
inline constexpr std::string_view kAneTrain =
    "imperatormk/ane-train ANE_TRAINING.md (M1, M1 Pro, macOS 26)";
inline constexpr std::string_view kRustane = "ncdrone/rustane README.md (M4 Max)";
inline constexpr std::string_view kRustaneUltra = "ncdrone/rustane pull request 9 (M3 Ultra, 26.3)";
inline constexpr std::string_view kMaderix = "maderix/ANE README.md (M4)";
inline constexpr std::string_view kMaderixM5 = "maderix/ANE pull request 35 (M5)";
inline constexpr std::string_view kMaderixM1 = "maderix/ANE pull request 6 (M1 Pro, macOS 26.3)";
inline constexpr std::string_view kMaderixBridge = "maderix/ANE pull request 22 (M series)";
inline constexpr std::string_view kMaderixProbe =
    "maderix/ANE training/m5result.md (M5, macOS 26.3)";
inline constexpr std::string_view kEspressoNotes =
    "hollance/neural-engine issue 44, by the author of Espresso (M3 Max)";
inline constexpr std::string_view kAppleTransformers =
    "Apple, Deploying Transformers on the Apple Neural Engine (2022)";

}  // namespace anex::mil

#endif  // ANEX_SERVER_MIL_ANE_ANE_SOURCES_H_
