// Which core a thread runs on, for benchmarks that compare placements.
#ifndef ANEX_TESTS_SYSTEM_CORES_H_
#define ANEX_TESTS_SYSTEM_CORES_H_

namespace anex::test {

// The calling thread, and what it starts, from now on only on `core`. False where the system does
// not let programs choose: it then runs where it runs.
bool PinToCore(int core);
// Undoes it, to where it could run when the program started asking.
void RunAnywhere();

}  // namespace anex::test

#endif  // ANEX_TESTS_SYSTEM_CORES_H_
