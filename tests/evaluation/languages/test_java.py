"""Java: what passes, what cannot be faked, what cannot be read, values of every kind, and the processes that stay."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tabwright.evaluation.languages import Judge
from tabwright.evaluation.languages.programs import SentPrograms
from tabwright.records import Problem
from tabwright.sandbox import Result

pytestmark = pytest.mark.toolchain
LANGUAGE = "java"

IMPORTS = "import java.io.*;\nimport java.math.*;\nimport java.util.*;\nimport java.util.stream.*;\n\n"
ADD = Problem(
    task_id="add",
    language="java",
    prompt=IMPORTS + "class Solution {\n    public int add(List<Integer> numbers, int more) {\n",
    entry_point="add",
    test="public class Main {\n    static int runs = 0;\n    public static void main(String[] args) {\n"
    "        Solution s = new Solution();\n"
    "        if (runs++ > 0 || s.add(new ArrayList<>(Arrays.asList(1, 2)), 3) != 6) throw new AssertionError();\n"
    '        if (s.add(List.of(), -1) != -1) throw new AssertionError("nothing and -1");\n    }\n}\n',
)
RIGHT = "        for (int n : numbers) more += n;\n        return more;\n    }\n"
END = "}\n"


def outcome(result: Result) -> str:
    return f"{result.outcome} {result.error or ''}".strip()


def test_canonical_solutions_pass(judge: Judge, published: Callable[[str], dict[str, Problem]]) -> None:
    problems = published("humanevalx-java")
    chosen = [problems[f"Java/{number}"] for number in (0, 10, 12, 22, 32, 38, 50, 87, 95, 103, 111, 136, 137, 162)]
    assert {p.task_id: outcome(judge.judge(p, p.canonical_solution)) for p in chosen} == dict.fromkeys(
        (p.task_id for p in chosen), "passed"
    )
    wrong = {p.task_id: judge.judge(p, "        throw new RuntimeException();\n    }\n}\n").outcome for p in chosen}
    assert wrong == dict.fromkeys(wrong, "failed")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_canonical_solution_passes_and_no_empty_one_does(
    judge: Judge, published: Callable[[str], dict[str, Problem]]
) -> None:
    problems = published("humanevalx-java").values()
    assert [p.task_id for p in problems if judge.judge(p, p.canonical_solution).outcome != "passed"] == []
    for value in ("null", "0", "false", '""', "new ArrayList<>()", "Optional.empty()"):
        completion = f"        return {value};\n    }}\n}}\n"
        assert [p.task_id for p in problems if judge.judge(p, completion).outcome != "failed"] == []


@pytest.mark.parametrize(
    "extra",
    [
        'static { System.out.print("P"); System.err.println("x"); }',
        "static class T extends Thread { } { T t = new T(); t.start(); try { t.join(); } catch (Exception e) { } }",
        "static byte[] big = new byte[200 << 20];",
        "static { try { if (System.in.read() != -1) throw new Error(); } catch (IOException e) { } }",
        'static { try { new FileWriter("/tmp/a").close(); } catch (IOException e) { throw new Error(e); } }',
        "int sum = IntStream.range(0, 9999).parallel().map(n -> n % 7).sum();",
        "static int deep(int n) { return n == 0 ? 0 : 1 + deep(n - 1); } static int d = deep(5000);",
        "record Pair<A, B>(A a, B b) {} enum Kind { ONE { int n() { return 1; } }; abstract int n(); }",
        'static String said = String.format("%.2f %s", 1.5, "a1b".replaceAll("\\\\d", "") + Locale.getDefault());',
    ],
)
def test_innocent_programs_pass(judge: Judge, extra: str) -> None:
    assert outcome(judge.judge(ADD, f"{RIGHT}    {extra}\n{END}")) == "passed"


BYTES = "new byte[] {0, 0, 0, 1, 'P'}"
FORGE = f"try {{ new FileOutputStream(FileDescriptor.in).write({BYTES}); }} catch (IOException e) {{ }}"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("        return 6;\n    }\n" + END, "failed AssertionError: nothing and -1"),
        ("        return 7;\n    }\n" + END, "failed AssertionError"),
        ("        return no;\n    }\n" + END, "failed does not compile: Solution.java:8: error: cannot find symbol"),
        (RIGHT, "failed does not compile: .*reached end of file while parsing"),
        ("        return Solution.class.getMethods()[99].hashCode();\n    }\n" + END, "failed .*IndexOutOfBounds.*"),
        ("        System.exit(0); return 0;\n    }\n" + END, "crashed exited with status 0 before its tests were done"),
        ("        Runtime.getRuntime().halt(0); return 0;\n    }\n" + END, "crashed exited with status 0 .*"),
        (RIGHT + "    static { System.exit(0); }\n" + END, "crashed exited with status 0 .*"),
        (RIGHT + "    Solution() { System.exit(0); }\n" + END, "crashed exited with status 0 .*"),
        ("        new Thread(() -> System.exit(0)).start(); while (true) { }\n    }\n" + END, "crashed exited .*"),
        ("        return add(numbers, more);\n    }\n" + END, "failed .*StackOverflowError.*"),
        ('        throw new AssertionError("P");\n    }\n' + END, "failed AssertionError: .*AssertionError: P"),
        ("        throw new ThreadDeath();\n    }\n" + END, "failed AssertionError: java.lang.ThreadDeath"),
        ("        return new long[1 << 30].length;\n    }\n" + END, "memory MemoryError: java.lang.OutOfMemoryError"),
        (
            "        List<Object> all = new ArrayList<>(); while (true) all.add(new byte[1 << 20]);\n    }\n" + END,
            "memory MemoryError: java.lang.OutOfMemoryError",
        ),
        ("        while (true) more++;\n    }\n" + END, "timeout no result within 5 s"),
        ("        while (true) System.out.print(12345678);\n    }\n" + END, "output wrote more than 1048576 bytes"),
        (f"        {FORGE} return 0;\n    }}\n" + END, "failed AssertionError: a value that .*"),
        (
            f"        {FORGE.replace(BYTES, 'new byte[] {-1, -1, -1, -1}')} return 0;\n    }}\n" + END,
            "output an answer of 4294967295 bytes; .*",
        ),
        (RIGHT + "    static { " + FORGE + " while (true); }\n" + END, "(failed|timeout) .*"),
    ],
)
def test_nothing_but_the_right_answers_passes(judge: Judge, completion: str, expected: str) -> None:
    got = outcome(judge.judge(ADD, completion))
    assert re.fullmatch(expected, got, re.DOTALL), got


def problem(declaration: str, body: str, helpers: str = "") -> Problem:
    return Problem(
        task_id="problem",
        language="java",
        prompt=f"{IMPORTS}class Solution {{\n{helpers}    {declaration} {{\n",
        entry_point="unused",
        test=f"public class Main {{\n    public static void main(String[] all) throws Exception {{\n{body}    }}\n}}\n",
    )


EQUAL = "public boolean equals(Object other) { return true; }"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("return new ArrayList<>() {{ add(1); add(2); }};", "passed"),
        (f"return new ArrayList<>() {{ {EQUAL} }};", "failed .*: 0"),
        (f"return (List<Object>) (List<?>) new Object() {{ {EQUAL} }};", "failed .*"),
        (f"return Arrays.asList(1, new Object() {{ {EQUAL} }});", "failed .*no plain data"),
        ("List<Object> a = new ArrayList<>(); a.add(a); return a;", "failed .*nested too deeply"),
        ("List<Object> a = List.of(); for (int i = 0; i < 150; i++) a = List.of(a); return a;", "failed .*too deeply"),
        ("return new ArrayList<>(Collections.nCopies(20_000_000, 1));", "(output an answer of|memory) .*"),
        ("return Arrays.asList(1, 2L);", "failed .*"),
        ("return null;", "failed .*NullPointerException.*"),
    ],
)
def test_only_plain_data_crosses(judge: Judge, completion: str, expected: str) -> None:
    pair = problem(
        "public List<Object> make(int n)",
        "List<Object> made = new Solution().make(2);\n"
        "if (!made.equals(Arrays.asList(1, 2))) throw new AssertionError(made.size());\n",
    )
    got = outcome(judge.judge(pair, f"        {completion}\n    }}\n}}\n"))
    assert re.fullmatch(expected, got, re.DOTALL), got


@pytest.mark.parametrize(
    "attempt",
    [
        'new ProcessBuilder("/bin/sh", "-c", "true").start() != null',
        'Runtime.getRuntime().exec(new String[] {System.getProperty("java.home") + "/bin/java"}) != null',
        'new java.net.Socket("127.0.0.1", 80) != null',
        "new java.net.ServerSocket(0) != null",
        'new FileReader("/etc/passwd").read() >= 0',
        'new FileReader("/proc/self/maps").read() >= 0',
        'new File("/usr/bin/env").exists()',
        'new File(System.getProperty("java.home"), "bin/javac").exists()',
        'new FileWriter("/kit/new") != null',
        'Solution.class.getResource("/Main.class") != null || Class.forName("tabwright.Ask") != null',
        'Class.forName("Main") != null',
        'System.getenv().keySet().stream().anyMatch(name -> name.startsWith("TABWRIGHT"))',
    ],
)
def test_doors_are_shut(judge: Judge, attempt: str) -> None:
    door = problem(
        "boolean door() throws Exception",
        "boolean open = true;\n"
        "try { open = new Solution().door(); } catch (IOException | ClassNotFoundException e) { open = false; }\n"
        "if (open) throw new AssertionError();\n",
    )
    assert outcome(judge.judge(door, f"        return {attempt};\n    }}\n}}\n")) == "passed"


KINDS = """
    Object[] kinds = {
        null, true, (byte) -1, (short) -2, 'c', 3, 4L, 0.1f, -0.0, Double.NaN, "\\ud800 \\u00e9",
        new BigInteger("-99999999999999999999"), new BigDecimal("1.50"), new int[] {1}, new boolean[] {true},
        new String[][] {{"a", null}, {}}, new ArrayList<>(Arrays.asList(1, 2L)), new LinkedList<>(List.of('x')),
        Arrays.asList(1, null), List.of("u"), new TreeMap<>(Map.of("k", List.of(1.5))), new HashMap<>(Map.of(1, 'y')),
        new HashSet<>(Set.of(1)), new TreeSet<>(Set.of("z")), Optional.empty(), Optional.of(Optional.of(1)),
        Map.entry("a", 1), new ArrayDeque<>(List.of(1)), new Stack<Object>()
    };
