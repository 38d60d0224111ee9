// A fork server inside of Node: what sandbox/zygote.py does in Python. `serve` returns in each child, sealed.
// Of Node's interface only functions are used, whose binary form is promised; so its headers are not needed.
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <sched.h>
#include <set>
#include <signal.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern "C" {
typedef struct napi_env__* napi_env;
typedef struct napi_value__* napi_value;
typedef struct napi_callback_info__* napi_callback_info;
int napi_create_function(napi_env, const char*, size_t, napi_value (*)(napi_env, napi_callback_info), void*, napi_value*);
int napi_set_named_property(napi_env, napi_value, const char*, napi_value);
int napi_create_array(napi_env, napi_value*);
int napi_set_element(napi_env, napi_value, uint32_t, napi_value);
int napi_create_int32(napi_env, int32_t, napi_value*);
int napi_get_cb_info(napi_env, napi_callback_info, size_t*, napi_value*, napi_value*, void**);
int napi_get_value_int32(napi_env, napi_value, int32_t*);
int napi_get_uv_event_loop(napi_env, void**);
int uv_loop_fork(void*);
}

namespace {

enum { CONTROL = 3, ORDER = 4, OWN_PIDS = 5, CONNECTION = 3, DESCRIPTORS = 64 };

// ---- what a child does to seal itself; see `sealing.pack` ----

struct Call {
    int64_t layer, result, number, pointers, arguments[6];
};

struct Sealing {
    std::vector<Call> calls;
    std::vector<char> data;

    Sealing() {
        int64_t head[3];
        take(head, sizeof head);
        calls.resize(head[0]);
        take(calls.data(), calls.size() * sizeof(Call));
        std::vector<int64_t> addresses(2 * head[1]);
        take(addresses.data(), addresses.size() * sizeof(int64_t));
        data.resize(head[2]);
        take(data.data(), data.size());
        for (size_t i = 0; i < addresses.size(); i += 2) {
            const char* target = data.data() + addresses[i + 1];
            std::memcpy(data.data() + addresses[i], &target, sizeof target);
        }
        for (Call& call : calls) {
            for (int i = 0; i < 6; ++i) {
                if (call.pointers >> i & 1) call.arguments[i] += reinterpret_cast<int64_t>(data.data());
            }
        }
    }

    // Return the error of each layer, 0 where it is active.
    std::vector<int> perform() const {
        std::vector<int> errors;
        for (const Call& call : calls) {
            if (errors.size() <= static_cast<size_t>(call.layer)) errors.resize(call.layer + 1);
            if (errors[call.layer]) continue;
            const int64_t* a = call.arguments;
            long got = ::syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
            if (got != call.result) errors[call.layer] = got < 0 ? errno : EINVAL;
        }
        return errors;
    }

