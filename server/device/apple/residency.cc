#include "server/device/apple/residency.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace anex::device::apple {

Residency::Use::~Use() {
  if (place_ != nullptr) place_->owner_->Release(*place_);
}

std::unique_ptr<Residency::Place> Residency::Add(Loadable& loadable) {
  return std::unique_ptr<Place>(new Place(shared_from_this(), loadable));
}

absl::StatusOr<Residency::Use> Residency::AcquireIfLoaded(Place& place) {
  absl::MutexLock lock(&mutex_);
  if (!place.is_loaded_) return absl::NotFoundError("the program is not loaded");
  ++place.uses_;
  loaded_.splice(loaded_.end(), loaded_, place.at_);
  return Use(&place, place.load_);
}

absl::StatusOr<Residency::Use> Residency::Acquire(Place& place) {
  absl::StatusOr<Use> use = AcquireIfLoaded(place);
  if (use.ok()) return use;
  absl::MutexLock loading(&load_mutex_);
  use = AcquireIfLoaded(place);  // somebody else was faster
  if (use.ok()) return use;
  return LoadIn(place);
}

absl::StatusOr<Residency::Use> Residency::LoadIn(Place& place) {
  if (absl::Status room = MakeRoom(); !room.ok()) return room;
  if (absl::Status loaded = place.loadable_.Load(); !loaded.ok()) return loaded;
  absl::MutexLock lock(&mutex_);
  place.is_loaded_ = true;
  place.uses_ = 1;
  place.load_ = ++loads_;
  place.at_ = loaded_.insert(loaded_.end(), &place);
  return Use(&place, place.load_);
}

void Residency::Lost(Place& place, Use use) {
  absl::MutexLock loading(&load_mutex_);
  {
    absl::MutexLock lock(&mutex_);
    if (!place.is_loaded_ || place.load_ != use.load()) return;
    place.is_loaded_ = false;
    loaded_.erase(place.at_);
  }
  place.loadable_.Unload();
}

absl::Status Residency::MakeRoom() {
  Place* unused = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    if (loaded_.size() < budget_) return absl::OkStatus();
    for (auto it = loaded_.begin(); it != loaded_.end() && unused == nullptr; ++it) {
      if ((*it)->uses_ == 0) unused = *it;
    }
    if (unused == nullptr) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "loaded_programs=", budget_, ": all programs that are loaded run now; try again later"));
    }
    // From here on who wants it waits for load_mutex_.
    unused->is_loaded_ = false;
    loaded_.erase(unused->at_);
    ++evictions_;
  }
  unused->loadable_.Unload();
  return absl::OkStatus();
}

void Residency::Remove(Place& place) {
  absl::MutexLock loading(&load_mutex_);
  {
    absl::MutexLock lock(&mutex_);
    if (!place.is_loaded_) return;
    place.is_loaded_ = false;
    loaded_.erase(place.at_);
  }
  place.loadable_.Unload();
}

void Residency::Release(Place& place) {
  absl::MutexLock lock(&mutex_);
  --place.uses_;
}

uint32_t Residency::loaded() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<uint32_t>(loaded_.size());
}

uint64_t Residency::loads() const {
  absl::MutexLock lock(&mutex_);
  return loads_;
}

uint64_t Residency::evictions() const {
  absl::MutexLock lock(&mutex_);
  return evictions_;
}

}  // namespace anex::device::apple
