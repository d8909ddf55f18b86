// Digests, manifests, eviction, and the cache on disk: nothing that was touched is ever believed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <set>
#include <thread>

#include "server/engine/compile/cache_manifest.h"
#include "server/engine/compile/eviction_policy.h"
#include "tests/engine/compile_fixture.h"

namespace anex::engine::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// --- Digests ---

TEST(ProgramDigest, IsTheSameForEqualProgramsWhateverTheyAreCalled) {
  CachedProgram a = MakeProgram("text"), b = MakeProgram("text");
  b.source.name = "other.mil";
  EXPECT_EQ(DigestOf(a), DigestOf(b));
  EXPECT_TRUE(IsDigest(DigestOf(a)));
}

TEST(ProgramDigest, DiffersWithEveryInputAndWithWhereOneEndsAndTheNextBegins) {
  const CachedProgram base = MakeProgram("text");
  std::vector<CachedProgram> variants(14, base);
  const auto bytes = [](const char* content) {
    return std::make_shared<const std::string>(content);
  };
  variants[1].source.text = "texu";
  variants[2].source.text = "text\n";
  variants[3].target.engine_version = "0.1.1";
  variants[4].target.device = "cpu";
  variants[5].target.compiler_version = "c2";
  variants[6].target.options["numerics"] = "default";
  variants[7].target.options.clear();
  variants[8].source.weights["weights/a.bin"] = bytes("abd");
  variants[9].source.weights.erase("weights/a.bin");
  variants[10].source.weights["weights/c.bin"] = bytes("");
  // The same bytes, cut elsewhere.
  variants[11].target.device = base.target.device + base.target.compiler_version;
  variants[11].target.compiler_version = "";
  variants[12].target.options = {{"numericsr", "eference"}};
  variants[13].target.options = {{"numerics", "reference"}, {"", ""}};
  std::set<std::string> digests;
  for (const CachedProgram& variant : variants) digests.insert(DigestOf(variant));
  EXPECT_EQ(digests.size(), variants.size());
}

TEST(ProgramDigest, OnlyLowerCaseHexIsADigest) {
  const std::string good(64, 'a');
  EXPECT_TRUE(IsDigest(good));
  EXPECT_FALSE(IsDigest(good.substr(1)));
  EXPECT_FALSE(IsDigest(std::string(64, 'A')));
  EXPECT_FALSE(IsDigest("../" + good.substr(3)));
  EXPECT_FALSE(IsDigest(""));
}

// --- Eviction ---

TEST(EvictionPolicy, DropsTheLeastRecentlyUsedUntilTheRestFits) {
  const std::vector<EvictionCandidate> entries = {
      {"new", 30, 300}, {"old", 10, 100}, {"middle", 20, 200}};
  EXPECT_THAT(ChooseEvictions(entries, 60, ""), IsEmpty());
  EXPECT_THAT(ChooseEvictions(entries, 59, ""), ElementsAre("old"));
  EXPECT_THAT(ChooseEvictions(entries, 49, ""), ElementsAre("old", "middle"));
  EXPECT_THAT(ChooseEvictions(entries, 0, ""), ElementsAre("old", "middle", "new"));
  EXPECT_THAT(ChooseEvictions({}, 0, ""), IsEmpty());
}

TEST(EvictionPolicy, KeepsTheEntryThatWasJustWrittenToTheLast) {
  const std::vector<EvictionCandidate> entries = {{"a", 10, 1}, {"b", 10, 2}, {"c", 10, 2}};
  EXPECT_THAT(ChooseEvictions(entries, 10, "a"), ElementsAre("b", "c"));
  EXPECT_THAT(ChooseEvictions(entries, 9, "a"), ElementsAre("b", "c", "a"));
}

