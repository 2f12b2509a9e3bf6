#include "parallel/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <dlfcn.h>
#include <pthread.h>
#endif

namespace parallel {
namespace {

using Body = std::function<void(std::size_t, int)>;

thread_local bool inside = false;  // a body of a call with threads: what it starts itself runs on its own thread

struct Job {
  const Body* body;
  std::size_t n_tasks;
  int n_helpers;  // workers 1 .. n_helpers may join; the caller is worker 0
  std::atomic<std::size_t> next{0};
  std::atomic<int> running{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;

  void work(int worker) {
    const bool outer = std::exchange(inside, true);
    for (;;) {
      const std::size_t task = next.fetch_add(1, std::memory_order_relaxed);
      if (task >= n_tasks) break;
      try {
        (*body)(task, worker);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
        next.store(n_tasks, std::memory_order_relaxed);
        break;
      }
    }
    inside = outer;
  }
};

class Pool {
 public:
  void run(Job& job) {
    grow(job.n_helpers);
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      ++generation_;
    }
    wake_.notify_all();
    job.work(0);
    std::unique_lock lock(mutex_);
    job_ = nullptr;  // a helper that wakes late finds nothing to join
    done_.wait(lock, [&] { return job.running.load() == 0; });
  }

 private:
  void grow(int n) {
    while (static_cast<int>(threads_.size()) < n) {
      const int worker = static_cast<int>(threads_.size()) + 1;
      try {
        threads_.emplace_back([this, worker] { serve(worker); });
      } catch (const std::system_error&) {
        return;  // the system gives no more threads: the work is done by those there are
      }
    }
  }

  void serve(int worker) {
    std::size_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return job_ != nullptr && generation_ != seen; });
      seen = generation_;
      Job* job = job_;
      if (worker > job->n_helpers) continue;
      job->running.fetch_add(1);
      lock.unlock();
      job->work(worker);
      lock.lock();
      if (job->running.fetch_sub(1) == 1) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  Job* job_ = nullptr;
  std::size_t generation_ = 0;
};

struct State {
  Pool pool;
  std::atomic_flag busy;
};

std::atomic<State*> state{nullptr};

// Whether this process was forked and has not become another program since: a flag of the kernel's (PF_FORKNOEXEC, in
// the ninth field of the status line).
bool is_a_fork() {
  std::ifstream file("/proc/self/stat");
  std::string line, field;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 1));  // the second field, a name, may hold anything
  for (int i = 3; i <= 9; ++i) fields >> field;
  return (std::strtoul(field.c_str(), nullptr, 10) & 0x40) != 0;
}

std::atomic<bool> forked{is_a_fork()};  // the library may be loaded after the fork

#if defined(__unix__) || defined(__APPLE__)
// In a forked child the threads do not exist and a lock may be held for ever: it forgets the pool and builds another.
// Registered when the library is loaded, because the child may be the first to use threads.
[[maybe_unused]] const int watching = pthread_atfork(nullptr, nullptr, [] {
  state.store(nullptr, std::memory_order_release);
  forked.store(true, std::memory_order_relaxed);
});
#endif

// The pool lives until the process ends and is never destroyed: joining threads while a library is being unloaded
// can deadlock.
State& the_state() {
  State* current = state.load(std::memory_order_acquire);
  if (current != nullptr) return *current;
  auto fresh = std::make_unique<State>();
  if (!state.compare_exchange_strong(current, fresh.get(), std::memory_order_acq_rel)) return *current;
  return *fresh.release();
}

// The right to use threads, for one caller at a time and until the end of its scope.
class Claim {
 public:
  explicit Claim(std::atomic_flag& busy) : busy_(busy), granted_(!busy.test_and_set(std::memory_order_acquire)) {}
  ~Claim() {
    if (granted_) busy_.clear(std::memory_order_release);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  bool granted() const { return granted_; }

 private:
  std::atomic_flag& busy_;
  bool granted_;
};

// An OpenMP runtime that the process has loaded already (torch brings one). Its threads spin for milliseconds after
// each of torch's loops, on the very cores that ours would wake up on: inside a training loop two threads of our own
// gave 1.4 times the speed of one, two of OpenMP's, which are awake, give 1.8 and more. Looked up, never linked.
struct OpenMp {
  void (*run)(void (*)(void*), void*, unsigned, unsigned) = nullptr;
  int (*max_threads)() = nullptr;
  int (*in_parallel)() = nullptr;
};

// Not in a forked child, where GNU's runtime waits for ever for a team that was made before the fork; whether there was
// one cannot be seen.
const OpenMp* open_mp() {
#if defined(__linux__)
  if (forked.load(std::memory_order_relaxed)) return nullptr;
  static std::atomic<const OpenMp*> found{nullptr};
  const OpenMp* known = found.load(std::memory_order_acquire);
  if (known != nullptr) return known;
  OpenMp runtime;
  const auto look_up = [](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(RTLD_DEFAULT, name));
    return function != nullptr;
  };
  if (!look_up(runtime.run, "GOMP_parallel") || !look_up(runtime.max_threads, "omp_get_max_threads") ||
      !look_up(runtime.in_parallel, "omp_in_parallel")) {
    return nullptr;
  }
  const OpenMp* fresh = new OpenMp(runtime);  // kept for good; a race leaves one too many
  found.store(fresh, std::memory_order_release);
  return fresh;
#else
  return nullptr;
#endif
}

// Runs the job on OpenMP's threads if they are as many as are wanted: another number would make it build a new team.
bool run_on_open_mp(Job& job) {
  const OpenMp* runtime = open_mp();
  if (runtime == nullptr || runtime->in_parallel() != 0 || runtime->max_threads() != job.n_helpers + 1) return false;
  struct Team {
    Job& job;
    std::atomic<int> next_worker{0};
  } team{job};
  runtime->run(
      [](void* data) {
        Team& own = *static_cast<Team*>(data);
        own.job.work(own.next_worker.fetch_add(1));
      },
      &team, static_cast<unsigned>(job.n_helpers + 1), 0);
  return true;
}

}  // namespace

int available_threads() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void for_each(std::size_t n_tasks, int n_threads, const Body& body) {
  if (n_tasks == 0) return;
  if (n_threads <= 0) n_threads = available_threads();
  n_threads = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(n_threads), n_tasks));
  if (n_threads == 1 || inside) {
    for (std::size_t task = 0; task < n_tasks; ++task) body(task, 0);
    return;
  }
  Job job{&body, n_tasks, n_threads - 1, {}, {}, {}, nullptr};
  State& shared = the_state();
  {
    const Claim claim(shared.busy);
    if (!claim.granted()) {
      job.work(0);
    } else if (!run_on_open_mp(job)) {
      shared.pool.run(job);
    }
  }
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace parallel
