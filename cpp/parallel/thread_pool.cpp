#include "parallel/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
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

thread_local bool inside = false;  // a body: what it starts itself runs on its own thread

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
std::mutex creating;

// The pool lives until the process ends and is never destroyed: joining threads while a library is being unloaded
// can deadlock.
State& the_state() {
  State* current = state.load(std::memory_order_acquire);
  if (current != nullptr) return *current;
  std::lock_guard lock(creating);
  current = state.load(std::memory_order_relaxed);
  if (current != nullptr) return *current;
  current = new State;
#if defined(__unix__) || defined(__APPLE__)
  // The threads do not exist in a forked child and a lock may be held for ever there: forget the pool, build anew.
  static std::once_flag registered;
  std::call_once(registered, [] {
    pthread_atfork([] { creating.lock(); }, [] { creating.unlock(); },
                   [] {
                     state.store(nullptr, std::memory_order_release);
                     creating.unlock();
                   });
  });
#endif
  state.store(current, std::memory_order_release);
  return *current;
}

// An OpenMP runtime that the process has loaded already (torch brings one). Its threads spin for milliseconds after
// each of torch's loops, on the very cores that ours would wake up on: inside a training loop two threads of our own
// gave 1.4 times the speed of one, two of OpenMP's, which are awake, give 1.8 and more. Looked up, never linked.
struct OpenMp {
  void (*run)(void (*)(void*), void*, unsigned, unsigned) = nullptr;
  int (*max_threads)() = nullptr;
  int (*in_parallel)() = nullptr;
};

std::atomic<bool> forked{false};  // OpenMP does not survive a fork

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
  static std::once_flag registered;
  std::call_once(registered, [] { pthread_atfork(nullptr, nullptr, [] { forked.store(true); }); });
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
  Job job{&body, n_tasks, n_threads - 1, {}, {}, {}, nullptr};
  if (n_threads == 1 || inside) {
    job.work(0);
  } else if (!run_on_open_mp(job)) {
    State& shared = the_state();
    if (shared.busy.test_and_set(std::memory_order_acquire)) {
      job.work(0);
    } else {
      shared.pool.run(job);
      shared.busy.clear(std::memory_order_release);
    }
  }
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace parallel
