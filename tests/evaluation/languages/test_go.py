"""Go: what passes, what cannot be faked, what cannot be read, imports and vet, and values of every kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tabwright.evaluation.languages import Judge
from tabwright.records import Problem, RecordError
from tabwright.sandbox import Result

pytestmark = pytest.mark.toolchain
LANGUAGE = "go"

Published = Callable[[str], dict[str, Problem]]

ADD = Problem(
    task_id="add",
    language="go",
    prompt='import (\n    "os"\n    "syscall"\n)\n\nfunc Add(numbers []int, more int) int {\n',
    entry_point="Add",
    test="func TestAdd(t *testing.T) {\n    assert := assert.New(t)\n"
    "    assert.Equal(6, Add([]int{1, 2}, 3))\n    assert.Equal(-1, Add(nil, -1))\n}\n",
)
RIGHT = "    for _, n := range numbers {\n        more += n\n    }\n    return more\n}\n"


def outcome(result: Result) -> str:
    return f"{result.outcome} {result.error or ''}".strip()


def test_canonical_solutions_pass(judge: Judge, published: Published) -> None:
    problems = published("humanevalx-go")
    chosen = [problems[f"Go/{number}"] for number in (0, 22, 32, 38, 65, 92, 95, 112, 137, 162)]
    assert {p.task_id: outcome(judge.judge(p, p.canonical_solution)) for p in chosen} == dict.fromkeys(
        (p.task_id for p in chosen), "passed"
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_canonical_solution_passes_and_no_empty_one_does(judge: Judge, published: Published) -> None:
    problems = published("humanevalx-go").values()
    got = {p.task_id: outcome(judge.judge(p, p.canonical_solution)) for p in problems}
    assert {task: said for task, said in got.items() if said != "passed"} == {}
    wrong = {p.task_id: judge.judge(p, '    fmt.Println("PASS")\n    panic("no")\n}\n').outcome for p in problems}
    assert wrong == dict.fromkeys(wrong, "failed")


@pytest.mark.parametrize(
    "extra",
    [
        'func init() {\n    print("PASS")\n    os.Stdout.WriteString("x")\n}\n',
        "func main() {\n    os.Exit(1)\n}\n",
        "func init() {\n    done := make(chan int)\n    go func() { done <- 1 }()\n    <-done\n}\n",
        "var big = make([]byte, 200<<20)\n\nfunc init() {\n    for i := range big {\n        big[i] = 1\n    }\n}\n",
        'func init() {\n    if os.WriteFile("/tmp/a", []byte("b"), 0o600) != nil {\n        panic(1)\n    }\n}\n',
        "func init() {\n    if n, _ := os.Stdin.Read(make([]byte, 1)); n != 0 {\n        panic(1)\n    }\n}\n",
        "type Stack[T any] []T\n\nfunc (s *Stack[T]) Push(x T) { *s = append(*s, x) }\n",
    ],
)
def test_innocent_programs_pass(judge: Judge, extra: str) -> None:
    assert outcome(judge.judge(ADD, RIGHT + extra)) == "passed"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("    return 6\n}\n", "failed AssertionError: Not equal: expected: -1 actual : 6"),
        ("    return no\n}\n", "failed does not compile: program.go:7:12: undefined: no"),
        ("    return 1\n", "failed does not compile: program.go:.*: expected '}', found 'EOF'"),
        ("}\n", "failed does not compile: program.go:7:1: missing return"),
        ('    return "6"\n}\n', "failed does not compile: .*cannot use .*"),
        (RIGHT + "/*", "failed does not compile: .*comment not terminated"),
        (RIGHT + "\0", "failed does not compile: .*invalid NUL character"),
        (RIGHT + "func init() { os.Exit(0) }\n", "crashed exited with status 0 before its tests were done"),
        ("    os.Exit(0)\n    return 0\n}\n", "crashed exited with status 0 before its tests were done"),
        ('    panic("no")\n}\n', "failed AssertionError: panic: no"),
        ("    return numbers[7]\n}\n", "failed AssertionError: panic: runtime error: index out of range .*"),
        ("    return *(*int)(nil)\n}\n", "failed AssertionError: panic: runtime error: invalid memory address .*"),
        ("    go func() { panic(1) }()\n    select {}\n}\n", "crashed exited with status 2 .*"),
        ("    return Add(numbers, more+1)\n}\n", "(crashed|memory) .*"),
        ("    return len(make([]byte, 4<<30))\n}\n", "memory fatal error: .*out of memory.*"),
        (
            "    all := [][]byte{}\n    for {\n        all = append(all, make([]byte, 1<<20))\n    }\n}\n",
            "memory .*",
        ),
        ("    for {\n    }\n}\n", "timeout no result within 5 s"),
        ("    for {\n        println(12345678)\n    }\n}\n", "output wrote more than 1048576 bytes"),
        (
            '    println("PASS")\n    println("ok  main 0.1s")\n    return 0\n}\n',
            "failed AssertionError: Not equal: .*",
        ),
    ],
)
def test_nothing_but_the_right_answers_passes(judge: Judge, completion: str, expected: str) -> None:
    got = outcome(judge.judge(ADD, completion))
    assert re.fullmatch(expected, got, re.DOTALL), got


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"\0\0\0\1P", "failed AssertionError: what the program sent is no answer"),
        (b"\0\0\0\0", "failed AssertionError: what the program sent is no answer"),
        (b"\377\377\377\377", "output an answer of 4294967295 bytes; .*"),
        (b"\0\0\0\1R", "failed AssertionError: a message .*"),
        (b"\0\0\0\15R\0" + b"\377" * 10 + b"\1", "failed AssertionError: .*does not fit.*"),
        (b"\0\0\0\2R\1", "failed AssertionError: a message .*"),
    ],
)
def test_forged_messages_do_not_help(judge: Judge, message: bytes, expected: str) -> None:
    text = "".join(f"\\x{byte:02x}" for byte in message)
    got = outcome(judge.judge(ADD, f'    syscall.Write(3, []byte("{text}"))\n    for {{\n    }}\n}}\n'))
    assert re.fullmatch(expected, got), got


@pytest.mark.parametrize(
    "answer",
    [
        '"\\x01\\x17\\xff\\xff\\xff\\xff\\x0f"',  # a long slice
        '"\\x01" + strings.Repeat("\\x11\\xff\\xff\\x7f", 30) + "\\x02"',  # arrays of arrays
        'strings.Repeat("\\x01\\x14", 5000)',  # values in values
        '"\\x01" + strings.Repeat("\\x17", 5000)',  # types in types
        '"\\x01\\x15\\x17\\x02\\x02\\x01"',  # a map of what cannot be compared
        '"\\x01\\xff\\x07"',  # a type that is not there
        '"\\x01\\x17\\x02\\x09"',  # an object that is not there
        '"\\x02\\xff\\xff\\xff\\x0f"',  # a long text
    ],
)
def test_answers_that_promise_more_than_they_hold_are_refused(judge: Judge, answer: str) -> None:
    problem = Problem(
        task_id="any", language="go", entry_point="F",
        prompt='import (\n    "strings"\n    "syscall"\n)\n\nfunc F() interface{} {\n',
        test="func TestF(t *testing.T) { assert.Nil(t, F()) }\n",
    )  # fmt: skip
    send = "    m := append([]byte{0, 0, byte(len(a) >> 8), byte(len(a))}, a...)\n    syscall.Write(3, m)\n"
    got = outcome(judge.judge(problem, f'    a := "R\\x00" + {answer}\n{send}    for {{\n    }}\n}}\n'))
    assert got.startswith("failed AssertionError: "), got


PROBE = Problem(
    task_id="door",
    language="go",
    prompt='import (\n    "net"\n    "os"\n    "os/exec"\n    "syscall"\n)\n\nfunc Door() bool {\n',
    entry_point="Door",
    test="func TestDoor(t *testing.T) { assert.False(t, Door()) }\n",
)


@pytest.mark.parametrize(
    "attempt",
    [
        'exec.Command("/bin/sh", "-c", "true").Run() == nil',
        'syscall.Exec("/bin/sh", nil, nil) == nil',
        'func() bool { _, err := syscall.ForkExec("/program/made", nil, nil); return err == nil }()',
        'func() bool { _, err := net.Listen("tcp", "127.0.0.1:0"); return err == nil }()',
        "func() bool { _, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0); return err == nil }()",
        *(
            f'func() bool {{ _, err := os.Open("{path}"); return err == nil }}()'
            for path in ("/etc/passwd", "/proc/self/maps", "/usr/bin/env", "/usr/lib/go", "/kit")
        ),
        'os.WriteFile("/program/new", nil, 0o600) == nil',
        'func() bool { found, _ := os.ReadDir("/builds"); return len(found) > 0 }()',
        "syscall.Kill(-1, 9) == nil",
        "os.Getppid() != 0",
    ],
)
def test_doors_are_shut(judge: Judge, attempt: str) -> None:
    assert outcome(judge.judge(PROBE, f"    return {attempt}\n}}\n")) == "passed"


def test_a_compiler_pulls_in_nothing_of_the_host(judge: Judge, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a word that is nowhere else")
    for path in (secret, "/etc/passwd", Path(__file__)):
        for line in (
            f"//go:embed {path}\nvar kept string\n",
            f'import _ "embed"\n\n//go:embed {path}\nvar kept string\n',
            f'/*\n#include "{path}"\n*/\nimport "C"\n',
            f'import "{path}"\n',
            f"//go:cgo_ldflag \"{path}\"\n",
            "//go:linkname kept main.kept\nfunc kept()\n",
        ):  # fmt: skip
            assert outcome(judge.judge(ADD, f"{RIGHT}{line}")).startswith("failed does not compile:"), line
    lied = f"{RIGHT}//line {secret}:1\nfunc no() int {{ return yes }}\n"
    assert "nowhere else" not in judge.judge(ADD, lied).output


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("    return int(math.Abs(-6.5)) + len(strings.Fields(strconv.Itoa(0))) - 1\n}\n", "failed AssertionError: .*"),
        (RIGHT + '// as math.Abs says\nvar _ = "sort."\n', "failed does not compile: .*imported and not used.*"),
        (RIGHT + "var _ = unicode.MaxRune\n", "failed does not compile: .*undefined: unicode"),
        (RIGHT + "var _ = string(rune(65))\n", "passed"),
        (RIGHT + "func f(n int) string { return string(n) }\n", "failed does not compile: vet: .*string of one rune.*"),
        (RIGHT + 'func f() { fmt.Printf("%d", "x") }\n', "failed does not compile: vet: .*wrong type.*"),
        (
            RIGHT + "func f(n int) bool { return n == 1 || n == 1 }\n",
            "failed does not compile: vet: redundant.*|.*vet.*",
        ),
        (
            RIGHT + "func f() {\n    unused := 1\n}\n",
            "failed does not compile: .*unused declared but not used.*|.*unused.*",
        ),
    ],
)
def test_imports_and_vet_are_as_in_the_harness(judge: Judge, completion: str, expected: str) -> None:
    got = outcome(judge.judge(ADD, completion))
    assert re.fullmatch(expected, got, re.DOTALL), got


VALUES = Problem(
    task_id="values",
    language="go",
    prompt="""import "errors"

