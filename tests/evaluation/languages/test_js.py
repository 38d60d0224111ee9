"""JavaScript: what passes, what cannot be faked, what cannot be read, values of every kind, and what is forked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tabwright.evaluation.languages import Judge, languages
from tabwright.records import Problem, RecordError
from tabwright.sandbox import Limits, Result, Sandbox

pytestmark = pytest.mark.toolchain
LANGUAGE = "js"

SOURCE = Path(__file__).parents[3] / "src"

ADD = Problem(
    task_id="add",
    language="js",
    prompt="/* Don't add `more` twice. */\nconst add = (numbers, more) => {\n",
    entry_point="add",
    test="const testAdd = () => {\n  console.assert(add([1, 2], 3) === 6)\n"
    "  console.assert(add([], -1) === -1, 'nothing and -1')\n}\ntestAdd()\n",
)
RIGHT = "  for (const n of numbers) more += n;\n  return more;\n}\n"


def outcome(result: Result) -> str:
    return f"{result.outcome} {result.error or ''}".strip()


def problem(prompt: str, test: str) -> Problem:
    return Problem(task_id="t", language="js", prompt=prompt, entry_point="f", test=test)


def test_every_canonical_solution_passes_and_no_empty_one_does(
    judge: Judge, published: Callable[[str], dict[str, Problem]]
) -> None:
    problems = [p for p in published("humanevalx-js").values() if p.task_id != "JavaScript/162"]
    got = {p.task_id: outcome(judge.judge(p, p.canonical_solution)) for p in problems}
    assert {task: said for task, said in got.items() if said != "passed"} == {}
    for completion in ("}\n", "  return null;\n}\n", "  return {};\n}\n", "  process.exit(0);\n}\n"):
        assert {p.task_id for p in problems if judge.judge(p, completion).outcome not in ("failed", "crashed")} == set()


def test_a_package_that_is_missing_is_named_with_its_remedy(judge: Judge, tmp_path: Path) -> None:
    md5 = problem("const f = (text) => {\n", "console.assert(f('') === 'd41d8cd98f00b204e9800998ecf8427e')\n")
    needing = Problem.from_mapping({**md5.to_mapping(), "canonical_solution": "return require('js-md5')(text)}"})
    with pytest.raises(RecordError, match=r"t needs the package js-md5; run: npm install .*js-packages js-md5@0\.8\.3"):
        judge.judge(needing, "  return ''\n}\n")
    assert outcome(judge.judge(md5, "  return require('js-md5')(text)\n}\n")).startswith("failed")
    package = tmp_path / "js-packages" / "node_modules" / "js-md5"
    package.mkdir(parents=True)
    (package / "index.js").write_text(
        "module.exports = (t) => require('crypto').createHash('md5').update(t).digest('hex')"
    )
    with Judge(languages()["js"], Limits(timeout_s=5.0), tmp_path) as fresh:
        assert outcome(fresh.judge(needing, needing.canonical_solution)) == "passed"


@pytest.mark.parametrize(
    "extra",
    [
        "console.log('P'); console.error('x');\n",
        "const fs = require('fs'); fs.writeFileSync('/tmp/a', 'b'); if (fs.statSync('/tmp/a').size !== 1) throw 1;\n",
        "const big = Buffer.alloc(200 << 20, 1);\n",
        "if (require('fs').readFileSync(0).length) throw 1;\n",
        "const deep = (n) => n === 0 ? 0 : 1 + deep(n - 1); deep(5000);\n",
        "class Stack extends Array {}; Array.prototype.sum = function () { return 0 }; new Stack().sum();\n",
        "setTimeout(() => {}, 1); Promise.resolve().then(() => {}); process.on('SIGINT', () => {});\n",
        "if (Object.keys(process.env).length > 9 || process.argv.length !== 2) throw 1;\n",
        "if (new Intl.NumberFormat('de').format(1.5) !== '1,5' || structuredClone([1])[0] !== 1) throw 1;\n",
        "module.exports = { add }; exports.add = add; if (__filename === undefined || this === undefined) throw 1;\n",
    ],
)
def test_innocent_programs_pass(judge: Judge, extra: str) -> None:
    assert outcome(judge.judge(ADD, RIGHT + extra)) == "passed"


EXITED = "crashed exited with status 0 before its tests were done"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("  return 6\n}\n", r"failed AssertionError: assertion failed: .*add\(\[\], -1\) === -1.*: nothing and -1"),
        ("  return no\n}\n", "failed AssertionError: ReferenceError: no is not defined"),
        ("  return )\n}\n", r"failed does not compile: SyntaxError: Unexpected token '\)'"),
        ("  return more\n", "failed does not compile: SyntaxError: .*"),
        ("  return more }\n/*", "failed does not compile: SyntaxError: .*"),
        ("  return more }\nthrow new TypeError('at once')\n", "failed AssertionError: TypeError: at once"),
        ("  return more }\nreturn\n", "failed AssertionError: it defines no function of that name"),
        ("  process.exit(0)\n}\n", EXITED),
        (RIGHT + "process.exit(0)\n", EXITED),
        (RIGHT + "process.reallyExit(0)\n", EXITED),
        ("  setTimeout(() => process.exit(0), 0); return new Promise(() => {})\n}\n", EXITED),
        ("  process.kill(process.pid, 9); for (;;);\n}\n", "(timeout|crashed) .*"),
        ("  process.abort()\n}\n", "crashed killed by SIG(ABRT|SEGV|TRAP|ILL)"),
        ("  setTimeout(() => { throw new Error('later') }, 0); return new Promise(() => {})\n}\n", "crashed exited .*"),
        ("  return add(numbers, more)\n}\n", "failed AssertionError: RangeError: Maximum call stack size exceeded"),
        ("  for (const a = [];;) a.push(new Array(1000).fill(a.length))\n}\n", "memory JavaScript heap out of memory"),
        ("  for (const a = [];;) a.push(Buffer.alloc(1 << 24, 1))\n}\n", "memory .*"),
        ("  for (;;);\n}\n", "timeout no result within 5 s"),
        ("  return new Promise(() => {})\n}\n", "crashed exited with status 13 before its tests were done"),
        ("  for (;;) console.log('12345678')\n}\n", "output wrote more than 1048576 bytes"),
        ("  require('fs').writeSync(3, '\\0\\0\\0\\1P'); return 0\n}\n", "failed AssertionError: .*"),
        ("  require('fs').writeSync(3, '\\x7f\\x7f\\x7f\\x7f'); return\n}\n", "output an answer of 2139062143 .*"),
        ("  require('fs').closeSync(3); return 0\n}\n", "crashed .*"),
    ],
)  # fmt: skip
def test_nothing_but_the_right_answers_passes(judge: Judge, completion: str, expected: str) -> None:
    got = outcome(judge.judge(ADD, completion))
    assert re.fullmatch(expected, got, re.DOTALL), got


@pytest.mark.parametrize(
    "trick",
    [
        "console.assert = () => {};",
        "global.console = { assert() {} };",
        "Object.prototype.valueOf = () => 6; Object.prototype.toString = () => '[1,2]';",
        "Array.prototype.equals = () => true; Array.prototype.join = () => '1,2'; Array.prototype.length = 2;",
        "JSON.stringify = () => '[1,2]'; JSON.parse = () => [1, 2];",
        "Object.defineProperty(Object.prototype, '__proto__', { get: () => Array.prototype });",
        "Object.is = () => true; Array.isArray = () => true; Symbol.iterator;",
        "Function.prototype.call = () => 'P'; Buffer.prototype.writeUInt32BE = () => 0; Buffer.from = () => 'P';",
        "require('fs').writeSync = () => 5; process.stdout.write = () => true;",
        "Object.prototype.R = 'P'; Object.prototype.P = true; Object.prototype.failure = undefined;",
    ],
)  # fmt: skip
def test_changed_built_ins_change_no_verdict(judge: Judge, trick: str) -> None:
    pair = problem("const f = (n) => {\n", "console.assert(JSON.stringify(f(1)) === JSON.stringify([1, 2]))\n")
    assert judge.judge(pair, f"  return [3, 4]\n}}\n{trick}\n").outcome != "passed"
    assert judge.judge(pair, f"  {trick}\n  return {{}}\n}}\n").outcome != "passed"
    assert outcome(judge.judge(pair, "  return [1, 2]\n}\n")) == "passed"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("return [1, 2]", "passed"),
        ("return { toJSON: () => [1, 2] }", "failed .*a function is no plain data"),
        ("class A extends Array {}; return A.from([1, 2])", "failed .*a class that is no plain data"),
        ("return new Proxy([1, 2], {})", "passed"),
        ("return { __proto__: { toJSON: () => [1, 2] } }", "failed .*a class that is no plain data"),
        ('return JSON.parse(\'{"__proto__": {"toJSON": 1}}\')', "failed AssertionError: assertion failed.*"),
        ("const a = []; a.push(a); return a", "failed .*nested too deeply"),
        ("let a = [1, 2]; for (let i = 0; i < 150; i++) a = [a]; return a", "failed .*nested too deeply"),
        ("return 'x'.repeat(1 << 25)", "output an answer of .*"),
        ("return new Array(1e9)", "(failed|output|memory|timeout) .*"),
        ("return Symbol('a')", "failed .*a symbol is no plain data"),
        ("return new (class { constructor() { this.a = 1 } })()", "failed .*a class that is no plain data"),
    ],
)
def test_only_plain_data_crosses(judge: Judge, completion: str, expected: str) -> None:
    pair = problem("function f(n) {\n", "console.assert(JSON.stringify(f(1)) === '[1,2]')\n")
    got = outcome(judge.judge(pair, f"  {completion}\n}}\n"))
    assert re.fullmatch(expected, got, re.DOTALL), got


@pytest.mark.parametrize(
    "attempt",
    [
        "require('child_process').execSync('true')",
        "require('child_process').spawnSync(process.execPath, ['-e', '']).status === 0 || no",
        "new Promise((yes, no) => require('net').connect(80, '127.0.0.1', yes).on('error', no))",
        "new Promise((yes, no) => require('net').createServer().listen('/tmp/s', yes).on('error', no))",
        "require('fs').readFileSync('/etc/passwd')",
        "require('fs').readFileSync('/proc/self/maps')",
        "require('fs').readdirSync('/usr/bin').length > 1 || no",
        "require('fs').writeFileSync('/kit/serve.js', '')",
        "require('fs').readFileSync('/tests')",
        "require('fs').fstatSync(4).isSocket() || no",
        "process.kill(process.ppid || 2, 0)",
        "process.dlopen({ exports: {} }, '/tmp/a.node')",
        "require('fs').readdirSync('/tmp').length || no",
    ],
)
def test_doors_are_shut(judge: Judge, attempt: str) -> None:
    door = problem(
        "const f = async () => {\n",
        "const test = async () => { let open = true; try { await f() } catch (e) { open = false }\n"
        "  console.assert(!open) }\ntest()\n",
    )
    assert outcome(judge.judge(door, f"  return String(await ({attempt}))\n}}\n")) == "passed"


def test_programs_leave_nothing_to_each_other(judge: Judge) -> None:
    leaves = "require('fs').writeFileSync('/tmp/left', ''); globalThis.left = 1; Object.prototype.left = 1;\n"
    assert outcome(judge.judge(ADD, RIGHT + leaves)) == "passed"
    finds = "if (require('fs').existsSync('/tmp/left') || globalThis.left || {}.left) throw 1;\n"
    assert outcome(judge.judge(ADD, RIGHT + finds)) == "passed"


KINDS = (
    "null, undefined, true, 0, -0, NaN, -Infinity, 5e-324, 'é', '\\ud800', '𝒳', 10n ** 40n, -1n, [1, , 3], [], [,], "
    "{}, { b: 1, a: [{}], 7: null }, Object.create(null), { ['__proto__']: 1, constructor: 2, length: 3 }, "
    "new Map([[{}, 1], ['k', new Map()]]), new Set([1, '1']), new Date(0), new Date(NaN), new Uint8Array([255]), "
    "new Float64Array([0.5]), new String('s'), new Number(1), [[[]]]"
)
SHOW = (
    "const show = (v) => require('util').inspect(v, { depth: 9 }) + Object.is(v, -0) + "
    "(Array.isArray(v) ? Object.keys(v) : '')\n"
)


def test_values_of_every_kind_cross_both_ways(judge: Judge) -> None:
    values = problem(
        SHOW + "function f(...kinds) {\n",
        f"const kinds = [{KINDS}]\nconst [seen, back] = f(...kinds)\n"
        "for (let i = 0; i < kinds.length; i++) {\n"
        "  const want = show(kinds[i])\n"
        "  console.assert(seen[i] === want, want, 'arrives as', seen[i])\n"
        "  console.assert(show(back[i]) === want, want, 'comes back as', show(back[i]))\n"
        "  if (Array.isArray(kinds[i])) console.assert(back[i] instanceof Array)\n}\n"
        "console.assert(back.length === kinds.length && {}.polluted === undefined)\n",
    )
    assert outcome(judge.judge(values, "  return [kinds.map(show), kinds]\n}\n")) == "passed"


def test_changes_in_place_arrive(judge: Judge) -> None:
    changes = problem(
        "const f = (list, table, map, set) => {\n",
        "const row = [0], list = [3, 1, row], table = { a: { b: 1 }, c: 2 }, inner = table.a\n"
        "const kept = [1], map = new Map([['k', kept]]), set = new Set([1])\n"
        "console.assert(f(list, table, map, set) === undefined)\n"
        "console.assert(list[0] === 1 && list[2] === row && row[0] === 7)\n"
        "console.assert(inner.b === 2 && !('c' in table) && kept.length === 2 && set.size === 0)\n",
    )
    completion = (
        "  [list[0], list[1]] = [list[1], list[0]]; list[2][0] = 7; table.a.b++; delete table.c\n"
        "  map.get('k').push(2); set.clear()\n}\n"
    )
    assert outcome(judge.judge(changes, completion)) == "passed"
    assert judge.judge(changes, completion.replace("set.clear()", "")).outcome == "failed"


def test_errors_cross_and_promises_are_waited_for(judge: Judge) -> None:
    test = (
        "const test = async () => {\n  console.assert(await f(1) === 2)\n"
        "  try { await f('no') } catch (e) { console.assert(e instanceof TypeError && e.message === 'no'); return }\n"
        "  console.assert(false)\n}\ntest()\n"
    )
    later = problem("async function f(n) {\n", test)
    sleep = "  await new Promise((done) => setTimeout(done, 1))\n  const no = n === 'no'\n"
    assert outcome(judge.judge(later, sleep + "  if (no) throw new TypeError(n)\n  return n + 1\n}\n")) == "passed"
    assert judge.judge(later, sleep + "  if (no) throw new RangeError(n)\n  return n + 1\n}\n").outcome == "failed"
    assert judge.judge(later, sleep + "  return n + 2\n}\n").outcome == "failed"
    assert judge.judge(later, sleep + "  throw 1\n}\n").outcome == "failed"


def test_tests_do_not_disturb_each_other(judge: Judge) -> None:
    spoils = problem("const f = (n) => {\n", "[].__proto__.more = 1; globalThis.spoilt = 1; console.assert(f(1))\n")
    clean = problem(
        "const f = (n) => {\n", "console.assert(f(1) === 1 && typeof spoilt === 'undefined' && !([].more))\n"
    )
    for one in (spoils, clean):
        assert outcome(judge.judge(one, "  return n\n}\n")) == "passed"


def test_a_test_that_catches_everything_is_stopped(judge: Judge) -> None:
    catches = problem("const f = (n) => {\n", "for (;;) { try { f(1) } catch {} }\n")
    assert judge.judge(catches, "  process.exit(0)\n}\n").outcome == "crashed"
    assert outcome(judge.judge(ADD, RIGHT)) == "passed"


def test_a_process_that_stays_is_replaced_when_it_dies(judge: Judge, kill: Callable[[str], int]) -> None:
    assert outcome(judge.judge(ADD, RIGHT)) == "passed"
    assert kill("/kit/test.js")
    assert outcome(judge.judge(ADD, RIGHT)) == "passed"
    assert judge.judge(ADD, "  return 6\n}\n").outcome == "failed"


def test_children_of_the_warm_node_are_sealed_as_others_are(judge: Judge) -> None:
    with Sandbox(Limits()) as python:
        # A control group is the server's, where one can be made at all: `sandbox/linux/test_control_group.py`.
        assert {layer for layer, reason in judge.layers.items() if reason} <= {"control group"}
        assert judge.layers == python.layers


def test_an_ordinary_user_s_children_are_sealed_as_well(judge: Judge, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: every other test of this file runs as an ordinary user already")
    python = shutil.which("python3.11", path="/usr/bin") or shutil.which("python3.12", path="/usr/bin")
    node = shutil.which("node", path="/usr/bin")
    if python is None or node is None:
        pytest.skip("no Python 3.11 and Node for every user; install python3.11 and nodejs from the distribution")
    shutil.copytree(SOURCE, tmp_path / "src")
    (tmp_path / "kits").mkdir()
    shutil.chown(tmp_path / "kits", 65534, 65534)
    for path in (tmp_path, *tmp_path.parents):
        if path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
        if path.parent == Path("/tmp"):
            break
    script = (
        "from pathlib import Path\nfrom tabwright.evaluation.languages import *\n"
        "from tabwright.records import Problem\nfrom tabwright.sandbox import Limits\n"
        f"problem = Problem.from_mapping({ADD.to_mapping()!r})\n"
        f"with Judge(languages()['js'], Limits(timeout_s=5.0), Path({str(tmp_path / 'kits')!r})) as judge:\n"
        f"    missing = [name for name, reason in judge.layers.items() if reason and name != 'control group']\n"
        f"    print(judge.judge(problem, {RIGHT!r}).outcome, missing)\n"
    )
    done = subprocess.run(
        [python, "-B", "-c", script],
        env={"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin"},
        user=65534, group=65534, extra_groups=[], cwd="/", capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout == "passed []\n", done.stderr
