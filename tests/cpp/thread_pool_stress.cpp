// The thread pool under everything it promises to bear: callers at once, nested calls, exceptions, changing numbers of
// threads, forks. Built and run by tests/test_cpp.py: plainly, under the thread sanitizer, and beside an OpenMP team.
// Prints "agreed"; ends with status 1 and the broken fact otherwise, or by a signal after two minutes.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "parallel/thread_pool.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

namespace {

void require(bool fact, const char* words) {
  if (fact) return;
  std::fprintf(stderr, "broken: %s\n", words);
  std::_Exit(1);
}

// Each task once, its effect seen by the caller, and no worker number in two places at once. Neither counts nor sums
// are atomic, so that the sanitizer sees every missing order.
void each_task_once(std::size_t n_tasks, int n_threads) {
  const std::size_t n_workers = static_cast<std::size_t>(n_threads > 0 ? n_threads : parallel::available_threads());
  std::vector<int> times(n_tasks, 0);
  std::vector<std::size_t> sums(n_workers, 0);
  parallel::for_each(n_tasks, n_threads, [&](std::size_t task, int worker) {
    require(worker >= 0 && static_cast<std::size_t>(worker) < n_workers, "a worker is one of the threads asked for");
    ++times[task];
    sums[static_cast<std::size_t>(worker)] += task + 1;
  });
  require(std::all_of(times.begin(), times.end(), [](int n) { return n == 1; }), "each task runs once");
  const std::size_t expected = n_tasks * (n_tasks + 1) / 2;
  require(std::accumulate(sums.begin(), sums.end(), std::size_t{0}) == expected, "a worker's memory is its own");
}

// Nobody else may be using the pool: the tasks wait for each other.
void all_take_part(int n_threads) {
  std::atomic<int> arrived{0};
  parallel::for_each(static_cast<std::size_t>(n_threads), n_threads, [&](std::size_t, int) {
    ++arrived;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (arrived.load() < n_threads && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    require(arrived.load() == n_threads, "tasks run at the same time");
  });
}

void one_outside_many_inside() {
  int times = 0;
  parallel::for_each(2, 1, [&](std::size_t, int) {
    all_take_part(3);
    ++times;
  });
  require(times == 2, "a call with one thread runs each task");
}

void nested(int n_threads) {
  std::vector<std::size_t> sums(16, 0);
  parallel::for_each(sums.size(), n_threads, [&](std::size_t outer, int) {
    const std::thread::id own = std::this_thread::get_id();
    parallel::for_each(50, 4, [&](std::size_t inner, int worker) {
      require(worker == 0 && std::this_thread::get_id() == own, "a call inside a body stays on its thread");
      sums[outer] += inner;
    });
  });
  require(std::all_of(sums.begin(), sums.end(), [](std::size_t sum) { return sum == 1225; }), "nested calls all run");
}

void exceptions() {
  for (const std::size_t bad : {0, 7, 63}) {
    std::string caught;
    try {
      parallel::for_each(64, 4, [&](std::size_t task, int) {
        if (task % 64 >= bad) throw std::runtime_error("task " + std::to_string(task));
      });
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    require(caught.starts_with("task "), "an exception reaches the caller");
    each_task_once(64, 4);
  }
}

// One caller's work; the number of threads grows, shrinks and exceeds the machine's.
void caller(int seed) {
  for (int round = 0; round < 40; ++round) {
    const int n_threads = 1 + (round * 7 + seed) % 9;
    each_task_once(static_cast<std::size_t>(1 + (round * 13 + seed * 5) % 90), n_threads);
    if (round % 8 == 0) nested(2 + round % 3);
    if (round % 8 == 4) exceptions();
  }
  each_task_once(0, 4);
  each_task_once(10, 0);
}

void callers_at_once(int n) {
  std::vector<std::thread> threads;
  for (int seed = 0; seed < n; ++seed) threads.emplace_back(caller, seed);
  for (std::thread& thread : threads) thread.join();
}

// The sanitizers of threads and addresses do not bear threads in a child of a busy parent: the one loses count of them,
// the other's allocator may have been locked at the fork.
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define QCSIM_FORKS
#endif

#if defined(QCSIM_FORKS)
void in_child(void (*work)()) {
  const pid_t child = fork();
  require(child >= 0, "the system can fork");
  if (child == 0) {
    alarm(60);  // it does not inherit the parent's
    work();
    std::_Exit(0);
  }
  int status = 0;
  require(waitpid(child, &status, 0) == child, "the child is waited for");
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a forked child computes");
}

// Forks while other threads are in the pool, and from children.
void forks() {
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int seed = 0; seed < 2; ++seed) {
    busy.emplace_back([&stop, seed] {
      while (!stop.load()) each_task_once(static_cast<std::size_t>(20 + seed), 3);
    });
  }
  for (int generation = 0; generation < 6; ++generation) {
    each_task_once(50, 3);
    in_child([] {
      all_take_part(4);
      callers_at_once(2);
      in_child([] { all_take_part(3); });
      all_take_part(4);
    });
  }
  stop.store(true);
  for (std::thread& thread : busy) thread.join();
}

#endif

#if defined(_OPENMP) && defined(QCSIM_FORKS)
// A team of the wanted size does the work; after a fork it is gone, whether it was ours or another library's.
void beside_open_mp() {
  constexpr int team = 3;
  omp_set_num_threads(team);
  int members = 0;
#pragma omp parallel reduction(+ : members)
  members += 1;
  require(members == team, "OpenMP has a team");
  in_child([] { all_take_part(team); });
  std::atomic<int> within{0};
  const auto count = [&](std::size_t, int) { within += omp_in_parallel() != 0 ? 1 : 0; };
  parallel::for_each(40, team, count);
  require(within == 40, "a team of the wanted size does the work");
  parallel::for_each(40, team + 1, count);
  require(within == 40, "a team of another size does not");
  in_child([] { all_take_part(team); });
#pragma omp parallel
  each_task_once(20, team);  // the pool is one, the callers are three
}
#endif

}  // namespace

int main() {
  alarm(120);  // a hang is a failure
#if defined(_OPENMP) && defined(QCSIM_FORKS)
  beside_open_mp();
#endif
  callers_at_once(6);
  caller(0);
  all_take_part(4);
  one_outside_many_inside();
#if defined(QCSIM_FORKS)
  forks();
#endif
  std::puts("agreed");
}