    off_t at = 0;
    void take(void* to, size_t size) {
        if (::pread(ORDER, to, size, at) != static_cast<ssize_t>(size)) ::_exit(1);
        at += size;
    }
};

// ---- descriptors ----

std::set<ino_t> pipes() {
    std::set<ino_t> found;
    struct stat stat;
    for (int fd = 0; fd < DESCRIPTORS; ++fd) {
        if (::fstat(fd, &stat) == 0 && S_ISFIFO(stat.st_mode)) found.insert(stat.st_ino);
    }
    return found;
}

// Let go of all that the server has, too; what libuv made for this child alone (pipes, in its fork handler) stays.
void close_inherited(const std::set<ino_t>& inherited) {
    struct stat stat;
    for (int fd = CONNECTION + 1; fd < DESCRIPTORS; ++fd) {
        if (::fstat(fd, &stat)) continue;
        if (!S_ISFIFO(stat.st_mode) || inherited.count(stat.st_ino)) ::close(fd);
    }
    ::syscall(SYS_close_range, DESCRIPTORS, ~0u, 0);
}

// ---- the server ----

struct Order {
    std::string text;
    int descriptors[2] = {-1, -1};
};

Order receive() {
    Order order;
    char text[256], room[CMSG_SPACE(2 * sizeof(int))];
    iovec part = {text, sizeof text};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
    ssize_t size = ::recvmsg(CONTROL, &message, MSG_CMSG_CLOEXEC);
    if (size > 0) order.text.assign(text, size);
    cmsghdr* more = CMSG_FIRSTHDR(&message);
    if (more && more->cmsg_type == SCM_RIGHTS && more->cmsg_len == CMSG_LEN(2 * sizeof(int))) {
        std::memcpy(order.descriptors, CMSG_DATA(more), 2 * sizeof(int));
    }
    return order;
}

// Kill the oldest child with all that it started, wait for it, and say how it ended where told to: `ENDED` in zygote.py.
void end(std::deque<pid_t>& children, bool told) {
    int status = 0;
    int64_t memory = 0;
    double cpu_s = 0;
    if (!children.empty()) {
        rusage usage;
        ::kill(children.front(), SIGKILL);
        ::wait4(children.front(), &status, 0, &usage);
        children.pop_front();
        memory = usage.ru_maxrss * 1024;
        cpu_s = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    if (!told) return;
    char ended[sizeof status + sizeof memory + sizeof cpu_s];
    std::memcpy(ended, &status, sizeof status);
    std::memcpy(ended + sizeof status, &memory, sizeof memory);
    std::memcpy(ended + sizeof status + sizeof memory, &cpu_s, sizeof cpu_s);
    ::send(CONTROL, ended, sizeof ended, 0);
}

napi_value listed(napi_env env, const std::vector<int>& numbers) {
    napi_value list, number;
    napi_create_array(env, &list);
    for (size_t i = 0; i < numbers.size(); ++i) {
        napi_create_int32(env, numbers[i], &number);
        napi_set_element(env, list, i, number);
    }
    return list;
}

napi_value become_child(napi_env env, const Order& order, const Sealing& sealing, const std::set<ino_t>& inherited) {
    ::dup2(order.descriptors[1], 1);
    ::dup2(order.descriptors[1], 2);
    ::dup2(order.descriptors[0], CONNECTION);
    close_inherited(inherited);
    std::vector<int> errors = sealing.perform();
    void* loop;
    napi_get_uv_event_loop(env, &loop);
    if (uv_loop_fork(loop)) ::_exit(1);
    return listed(env, errors);
}

napi_value serve(napi_env env, napi_callback_info) {
    const Sealing sealing;
    std::deque<pid_t> children;
    // V8 asks the kernel to leave its heap out of forks. The call goes through all mappings and fails only at the last.
    ::madvise(nullptr, (1ul << 47) - (1 << 12), MADV_DOFORK);
    ::send(CONTROL, "ready", 5, 0);
    for (;;) {
        Order order = receive();
        if (order.text == "end" || order.text == "drop") {
            end(children, order.text == "end");
        } else if (order.text.compare(0, 3, "run") == 0) {
            const std::set<ino_t> inherited = pipes();
            // Each child is the first process of a namespace of its own: when it ends, all that it started ends.
            pid_t child = ::setns(OWN_PIDS, CLONE_NEWPID) || ::unshare(CLONE_NEWPID) ? -1 : ::fork();
            if (child == 0) return become_child(env, order, sealing, inherited);
            if (child > 0) children.push_back(child);
            for (int descriptor : order.descriptors) ::close(descriptor);
        } else {
            ::_exit(0);  // the tester hung up; the children die with this process
        }
    }
}

// Node's own way out waits for threads that a fork does not have.
napi_value leave(napi_env env, napi_callback_info info) {
    size_t count = 1;
    napi_value given;
    int32_t status = 0;
    napi_get_cb_info(env, info, &count, &given, nullptr, nullptr);
    if (count == 1) napi_get_value_int32(env, given, &status);
    ::_exit(status);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    napi_value function;
    napi_create_function(env, "serve", 5, serve, nullptr, &function);
    napi_set_named_property(env, exports, "serve", function);
    napi_create_function(env, "leave", 5, leave, nullptr, &function);
    napi_set_named_property(env, exports, "leave", function);
    return exports;
}
