// One small thread pool, used by the simulator and by the battles. It links no OpenMP, because two OpenMP runtimes in a
// process (ours and torch's) fight, and after fork() they hang: this one is rebuilt in the child on first use. Where
// torch has brought an OpenMP team of the wanted size, that team does the work. Work is cut into tasks by the caller,
// so a result that is reduced task by task does not depend on the thread count.
#pragma once

#include <cstddef>
#include <functional>

namespace parallel {

// Threads this machine offers to the process (at least 1; honours the CPU affinity mask).
int available_threads();

// Calls body(task, worker) for task = 0 .. n_tasks-1, each exactly once, on at most n_threads threads, the caller
// among them; worker is in 0 .. n_threads-1 and no two concurrent calls share it (an index into scratch memory).
// n_threads <= 0 means available_threads(). Returns when all are done; the first exception is rethrown here.
// Called while another thread is using the pool, or from inside a body of a call with several threads, it runs on the
// calling thread alone; a call with one thread leaves the pool to what its bodies call.
void for_each(std::size_t n_tasks, int n_threads, const std::function<void(std::size_t task, int worker)>& body);

}  // namespace parallel
