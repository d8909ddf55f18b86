#include "server/device/apple/work_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace anex::device::apple {
namespace {

namespace fs = std::filesystem;

class WorkFolderTest : public ::testing::Test {
 protected:
  WorkFolderTest() {
    std::string pattern = ::testing::TempDir() + "/work.XXXXXX";
    base_ = ::mkdtemp(pattern.data());
  }
  ~WorkFolderTest() override { fs::remove_all(base_); }

  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static int ModeOf(const std::string& path) {
    struct stat found {};
    EXPECT_EQ(::lstat(path.c_str(), &found), 0);
    return static_cast<int>(found.st_mode & 0777);
  }
  static ProgramSource Source(const std::string& text) {
    return {.text = text,
            .weights = {{"weights/a.bin", std::make_shared<const std::string>("AA")},
                        {"deep/er/b.bin", std::make_shared<const std::string>("B")}}};
  }

  std::string base_;
};

TEST_F(WorkFolderTest, FilesAreOursAloneAndGoWithTheirFolder) {
  const auto folders = WorkFolders::Open(base_ + "/root/");
  ASSERT_TRUE(folders.ok()) << folders.status();
  auto folder = (*folders)->Put("p1", Source("text"));
  ASSERT_TRUE(folder.ok()) << folder.status();
  const std::string path = (*folder)->path();
  EXPECT_EQ(path, base_ + "/root/p1");
  EXPECT_EQ(Read(path + "/model.mil"), "text");
  EXPECT_EQ(Read(path + "/weights/a.bin"), "AA");
  EXPECT_EQ(Read(path + "/deep/er/b.bin"), "B");
  EXPECT_EQ(ModeOf(path), 0700);
  EXPECT_EQ(ModeOf(path + "/weights"), 0700);
  EXPECT_EQ(ModeOf(path + "/model.mil"), 0600);
  folder->reset();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::exists(base_ + "/root"));
}

TEST_F(WorkFolderTest, WhoHasOneOfTheSameNameSharesIt) {
  const auto folders = *WorkFolders::Open(base_);
  auto first = folders->Put("p", Source("one")), second = folders->Put("p", Source("one"));
  EXPECT_EQ(*first, *second);
  first->reset();
  EXPECT_TRUE(fs::exists(base_ + "/p/model.mil"));
  second->reset();
  EXPECT_FALSE(fs::exists(base_ + "/p"));
}

// As another process would: locks of one file by two descriptors are two.
TEST_F(WorkFolderTest, AnotherProcessSharesItAndTheLastRemovesIt) {
  const auto ours = *WorkFolders::Open(base_), theirs = *WorkFolders::Open(base_);
  auto first = ours->Put("p", Source("one")), second = theirs->Put("p", Source("one"));
  ASSERT_TRUE(first.ok() && second.ok()) << second.status();
  EXPECT_NE(*first, *second);
  first->reset();
  EXPECT_EQ(Read(base_ + "/p/model.mil"), "one");
  second->reset();
  EXPECT_TRUE(fs::is_empty(base_)) << "a folder or a lock was left";
}

TEST_F(WorkFolderTest, ManyProcessesMakeAndRemoveItAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto folders = *WorkFolders::Open(base_);
      for (int i = 0; i < 200; ++i) {
        const auto folder = folders->Put("p", Source("same"));
        ASSERT_TRUE(folder.ok()) << folder.status();
        ASSERT_EQ(Read(base_ + "/p/model.mil"), "same");
        ASSERT_EQ(Read(base_ + "/p/deep/er/b.bin"), "B");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(fs::is_empty(base_));
}

TEST_F(WorkFolderTest, WhatADeadProcessLeftIsReplaced) {
  fs::create_directories(base_ + "/p/weights");
  std::ofstream(base_ + "/p/model.mil") << "stale";
  std::ofstream(base_ + "/p/weights/old.bin") << "stale";
  const auto folders = *WorkFolders::Open(base_);
  const auto folder = folders->Put("p", Source("fresh"));
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(Read(base_ + "/p/model.mil"), "fresh");
  EXPECT_FALSE(fs::exists(base_ + "/p/weights/old.bin"));
}

TEST_F(WorkFolderTest, NamesThatLeadElsewhereAreRefused) {
  const auto folders = *WorkFolders::Open(base_);
  for (const std::string name : {"", ".", "..", "a/b", "../a"}) {
    EXPECT_EQ(folders->Put(name, Source("x")).status().code(), absl::StatusCode::kInvalidArgument);
  }
  for (const std::string file : {"../../escape.bin", "/etc/x", "a//b", ""}) {
    ProgramSource source{.text = "x"};
    source.weights[file] = std::make_shared<const std::string>("x");
    EXPECT_EQ(folders->Put("p", source).status().code(), absl::StatusCode::kInvalidArgument)
        << file;
    EXPECT_FALSE(fs::exists(base_ + "/p")) << "half a program was left";
  }
}

TEST_F(WorkFolderTest, ARootOfOthersIsRefused) {
  fs::create_directory(base_ + "/open");
  ::chmod((base_ + "/open").c_str(), 0755);
  EXPECT_EQ(WorkFolders::Open(base_ + "/open").status().code(),
            absl::StatusCode::kFailedPrecondition);
  fs::create_directory(base_ + "/real");
  ::chmod((base_ + "/real").c_str(), 0700);
  fs::create_symlink(base_ + "/real", base_ + "/link");
  EXPECT_EQ(WorkFolders::Open(base_ + "/link").status().code(),
            absl::StatusCode::kFailedPrecondition);
  std::ofstream(base_ + "/file") << "x";
  EXPECT_FALSE(WorkFolders::Open(base_ + "/file").ok());
  EXPECT_FALSE(WorkFolders::Open(base_ + "/no/such").ok());
}

}  // namespace
}  // namespace anex::device::apple
