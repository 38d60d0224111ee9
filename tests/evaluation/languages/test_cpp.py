"""C++: what passes, what cannot be faked, what cannot be read, and values of every kind across the two processes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tabwright.evaluation.languages import Judge
from tabwright.records import Problem
from tabwright.sandbox import Result

pytestmark = pytest.mark.toolchain
LANGUAGE = "cpp"

ADD = Problem(
    task_id="add",
    language="cpp",
    prompt="#include<unistd.h>\n#include<vector>\nusing namespace std;\nint add(vector<int> numbers, int more){\n",
    entry_point="add",
    test="#undef NDEBUG\n#include<assert.h>\nint main(){\n"
    "    assert (add({1, 2}, 3) == 6);\n    assert (add({}, -1) == -1);\n}\n",
)
RIGHT = "    for (int n : numbers) more += n;\n    return more;\n}\n"


def outcome(result: Result) -> str:
    return f"{result.outcome} {result.error or ''}".strip()


def test_canonical_solutions_pass(judge: Judge, published: Callable[[str], dict[str, Problem]]) -> None:
    problems = published("humanevalx-cpp")
    chosen = [problems[f"CPP/{number}"] for number in (0, 10, 22, 32, 34, 38, 50, 87, 95, 111, 137, 162)]
    assert {p.task_id: outcome(judge.judge(p, p.canonical_solution)) for p in chosen} == dict.fromkeys(
        (p.task_id for p in chosen), "passed"
    )
    wrong = {p.task_id: judge.judge(p, "    throw 1;\n}\n").outcome for p in chosen}
    assert wrong == dict.fromkeys(wrong, "failed")


@pytest.mark.parametrize(
    "extra",
    [
        "#include <iostream>\nstatic int shown = (std::cout << 'P' << std::endl, std::cerr << 'x', 0);\n",
        "#include <thread>\nstatic int t = [] { std::thread([] {}).join(); return 0; }();\n",
        "static std::vector<char> big(200 << 20, 1);\n",
        "#include <cstdio>\nstatic int end = getchar() == EOF ? 0 : throw 1;\n",
        '#include <fstream>\nstatic int f = [] { std::ofstream("/tmp/a") << 1; int n; std::ifstream("/tmp/a") >> n; '
        "return n == 1 ? 0 : throw 1; }();\n",
        "int error = 1, step = 2, listen = 3;\nstatic int sum = error + step + listen == 6 ? 0 : throw 1;\n",
        "#include <cstdlib>\nstatic int last = atexit([] {});\n",
        'static int has = __builtin_cpu_supports("sse2");\n',
        "#include <cstdlib>\nstatic int made;\nvoid* operator new(std::size_t n) { ++made; return malloc(n); }\n"
        "void operator delete(void* p) noexcept { free(p); }\n"
        "static int own = [] { delete new int; return made ? 0 : throw 1; }();\n",
        "#include <cstdlib>\n#include <string>\n"
        'static int real = [] { return std::string(realpath("/tmp", nullptr)) == "/tmp" ? 0 : throw 1; }();\n',
    ],
)
def test_innocent_programs_pass(judge: Judge, extra: str) -> None:
    assert outcome(judge.judge(ADD, RIGHT + extra)) == "passed"


def test_names_of_the_c_library_can_be_a_program_s_own(
    judge: Judge, published: Callable[[str], dict[str, Problem]]
) -> None:
    problem = published("humanevalx-cpp")["CPP/0"]
    extra = "\nint write = 1;\nbool read[100];\n"
    assert outcome(judge.judge(problem, problem.canonical_solution + extra)) == "passed"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("    return 6;\n}\n", r"failed AssertionError: assertion failed: add\(\{\}, -1\) == -1"),
        ("    return no;\n}\n", "failed does not compile: .*'no' was not declared.*"),
        ("    return 1;\n}\nint main(){}\n", "crashed exited with status 0 before its tests were done"),
        ("    exit(0);\n}\n", "crashed exited with status 0 before its tests were done"),
        (RIGHT + "static int e = (exit(0), 0);\n", "crashed exited with status 0 before its tests were done"),
        (RIGHT + "static int e = (_exit(0), 0);\n", "crashed exited with status 0 .*"),
        ("    abort();\n}\n", "crashed killed by SIG(ABRT|SEGV)"),
        ("    return *(int*)0;\n}\n", "crashed killed by SIGSEGV"),
        ('    throw std::runtime_error("no");\n}\n', "failed AssertionError: .*runtime_error: no"),
        ("    std::vector<char> big(4ul << 30, 1); return big.size();\n}\n", "memory MemoryError: .*bad_alloc"),
        ("    for (;;) new char[1 << 20];\n}\n", "memory MemoryError: .*bad_alloc"),
        ("    for (;;) {}\n}\n", "timeout no result within 5 s"),
        ("    for (;;) std::cout << 12345678;\n}\n", "output wrote more than 1048576 bytes"),
        ('    write(3, "\\0\\0\\0\\1P", 5); return 0;\n}\n', "failed AssertionError: P"),
        (
            '    write(3, "\\0\\0\\0\\7R\\0\\0\\6\\0\\0\\0", 11); for (;;) {}\n}\n',
            "timeout no result within 5 s",
        ),
        ('    write(3, "\\377\\377\\377\\377", 4); return 0;\n}\n', "output an answer of 4294967295 bytes; .*"),
    ],
)
def test_nothing_but_the_right_answers_passes(judge: Judge, completion: str, expected: str) -> None:
    got = outcome(judge.judge(ADD, completion))
    assert re.fullmatch(expected, got, re.DOTALL), got


PROBE = "#include <sys/socket.h>\n#include <sys/mman.h>\n#include <unistd.h>\n#include <signal.h>\n#include <fcntl.h>\n"


@pytest.mark.parametrize(
    "attempt",
    [
        "fork() >= 0",
        "socket(AF_INET, SOCK_STREAM, 0) >= 0",
        "socket(AF_UNIX, SOCK_STREAM, 0) >= 0",
        'open("/etc/passwd", O_RDONLY) >= 0',
        'open("/proc/self/maps", O_RDONLY) >= 0',
        'open("/usr/bin/env", O_RDONLY) >= 0',
        'open("/program/new", O_CREAT | O_RDWR, 0600) >= 0',
        'open("/builds", O_RDONLY) >= 0 && open("/builds/..", O_PATH) >= 0 && access("/builds/test", F_OK) == 0',
        'execl("/bin/sh", "sh", (char*)0) == 0',
        "mmap(0, 8ul << 30, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED",
        "getppid() != 0",
        "kill(-1, 9) == 0",
    ],
)
def test_doors_are_shut(judge: Judge, attempt: str) -> None:
    problem = Problem(
        task_id="door", language="cpp", prompt=PROBE + "bool door(){\n", entry_point="door",
        test="#undef NDEBUG\n#include<assert.h>\nint main(){ assert (!door()); }\n",
    )  # fmt: skip
    assert outcome(judge.judge(problem, f"    return {attempt};\n}}\n")) == "passed"


def test_a_compiler_pulls_in_nothing_of_the_host(judge: Judge, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("42")
    for path in (secret, "/etc/passwd", Path(__file__)):
        for line in (f'#include "{path}"', f'asm(".incbin \\"{path}\\"");'):
            assert outcome(judge.judge(ADD, f"{RIGHT}{line}\n")).startswith("failed does not compile:")


def test_a_compiler_that_does_not_end_is_ended(judge: Judge) -> None:
    bomb = "template<int N> struct B { typedef typename B<N-1>::t a; typedef typename B<N-2>::t b; };\n"
    deep = "#define A(x) x x x x x x x x\nint deep[] = { A(A(A(A(A(A(A(A(A(A(1,)))))))))) };\n"
    assert judge.judge(ADD, RIGHT + bomb + deep).outcome in ("failed", "timeout")
    assert judge.judge(ADD, RIGHT).outcome == "passed"


VALUES = Problem(
    task_id="values",
    language="cpp",
    prompt="#include<map>\n#include<set>\n#include<string>\n#include<vector>\n#include<boost/any.hpp>\n"
    "using namespace std;\n"
    "map<string,vector<pair<int,double>>> keep(map<string,vector<pair<int,double>>> table, set<char>& seen, "
    "vector<vector<bool>> bits, boost::any& what, const string& text){\n",
    entry_point="keep",
    test="#undef NDEBUG\n#include<assert.h>\nint main(){\n"
    '    map<string,vector<pair<int,double>>> t = {{"a", {{1, 0.1}, {-2, 1e300}}}, {"", {}}};\n'
    "    set<char> s = {'x'}; boost::any w = string(\"w\");\n"
    '    assert (keep(t, s, {{true, false}, {}}, w, string("\\0z", 2)) == t);\n'
    "    assert (s == (set<char>{'x', 'y'}) && boost::any_cast<int>(w) == 3);\n}\n",
)


def test_values_of_every_kind_cross_and_changes_arrive(judge: Judge) -> None:
    completion = (
        '    if (!(bits[0][0] && !bits[0][1] && bits[1].empty() && text == string("\\0z", 2))) return {};\n'
        '    if (boost::any_cast<string>(what) != "w") return {};\n'
        "    seen.insert('y'); what = 3;\n    return table;\n}\n"
    )
    assert outcome(judge.judge(VALUES, completion)) == "passed"
    assert judge.judge(VALUES, completion.replace("seen.insert('y');", "")).outcome == "failed"