TEST(EvictionPolicy, NeverDropsMoreThanItMustNorLess) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::vector<EvictionCandidate> entries(random() % 12);
    uint64_t total = 0;
    std::map<std::string, EvictionCandidate> by_name;
    for (size_t i = 0; i < entries.size(); ++i) {
      entries[i] = {std::to_string(i), random() % 100, static_cast<int64_t>(random() % 5)};
      total += entries[i].bytes;
      by_name[entries[i].digest] = entries[i];
    }
    const uint64_t quota = random() % 400;
    const std::vector<std::string> drop = ChooseEvictions(entries, quota, "");
    uint64_t left = total;
    for (size_t i = 0; i < drop.size(); ++i) {
      ASSERT_GT(left, quota) << "dropped though it fitted";
      left -= by_name.at(drop[i]).bytes;
      by_name.erase(drop[i]);
    }
    ASSERT_LE(left, quota);
    for (const auto& [name, kept] : by_name) {
      for (const std::string& gone : drop) {
        ASSERT_GE(kept.last_used_ns, entries[std::stoul(gone)].last_used_ns);
      }
    }
  }
}

// --- Manifests ---

CacheManifest SmallManifest() {
  CacheManifest manifest;
  manifest.digest = Sha256Hex("x");
  manifest.name = "a \"name\"\nwith a break";
  manifest.target = {"0.1", "cpu", "c1", {{"numerics", "default"}}};
  manifest.created_unix_s = 1700000000;
  manifest.files = {{CachedFile::Kind::kWeight, "w/1.bin", {3, Sha256Hex("abc")}},
                    {CachedFile::Kind::kText, "", {0, Sha256Hex("")}},
                    {CachedFile::Kind::kWeight, "w/2.bin", {1, Sha256Hex("d")}},
                    {CachedFile::Kind::kArtifact, "net.plist", {1, Sha256Hex("e")}}};
  return manifest;
}

TEST(CacheManifest, ComesBackAsItWas) {
  const CacheManifest manifest = SmallManifest();
  const std::string bytes = EncodeManifest(manifest);
  const CacheManifest back = DecodeManifestUntrusted(bytes).value();
  EXPECT_EQ(EncodeManifest(back), bytes);
  EXPECT_EQ(back.name, manifest.name);
  EXPECT_EQ(back.target.options, manifest.target.options);
  EXPECT_EQ(back.files[2].path, "w/2.bin");
  EXPECT_THAT(back.DiskNames(), ElementsAre("weight.0", "text.mil", "weight.1", "artifact.0"));
}

TEST(CacheManifest, RefusesWhatIsSealedRightButSaysNonsense) {
  const auto seal = [](const std::string& body) {
    return body + "\n{\"sha256\":\"" + Sha256Hex(body) + "\"}\n";
  };
  for (const char* body : {"", "{}", "[]", "null", "{\"format\":\"1\"}", "{\"format\":-1}",
                           "{\"format\":1}", "{\"format\":1,\"digest\":7}", "not json"}) {
    EXPECT_EQ(DecodeManifestUntrusted(seal(body)).status().code(), absl::StatusCode::kDataLoss)
        << body;
  }
  EXPECT_EQ(DecodeManifestUntrusted(seal("{\"format\":2}")).status().code(),
            absl::StatusCode::kNotFound);
  // Every field once gone, once of another type; two texts; none.
  const std::string good = EncodeManifest(SmallManifest());
  const std::string body = good.substr(0, good.find('\n'));
  for (const char* field :
       {"digest", "name", "device", "compiler_version", "engine_version", "options",
        "created_unix_s", "files", "kind", "path", "size", "\"sha256"}) {
    std::string broken = body;
    broken.replace(broken.find(field), 1, "Z");
    EXPECT_EQ(DecodeManifestUntrusted(seal(broken)).status().code(), absl::StatusCode::kDataLoss)
        << field;
  }
  CacheManifest texts = SmallManifest();
  texts.files[0].kind = CachedFile::Kind::kText;
  EXPECT_FALSE(DecodeManifestUntrusted(EncodeManifest(texts)).ok());
}

// --- The cache ---