type Point struct {
    X, Y int
    name string
    next *Point
}

type Celsius float64

// Don't take { for the body.
func Keep(table map[string][]float64, bits [2][]bool, r rune, b byte, u uint64, c complex128, things []interface{},
    p *Point, set map[int]struct{}, warm Celsius, more ...string) (map[string][]float64, *Point, any, error) {
""",
    entry_point="Keep",
    test="""
func TestKeep(t *testing.T) {
    assert := assert.New(t)
    table := map[string][]float64{"a": {0.1, math.Inf(1)}, "": {}, "nil": nil}
    things := []interface{}{
        1, "x", nil, 'c', int8(-3), uint16(7), 2.5, float32(0.1), true, []int{1}, []interface{}{1, []interface{}{}},
        map[string]int{"k": 1}, [2]int{1, 2}, Point{X: 1}, &Point{Y: 2}, errors.New("bad"), complex64(1i), Celsius(3),
        []string(nil), struct{}{}, time.Second,
    }
    p := &Point{X: 1, Y: 2, name: "p"}
    p.next = p
    set := map[int]struct{}{1: {}}
    kept := map[string][]float64{"a": {0.1, math.Inf(1)}, "": {}, "nil": nil, "new": {1}}
    a, q, v, err := Keep(
        table, [2][]bool{{true, false}, nil}, 'é', 255, math.MaxUint64, 1+2i, things, p, set, 36.6, "m", "n")
    assert.Equal(kept, a)
    assert.Equal(kept, table)
    assert.True(p == q && p.next == p)
    assert.Equal("changed", p.name)
    assert.Equal([]interface{}{"m", 'r'}, v)
    assert.EqualError(err, "no good")
    assert.Equal(map[int]struct{}{1: {}, 2: {}}, set)
    assert.Equal("first", things[0])
    a["a"][0] = 7
    assert.Equal(7.0, table["a"][0])
}
""",
)
KEEP = """    e, isError := things[15].(error)
    ok := things[0] == 1 && things[1] == "x" && things[2] == nil && things[3] == 'c' && things[4] == int8(-3) &&
        things[5] == uint16(7) && things[6] == 2.5 && things[7] == float32(0.1) && things[8] == true &&
        things[9].([]int)[0] == 1 && len(things[10].([]interface{})[1].([]interface{})) == 0 &&
        things[11].(map[string]int)["k"] == 1 && things[12] == [2]int{1, 2} && things[13] == Point{X: 1} &&
        things[14].(*Point).Y == 2 && isError && e.Error() == "bad" && things[16] == complex64(1i) &&
        things[17] == Celsius(3) && things[18].([]string) == nil && things[19] == struct{}{}
    ok = ok && r == 'é' && b == 255 && u == 1<<64-1 && c == 1+2i && p.next == p && p.X == 1 && warm == 36.6 &&
        len(more) == 2 && bits[0][0] && !bits[0][1] && bits[1] == nil && table["nil"] == nil && table[""] != nil
    if !ok {
        panic("something did not arrive as it was")
    }
    table["new"] = []float64{1}
    p.name = "changed"
    set[2] = struct{}{}
    things[0] = "first"
    return table, p, []interface{}{more[0], 'r'}, errors.New("no good")
}
"""


def test_values_of_every_kind_cross_and_changes_arrive(judge: Judge) -> None:
    assert outcome(judge.judge(VALUES, KEEP)) == "passed"
    for gone in ("set[2] = struct{}{}", 'p.name = "changed"', 'things[0] = "first"', 'table["new"] = []float64{1}'):
        assert judge.judge(VALUES, KEEP.replace(gone, "")).outcome == "failed"
    copied = KEEP.replace("return table, p,", "q := *p\n    return table, &q,")
    assert outcome(judge.judge(VALUES, copied)) == "failed AssertionError: Should be true"
    retyped = KEEP.replace("more[0], 'r'}", "more[0], int('r')}")
    assert outcome(judge.judge(VALUES, retyped)).startswith("failed AssertionError: Not equal")


def test_slices_change_in_place_and_nothing_is_not_empty(judge: Judge) -> None:
    problem = Problem(
        task_id="sort", language="go", entry_point="Sort", prompt="func Sort(numbers []int) []int {\n",
        test="func TestSort(t *testing.T) {\n    n := make([]int, 3, 8)\n    copy(n, []int{3, 1, 2})\n"
        "    s := Sort(n)\n    assert.Equal(t, []int{1, 2, 3}, n)\n    s[0] = 9\n    assert.Equal(t, 9, n[0])\n"
        "    assert.Equal(t, []int(nil), Sort(nil))\n    assert.Equal(t, []int{}, Sort([]int{}))\n}\n",
    )  # fmt: skip
    assert outcome(judge.judge(problem, "    sort.Ints(numbers)\n    return numbers\n}\n")) == "passed"
    copying = "    kept := append([]int{}, numbers...)\n    sort.Ints(kept)\n    return kept\n}\n"
    assert judge.judge(problem, copying).outcome == "failed"


def test_tests_run_as_go_test_runs_them(judge: Judge) -> None:
    head = Problem(task_id="t", language="go", entry_point="f", prompt="func f(n int) int {\n", test="")

    def said(test: str) -> str:
        problem = Problem.from_mapping({**head.to_mapping(), "test": test})
        return outcome(judge.judge(problem, '    if n < 0 {\n        panic("below")\n    }\n    return n\n}\n'))

    assert (
        said("func TestF(t *testing.T) {}\nfunc Testing(t *testing.T) { t.Fatal() }\nfunc Test() { f(-1) }\n")
        == "passed"
    )
    assert said('func TestF(t *testing.T) { t.Run("a", func(t *testing.T) { t.Fatal("here") }) }\n').startswith(
        "failed AssertionError: --- FAIL: TestF"
    )
    assert said("func TestF(t *testing.T) { assert.Panics(t, func() { f(-1) }) }\n") == "passed"
    assert said("func TestF(t *testing.T) { f(-1) }\n") == "failed AssertionError: panic: below"
    parallel = (
        "func TestF(t *testing.T) {\n    for i := 0; i < 9; i++ {\n        i := i\n"
        '        t.Run("p", func(t *testing.T) { t.Parallel(); assert.Equal(t, i, f(i)) })\n    }\n}\n'
    )
    assert said(parallel) == "passed"
    with pytest.raises(RecordError, match=r"t: its test does not compile: .*undefined: g"):
        said("func TestF(t *testing.T) { g() }\n")
