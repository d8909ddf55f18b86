// Steps done for real, in a folder of their own.
#include "client/cli/service/carry_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/exit_code.h"
#include "client/cli/service/templates.h"

namespace anex::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class CarryOutTest : public ::testing::Test {
 protected:
  CarryOutTest() {
    std::string pattern = fs::temp_directory_path() / "anex_steps_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~CarryOutTest() override { fs::remove_all(folder_); }
  std::string Path(const std::string& name) { return (folder_ / name).string(); }
  static std::string Content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static unsigned ModeOf(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
    return st.st_mode & 07777;
  }

  fs::path folder_;
};

TEST_F(CarryOutTest, FoldersGetTheirModeWhateverTheUmask) {
  const mode_t mask = ::umask(027);
  EXPECT_TRUE(CarryOut(MakeFolderStep(Path("a/b/c"), 0755)).ok());
  EXPECT_TRUE(CarryOut(MakeFolderStep(Path("a/b/d"), 0700)).ok());
  ::umask(mask);
  EXPECT_EQ(ModeOf(Path("a/b/c")), 0755u);
  EXPECT_EQ(ModeOf(Path("a/b/d")), 0700u);
  EXPECT_TRUE(CarryOut(SetModeStep(Path("a/b/c"), 0700)).ok());
  EXPECT_EQ(ModeOf(Path("a/b/c")), 0700u);
  std::ofstream(Path("file")) << "x";
  EXPECT_EQ(ExitCodeOf(CarryOut(MakeFolderStep(Path("file/d"), 0700))), kExitFailed);
}

TEST_F(CarryOutTest, AFileIsReplacedAsAWholeAndNothingElseIsLeft) {
  std::ofstream(Path("f")) << "what was there, long";
  std::ofstream(Path("f.new")) << "of one that was interrupted";
  EXPECT_TRUE(CarryOut(WriteFileStep(Path("f"), 0644, "new\n")).ok());
  EXPECT_EQ(Content(Path("f")), "new\n");
  EXPECT_EQ(ModeOf(Path("f")), 0644u);
  EXPECT_FALSE(fs::exists(Path("f.new")));
  const absl::Status s = CarryOut(WriteFileStep(Path("none/f"), 0644, "x"));
  EXPECT_EQ(ExitCodeOf(s), kExitNotFound);
  EXPECT_THAT(std::string(s.message()), HasSubstr("none/f"));
}

TEST_F(CarryOutTest, ALinkThatLiesWhereTheNewFileIsMadeIsNotFollowed) {
  std::ofstream(Path("precious")) << "precious";
  fs::create_symlink(Path("precious"), Path("f.new"));
  EXPECT_TRUE(CarryOut(WriteFileStep(Path("f"), 0644, "new")).ok());
  EXPECT_EQ(Content(Path("precious")), "precious");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(Path("f"))));
}

TEST_F(CarryOutTest, RemovingIsDoneTwiceWithoutHarmAndKeepsWhatIsNotOurs) {
  fs::create_directory(Path("d"));
  std::ofstream(Path("d/f")) << "x";
  EXPECT_TRUE(CarryOut(RemoveFolderStep(Path("d"))).ok());
  EXPECT_TRUE(fs::exists(Path("d/f"))) << "a folder that is not empty stays";
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(CarryOut(RemoveFileStep(Path("d/f"))).ok());
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(CarryOut(RemoveFolderStep(Path("d"))).ok());
  EXPECT_FALSE(fs::exists(Path("d")));
}

TEST_F(CarryOutTest, ACommandThatFailsSaysWhatItSaidAndWhatToDo) {
  EXPECT_TRUE(CarryOut(RunStep({"true"}, "")).ok());
  const absl::Status s =
      CarryOut(RunStep({"sh", "-c", "echo 'no such \033thing' >&2; exit 7"}, "", "ask Ada"));
  EXPECT_THAT(std::string(s.message()),
              AllOf(HasSubstr("code 7"), HasSubstr("no such \\x1bthing"), HasSubstr("ask Ada")));
  EXPECT_EQ(ExitCodeOf(CarryOut(RunStep({"/no/such/program"}, ""))), kExitNotFound);
}

TEST_F(CarryOutTest, WaitingEndsWhenItIsSoAndNotLater) {
  EXPECT_TRUE(CarryOut(WaitStep({"false"}, "", 0)).ok());
  EXPECT_TRUE(CarryOut(WaitStep({"echo", "pid = 12"}, "pid = 1\n", 0)).ok());
  const absl::Status still = CarryOut(WaitStep({"echo", "pid = 1"}, "pid = 1\n", 0));
  EXPECT_EQ(ExitCodeOf(still), kExitTimeout);
  EXPECT_EQ(ExitCodeOf(CarryOut(WaitStep({"true"}, "", 0))), kExitTimeout);
  // Three looks: two files to take away, then none.
  std::ofstream(Path("1")) << "x";
  std::ofstream(Path("2")) << "x";
  const std::string script = "cd '" + folder_.string() + "'; rm 1 2>/dev/null && exit 0; rm 2";
  EXPECT_TRUE(CarryOut(WaitStep({"sh", "-c", script + " 2>/dev/null"}, "", 20)).ok());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST(Templates, PlacesAreFilledOnceAndOthersStay) {
  const std::map<std::string, std::string> values = {{"A", "@B@"}, {"B", "b"}};
  EXPECT_EQ(FillTemplate("x@A@y@B@", values), "x@B@yb");
  EXPECT_EQ(FillTemplate("mail@host @B@ @", values), "mail@host b @");
  EXPECT_EQ(FillTemplate("@C@B@", values), "@Cb");
  EXPECT_EQ(XmlText("a<b>&c\""), "a&lt;b&gt;&amp;c\"");
  EXPECT_EQ(UnitWord("a\\b %h \"c\""), "\"a\\\\b %%h \\\"c\\\"\"");
}

TEST(Steps, AreSaidAsAShellTakesThem) {
  EXPECT_EQ(ShellWords({"tail", "-n", "3", "a b", "it's", "", "$HOME"}),
            "tail -n 3 'a b' 'it'\\''s' '' '$HOME'");
  EXPECT_EQ(DescribeStep(WriteFileStep("/a/b", 0644, "12345")), "write /a/b (mode 0644, 5 bytes)");
  EXPECT_THAT(DescribeStep(WaitStep({"p"}, "", 9)), HasSubstr("9 s at most, until p fails"));
}

}  // namespace
}  // namespace anex::cli