"""
SHOW = """
    static String show(Object a) {
        if (a == null) return "null";
        if (a instanceof int[]) return "int" + Arrays.toString((int[]) a);
        if (a instanceof boolean[]) return "boolean" + Arrays.toString((boolean[]) a);
        if (a instanceof Map.Entry<?, ?> e) return show(e.getKey()) + "=" + show(e.getValue());
        if (a instanceof Object[]) return a.getClass().getSimpleName() + shown(Arrays.asList((Object[]) a));
        if (a instanceof Collection) return kind(a) + shown((Collection<?>) a);
        if (a instanceof Map) return kind(a) + shown(((Map<?, ?>) a).entrySet());
        return a.getClass().getSimpleName() + " " + a;
    }
    static List<String> shown(Collection<?> all) {
        return all.stream().map(a -> show(a)).collect(Collectors.toList());
    }
    static String kind(Object a) {
        try {
            if (a instanceof List) ((List<Object>) a).add(1);
        } catch (UnsupportedOperationException fixed) {
            return "fixed";
        }
        if (a instanceof List) ((List<Object>) a).remove(((List<Object>) a).size() - 1);
        return a.getClass().getSimpleName().replace("Linked", "");
    }
"""


def test_values_of_every_kind_cross_both_ways(judge: Judge) -> None:
    # The test sends all kinds, the program says what it saw and sends them back; the test sees the same.
    values = problem(
        "public Object[] back(Object[] kinds)",
        KINDS + "Object[] got = new Solution().back(kinds);\n"
        "for (int i = 0; i < kinds.length; i++) {\n"
        "    String want = Solution.show(kinds[i]), there = (String) ((Object[]) got[0])[i];\n"
        "    String back = Solution.show(((Object[]) got[1])[i]);\n"
        "    if (!want.equals(there) || !want.equals(back)) throw new AssertionError(want + there + back);\n"
        "}\n",
        helpers=SHOW,
    )
    completion = "        return new Object[] {Arrays.stream(kinds).map(k -> show(k)).toArray(), kinds};\n    }\n}\n"
    assert outcome(judge.judge(values, completion)) == "passed"


def test_changes_in_place_arrive(judge: Judge) -> None:
    changes = problem(
        "public void change(int[] a, List<int[]> b, Map<String, List<Integer>> c, Set<Integer> d)",
        "int[] a = {3, 1, 2}, row = {0};\n"
        "List<int[]> b = new ArrayList<>(Arrays.asList(row));\n"
        "List<Integer> kept = new ArrayList<>();\n"
        'Map<String, List<Integer>> c = new TreeMap<>(Map.of("k", kept));\n'
        "Set<Integer> d = new HashSet<>(Set.of(1));\n"
        "new Solution().change(a, b, c, d);\n"
        "if (!Arrays.equals(a, new int[] {1, 2, 3}) || row[0] != 7 || !kept.equals(List.of(5)) || !d.isEmpty())\n"
        "    throw new AssertionError(Arrays.toString(a) + row[0] + c + d);\n",
    )
    completion = '        Arrays.sort(a); b.get(0)[0] = 7; c.get("k").add(5); d.clear();\n    }\n}\n'
    assert outcome(judge.judge(changes, completion)) == "passed"
    assert judge.judge(changes, completion.replace("d.clear();", "")).outcome == "failed"


def test_objects_keep_their_state_and_new_ones_begin_anew(judge: Judge) -> None:
    shared = problem(
        "static int count()", "if (Solution.count() != 1 || new Solution().count() != 2) throw new Error();\n"
    )
    assert outcome(judge.judge(shared, "        return ++n;\n    }\n    static int n;\n}\n")) == "passed"
    own = problem(
        "int count()",
        "Solution s = new Solution();\n"
        "if (s.count() != 1 || s.count() != 2 || new Solution().count() != 1) throw new AssertionError();\n",
    )
    assert outcome(judge.judge(own, "        return ++n;\n    }\n    int n;\n}\n")) == "passed"


def test_a_test_can_expect_an_exception(judge: Judge) -> None:
    raises = problem(
        "int no(int n) throws Exception",
        'try { new Solution().no(1); } catch (IllegalArgumentException e) { if ("n".equals(e.getMessage())) return; }\n'
        "throw new AssertionError();\n",
    )
    assert outcome(judge.judge(raises, '        throw new IllegalArgumentException("n");\n    }\n}\n')) == "passed"
    assert judge.judge(raises, '        throw new IllegalStateException("n");\n    }\n}\n').outcome == "failed"


def test_samples_do_not_see_each_other(judge: Judge) -> None:
    shadow = RIGHT + "}\nclass ArrayList { }\nclass Pair { int a; }\n"
    assert outcome(judge.judge(ADD, shadow)) == "passed"
    assert outcome(judge.judge(ADD, RIGHT + "    List<Integer> l = new ArrayList<>();\n}\n")) == "passed"
    assert "cannot find symbol" in outcome(judge.judge(ADD, RIGHT + "    Pair p;\n}\n"))
    inner = RIGHT + "    static class Inner { static int n = 1; }\n}\n"
    assert outcome(judge.judge(ADD, inner)) == "passed"
    assert "cannot find symbol" in outcome(judge.judge(ADD, RIGHT + "    int n = Inner.n;\n}\n"))
    assert "does not compile" in outcome(judge.judge(ADD, RIGHT + "    Solution$Inner n;\n}\n"))


@pytest.mark.parametrize("role", ["compile", "test"])
def test_a_process_that_stays_is_replaced_when_it_dies(judge: Judge, kill: Callable[[str], int], role: str) -> None:
    assert outcome(judge.judge(ADD, RIGHT + END)) == "passed"
    assert kill(f"tabwright.Main {role}")
    assert outcome(judge.judge(ADD, RIGHT + END)) == "passed"
    assert judge.judge(ADD, "        return 6;\n    }\n" + END).outcome == "failed"


def test_a_process_that_stood_by_for_long_is_as_good_as_new(judge: Judge) -> None:
    assert "does not compile" in outcome(
        judge.judge(ADD, "        return no;\n    }\n" + END)
    )  # its process was not used
    programs = judge._programs
    assert isinstance(programs, SentPrograms)
    assert programs._spare is not None
    programs._spare.channel.deadline = 0.0
    assert outcome(judge.judge(ADD, RIGHT + END)) == "passed"


def test_a_compiler_that_does_not_end_is_ended(judge: Judge) -> None:
    nested = "1" + " + (1" * 20_000 + ")" * 20_000
    assert outcome(judge.judge(ADD, RIGHT + f"    int n = {nested};\n{END}")).startswith("failed does not compile")
    generic = "class A<T> { } class B<T> { " + "A<A<" * 3000 + "T" + ">>" * 3000 + " a; }\n"
    assert judge.judge(ADD, RIGHT + END + generic).outcome in ("failed", "timeout", "passed")
    assert outcome(judge.judge(ADD, RIGHT + END)) == "passed"


def test_a_test_that_catches_everything_is_stopped(judge: Judge) -> None:
    catches = problem("int no(int n)", "while (true) try { new Solution().no(1); } catch (Throwable e) { }\n")
    assert judge.judge(catches, "        System.exit(0); return 0;\n    }\n}\n").outcome == "crashed"
    assert outcome(judge.judge(ADD, RIGHT + END)) == "passed"