class ArtifactCacheTest : public ::testing::Test {
 protected:
  std::unique_ptr<ArtifactCache> OpenCache(uint64_t quota = 1 << 20) {
    return std::make_unique<ArtifactCache>(
        ArtifactCacheOptions{folder(), quota, reports_.Sink(), before_write_step_});
  }
  std::string folder() const { return (scratch_.path() / "cache").string(); }
  fs::path entry(const CachedProgram& program) const {
    return fs::path(folder()) / DigestOf(program);
  }
  static std::vector<std::string> Names(const fs::path& path) {
    std::vector<std::string> names;
    for (const auto& item : fs::directory_iterator(path)) names.push_back(item.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  static void ExpectEqual(const CachedProgram& got, const CachedProgram& want) {
    EXPECT_EQ(got.source.text, want.source.text);
    ASSERT_EQ(got.source.weights.size(), want.source.weights.size());
    for (const auto& [path, bytes] : want.source.weights) {
      EXPECT_EQ(*got.source.weights.at(path), *bytes) << path;
    }
    ASSERT_EQ(got.files.size(), want.files.size());
    for (const auto& [path, bytes] : want.files) EXPECT_EQ(*got.files.at(path), *bytes) << path;
    EXPECT_EQ(got.target.options, want.target.options);
  }
  // Damages the entry, and expects that a read detects it, takes it away, and that storing mends
  // it.
  void ExpectDetected(ArtifactCache& cache, const CachedProgram& program, const std::string& what) {
    const uint64_t corrupt = cache.counters().corrupt;
    const auto loaded = cache.Load(DigestOf(program));
    ASSERT_EQ(loaded.status().code(), absl::StatusCode::kDataLoss) << what;
    EXPECT_EQ(cache.counters().corrupt, corrupt + 1) << what;
    EXPECT_FALSE(fs::exists(entry(program))) << what;
    EXPECT_EQ(cache.Load(DigestOf(program)).status().code(), absl::StatusCode::kNotFound) << what;
    ASSERT_TRUE(cache.Store(DigestOf(program), program).ok()) << what;
  }

  ScratchFolder scratch_;
  Reports reports_;
  std::function<void(std::string_view)> before_write_step_;
};

TEST_F(ArtifactCacheTest, GivesBackWhatWasStoredAlsoToTheNextProcess) {
  const CachedProgram program = MakeProgram("some text");
  EXPECT_EQ(OpenCache()->Load(DigestOf(program)).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(OpenCache()->Store(DigestOf(program), program).ok());
  const auto loaded = OpenCache()->Load(DigestOf(program));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ExpectEqual(*loaded, program);
  EXPECT_EQ(loaded->source.name, "model.mil");
  EXPECT_THAT(reports_.said(), IsEmpty());
}

TEST_F(ArtifactCacheTest, AProgramWithoutWeightsNeedsNoDataFile) {
  const CachedProgram program = MakeProgram("just text", /*weights=*/false);
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  EXPECT_THAT(Names(entry(program)), ElementsAre("manifest.jsonl", "text.mil"));
  ASSERT_TRUE(cache->Load(DigestOf(program)).ok());
}

TEST_F(ArtifactCacheTest, IsForItsOwnerOnlyAndNoNameOfAClientIsOnDisk) {
  const CachedProgram program = MakeProgram("text");
  ASSERT_TRUE(OpenCache()->Store(DigestOf(program), program).ok());
  struct stat info;
  for (const auto& path : {fs::path(folder()), entry(program)}) {
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u) << path;
  }
  EXPECT_THAT(Names(entry(program)),
              ElementsAre("artifact.0", "manifest.jsonl", "text.mil", "weight.0", "weight.1"));
  for (const std::string& name : Names(entry(program))) {
    ASSERT_EQ(::stat((entry(program) / name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(ArtifactCacheTest, ABitFlippedInAnyByteOfAnyFileIsDetected) {
  const CachedProgram program = MakeProgram("tiny");
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  const fs::path pristine = scratch_.path() / "pristine";
  fs::copy(entry(program), pristine);
  int flips = 0;
  for (const std::string& name : Names(entry(program))) {
    const size_t size = fs::file_size(entry(program) / name);
    for (size_t at = 0; at < size; ++at) {
      std::string content = ReadWhole(entry(program) / name);
      content[at] = static_cast<char>(content[at] ^ (1 << (at % 8)));
      WriteWhole(entry(program) / name, content);
      ASSERT_EQ(cache->Load(DigestOf(program)).status().code(), absl::StatusCode::kDataLoss)
          << name << " byte " << at;
      ASSERT_FALSE(fs::exists(entry(program)));
      fs::copy(pristine, entry(program));  // quicker than storing, which waits for the disk
      ++flips;
    }
  }
  ASSERT_TRUE(cache->Load(DigestOf(program)).ok()) << "it was the flips";
  EXPECT_GT(flips, 500);
  EXPECT_THAT(reports_.said(), SizeIs(flips));
}

TEST_F(ArtifactCacheTest, TruncatedLongerMissingAndExtraFilesAreDetected) {
  const CachedProgram program = MakeProgram("some text");
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  for (const std::string& name : Names(entry(program))) {
    const fs::path path = entry(program) / name;
    const std::string content = ReadWhole(path);
    for (size_t size : {size_t{0}, content.size() / 2}) {
      if (size == content.size()) continue;
      WriteWhole(path, content.substr(0, size));
      ExpectDetected(*cache, program, name + " truncated");
    }
    WriteWhole(path, content + "x");
    ExpectDetected(*cache, program, name + " longer");
    fs::remove(path);
    ExpectDetected(*cache, program, name + " missing");
  }
  WriteWhole(entry(program) / "weight.2", "");
  ExpectDetected(*cache, program, "an extra file");
  fs::create_directory(entry(program) / "sub");
  ExpectDetected(*cache, program, "an extra folder");
}

TEST_F(ArtifactCacheTest, LinksPipesAndFilesInPlaceOfFoldersAreRefused) {
  const CachedProgram program = MakeProgram("some text");
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  const fs::path outside = scratch_.path() / "outside";
  for (const std::string& name : Names(entry(program))) {
    const fs::path path = entry(program) / name;
    fs::rename(path, outside);
    fs::create_symlink(outside, path);
    ExpectDetected(*cache, program, "a link to the right bytes: " + name);
    fs::remove(entry(program) / name);
    ASSERT_EQ(::mkfifo((entry(program) / name).c_str(), 0600), 0);
    ExpectDetected(*cache, program, "a pipe: " + name);
  }
  const fs::path moved = scratch_.path() / "moved";
  fs::rename(entry(program), moved);
  fs::create_symlink(moved, entry(program));
  ExpectDetected(*cache, program, "the entry is a link");
  fs::remove_all(entry(program));
  WriteWhole(entry(program), "a file");
  ExpectDetected(*cache, program, "the entry is a file");
}

TEST_F(ArtifactCacheTest, AnotherProgramsEntryUnderThisNameIsDetected) {
  const CachedProgram mine = MakeProgram("mine"), other = MakeProgram("other");
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(other), other).ok());
  fs::rename(entry(other), entry(mine));
  ExpectDetected(*cache, mine, "renamed");
  // Also when the manifest claims the name and is sealed right: the content decides.
  auto manifest = DecodeManifestUntrusted(ReadWhole(entry(mine) / "manifest.jsonl")).value();
  manifest.target.options["numerics"] = "default";
  WriteWhole(entry(mine) / "manifest.jsonl", EncodeManifest(manifest));
  ExpectDetected(*cache, mine, "compiled with other options");
  EXPECT_EQ(cache->Store(DigestOf(mine), other).code(), absl::StatusCode::kInternal);
}

TEST_F(ArtifactCacheTest, AnEntryOfAnotherFormatIsAMissAndMakesWay) {
  const CachedProgram program = MakeProgram("text");
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  const std::string body = "{\"format\":9}";
  WriteWhole(entry(program) / "manifest.jsonl",
             body + "\n{\"sha256\":\"" + Sha256Hex(body) + "\"}\n");
  EXPECT_EQ(cache->Load(DigestOf(program)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(cache->counters().corrupt, 0u);
  EXPECT_TRUE(fs::exists(entry(program))) << "it may serve a newer daemon";
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  EXPECT_TRUE(cache->Load(DigestOf(program)).ok());
}

TEST_F(ArtifactCacheTest, AWriterKilledAtAnyPointLeavesNothingThatIsBelieved) {
  const CachedProgram program = MakeProgram("text");
  std::vector<std::string> steps;
  before_write_step_ = [&](std::string_view step) { steps.emplace_back(step); };
  ASSERT_TRUE(OpenCache()->Store(DigestOf(program), program).ok());
  fs::remove_all(folder());
  ASSERT_GE(steps.size(), 8u);
  for (size_t fatal = 0; fatal < steps.size(); ++fatal) {
    const pid_t child = ::fork();
    if (child == 0) {
      size_t step = 0;
      before_write_step_ = [&](std::string_view) {
        if (step++ == fatal) ::_exit(7);
      };
      (void)OpenCache()->Store(DigestOf(program), program);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(WEXITSTATUS(status), 7) << steps[fatal];
    before_write_step_ = nullptr;
    auto cache = OpenCache();
    const auto loaded = cache->Load(DigestOf(program));
    if (steps[fatal] == "sync cache") {
      EXPECT_TRUE(loaded.ok()) << "complete from the rename on";
    } else {
      EXPECT_EQ(loaded.status().code(), absl::StatusCode::kNotFound) << steps[fatal];
      EXPECT_THAT(Names(folder()), IsEmpty()) << "leftovers go at start: " << steps[fatal];
    }
    EXPECT_EQ(cache->counters().corrupt, 0u);
    ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
    EXPECT_TRUE(cache->Load(DigestOf(program)).ok());
    fs::remove_all(folder());
  }
}

TEST_F(ArtifactCacheTest, AStartingDaemonLeavesAnotherOnesHalfWrittenEntryAlone) {
  const CachedProgram program = MakeProgram("text");
  before_write_step_ = [&](std::string_view step) {
    if (step != "rename") return;
    before_write_step_ = nullptr;
    ArtifactCache({folder(), 1 << 20, reports_.Sink(), nullptr});  // starts and cleans up
  };
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  EXPECT_TRUE(cache->Load(DigestOf(program)).ok());
}

TEST_F(ArtifactCacheTest, EvictsTheLeastRecentlyUsedBeyondItsQuota) {
  std::vector<CachedProgram> programs;
  for (int i = 0; i < 4; ++i) {
    programs.push_back(MakeProgram(std::to_string(i) + std::string(4000, 'x'), false));
  }
  auto cache = OpenCache();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(cache->Store(DigestOf(programs[i]), programs[i]).ok());
    fs::last_write_time(entry(programs[i]) / "manifest.jsonl",
                        fs::file_time_type::clock::now() - std::chrono::hours(10 - i));
  }
  ASSERT_TRUE(cache->Load(DigestOf(programs[0])).ok());  // now the most recently used
  cache->SetQuota(15000);                                // three of about 4.6 kB
  ASSERT_TRUE(cache->Store(DigestOf(programs[3]), programs[3]).ok());
  EXPECT_TRUE(fs::exists(entry(programs[0])));
  EXPECT_FALSE(fs::exists(entry(programs[1]))) << "used the longest ago";
  EXPECT_TRUE(fs::exists(entry(programs[2])));
  EXPECT_TRUE(fs::exists(entry(programs[3])));
  EXPECT_EQ(cache->counters().evicted, 1u);
  const CachedProgram large = MakeProgram(std::string(20000, 'y'), false);
  EXPECT_EQ(cache->Store(DigestOf(large), large).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(fs::exists(entry(programs[3]))) << "one that cannot fit drives nobody out";
}

TEST_F(ArtifactCacheTest, ListsVerifiesAndPurges) {
  const CachedProgram good = MakeProgram("good"), bad = MakeProgram("bad");
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(good), good).ok());
  ASSERT_TRUE(cache->Store(DigestOf(bad), bad).ok());
  WriteWhole(entry(bad) / "text.mil", "BAD");
  const std::vector<CacheEntryInfo> listed = *cache->List(/*verify=*/false);
  for (const CacheEntryInfo& info : listed) {
    EXPECT_EQ(info.name, "model.mil");
    EXPECT_EQ(info.device, "counting");
    EXPECT_GT(info.bytes, 100u);
    EXPECT_GT(info.created_unix_s, 1'600'000'000);
    EXPECT_FALSE(info.verified);
    EXPECT_EQ(info.problem, "");
  }
  const std::vector<CacheEntryInfo> checked = *cache->List(/*verify=*/true);
  for (const CacheEntryInfo& info : checked) {
    EXPECT_EQ(info.verified, info.digest == DigestOf(good));
    EXPECT_EQ(info.problem.empty(), info.verified);
  }
  EXPECT_THAT(*cache->List(false), SizeIs(2)) << "looking removes nothing";
  EXPECT_EQ(cache->Purge(std::vector<std::string>{"../../etc"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*cache->Purge(std::vector<std::string>{std::string(64, '0')}), 0u);
  EXPECT_EQ(*cache->Purge({}), 0u) << "within the quota";
  EXPECT_GT(*cache->Purge(std::vector<std::string>{DigestOf(bad)}), 0u);
  EXPECT_THAT(*cache->List(true), SizeIs(1));
  EXPECT_GT(*cache->Purge(std::vector<std::string>{"*"}), 0u);
  EXPECT_THAT(*cache->List(true), IsEmpty());
}

TEST_F(ArtifactCacheTest, WithoutAUsableFolderItSaysSoOnceAndMisses) {
  WriteWhole(scratch_.path() / "cache", "a file in the folder's place");
  auto cache = OpenCache();
  EXPECT_FALSE(cache->usable());
  const CachedProgram program = MakeProgram("text");
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(cache->Store(DigestOf(program), program).ok());
    EXPECT_EQ(cache->Load(DigestOf(program)).status().code(), absl::StatusCode::kNotFound);
  }
  EXPECT_EQ(cache->List(true).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(cache->Purge(std::vector<std::string>{"*"}).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_THAT(reports_.said(), SizeIs(1));
  fs::remove(scratch_.path() / "cache");
  EXPECT_TRUE(cache->Store(DigestOf(program), program).ok()) << "as soon as the place is free";
  EXPECT_TRUE(cache->Load(DigestOf(program)).ok());
}

TEST_F(ArtifactCacheTest, AFolderThatWasTakenAwayIsMadeAgain) {
  const CachedProgram program = MakeProgram("text");
  auto cache = OpenCache();
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  fs::remove_all(folder());
  EXPECT_EQ(cache->Load(DigestOf(program)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(*cache->List(true), IsEmpty());
  ASSERT_TRUE(cache->Store(DigestOf(program), program).ok());
  EXPECT_TRUE(fs::exists(entry(program)));
  fs::rename(folder(), scratch_.path() / "elsewhere");
  fs::create_directory(folder());
  fs::permissions(folder(), fs::perms::owner_all);
  EXPECT_THAT(*cache->List(true), IsEmpty()) << "the folder of that name counts, not the moved one";
}

TEST_F(ArtifactCacheTest, AFolderThatOthersMayWriteToIsNotTrusted) {
  fs::create_directory(folder());
  fs::permissions(folder(), fs::perms::all);
  EXPECT_FALSE(OpenCache()->usable());
  EXPECT_THAT(reports_.said(), ElementsAre(HasSubstr("others may write")));
}

// A limit on the size of files stands for a full disk: the write fails half way.
TEST_F(ArtifactCacheTest, AFullDiskCostsTheCachingAndIsReportedOnce) {
  const CachedProgram program = MakeProgram(std::string(100000, 'x'), false);
  const CachedProgram small = MakeProgram("small", false);
  auto cache = OpenCache();
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit full = {50000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cache->Store(DigestOf(program), program).code(),
              absl::StatusCode::kResourceExhausted);
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(reports_.said(), SizeIs(1));
  EXPECT_EQ(cache->counters().failed_writes, 3u);
  EXPECT_THAT(Names(folder()), IsEmpty()) << "half an entry was left";
  EXPECT_TRUE(cache->Store(DigestOf(small), small).ok());
}

TEST_F(ArtifactCacheTest, SeveralDaemonsOnOneFolderNeverSeeAHalfEntry) {
  std::vector<CachedProgram> programs;
  for (int i = 0; i < 3; ++i) programs.push_back(MakeProgram("program " + std::to_string(i)));
  std::vector<std::unique_ptr<ArtifactCache>> caches;
  for (int i = 0; i < 3; ++i) caches.push_back(OpenCache());
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 60; ++i) {
        const CachedProgram& program = programs[random() % programs.size()];
        if (random() % 4 == 0) {
          ASSERT_TRUE(caches[t]->Purge(std::vector<std::string>{DigestOf(program)}).ok());
        } else if (auto loaded = caches[t]->Load(DigestOf(program)); loaded.ok()) {
          ExpectEqual(*loaded, program);
        } else {
          ASSERT_EQ(loaded.status().code(), absl::StatusCode::kNotFound) << loaded.status();
          ASSERT_TRUE(caches[t]->Store(DigestOf(program), program).ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& cache : caches) EXPECT_EQ(cache->counters().corrupt, 0u);
  EXPECT_THAT(reports_.said(), IsEmpty());
}

}  // namespace
}  // namespace anex::engine::testing
