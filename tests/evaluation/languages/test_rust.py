"""Rust: what passes, what cannot be faked, what cannot be read, crates and lints, and values of every kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tabwright.evaluation.languages import Judge, languages
from tabwright.evaluation.languages.build import Builder
from tabwright.records import Problem, RecordError
from tabwright.sandbox import Result

pytestmark = pytest.mark.toolchain
LANGUAGE = "rust"

Published = Callable[[str], dict[str, Problem]]

ADD = Problem(
    task_id="add",
    language="rust",
    prompt="/* Don't add `more` twice. */\nuse std::{any::Any, collections::HashMap, mem::replace};\nuse rand::Rng;\n"
    "use regex::Regex;\nuse md5;\n\npub fn add(mut numbers: Vec<i32>, more: i32) -> i32 {\n",
    entry_point="add",
    test="\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn test_add() {\n"
    "        assert_eq!(add(vec![1, 2], 3), 6);\n        assert_eq!(add(vec![], -1), -1);\n    }\n}\n",
)
RIGHT = "    numbers.push(more);\n    numbers.iter().sum()\n}\n"
C = """extern "C" {
    fn write(to: i32, data: *const u8, size: usize) -> isize;
    fn execl(path: *const u8, end: usize) -> i32;
    fn fork() -> i32;
    fn kill(process: i32, signal: i32) -> i32;
    fn getppid() -> i32;
    fn socket(family: i32, kind: i32, protocol: i32) -> i32;
}
"""
AT_START = '#[used]\n#[link_section = ".init_array"]\nstatic START: extern "C" fn() = start;\n'


def outcome(result: Result) -> str:
    return f"{result.outcome} {result.error or ''}".strip()


def test_canonical_solutions_pass(judge: Judge, published: Published) -> None:
    problems = published("humanevalx-rust")
    chosen = [problems[f"Rust/{number}"] for number in (4, 10, 22, 32, 38, 50, 74, 95, 111, 119, 137, 162)]
    assert {p.task_id: outcome(judge.judge(p, p.canonical_solution)) for p in chosen} == dict.fromkeys(
        (p.task_id for p in chosen), "passed"
    )
    assert {judge.judge(p, "    Default::default()\n}\n").outcome for p in chosen} == {"failed"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_canonical_solution_passes_and_no_empty_one_does(judge: Judge, published: Published) -> None:
    problems = published("humanevalx-rust").values()
    got = {p.task_id: outcome(judge.judge(p, p.canonical_solution)) for p in problems}
    assert {task: said for task, said in got.items() if said != "passed"} == {}
    leave = '    println!("test result: ok. 1 passed; 0 failed");\n    std::process::exit(0)\n}\n'
    wrong = {p.task_id: judge.judge(p, leave).outcome for p in problems}
    assert wrong == dict.fromkeys(wrong, "crashed")


@pytest.mark.parametrize(
    "extra",
    [
        'extern "C" fn start() { println!("P"); eprintln!("x"); }\n' + AT_START,
        'extern "C" fn start() { std::thread::spawn(|| vec![1u8; 200 << 20]).join().unwrap(); }\n' + AT_START,
        'extern "C" fn start() { std::fs::write("/tmp/a", "b").unwrap(); }\n' + AT_START,
        'extern "C" fn start() { assert_eq!(std::io::stdin().lines().count(), 0); }\n' + AT_START,
        "mod tabwright { pub fn serve() {} }\nstruct Stack<T>(T);\nimpl<T> Stack<T> { fn new() -> Self { todo!() } }\n",
        "macro_rules! twice { ($e:expr) => { $e * 2 } }\nfn four() -> i32 { twice!(2) }\n",
        "fn unused() { let x; x = 1u8; let Y = x as char; }\n",
    ],
)
def test_innocent_programs_pass(judge: Judge, extra: str) -> None:
    assert outcome(judge.judge(ADD, RIGHT + extra)) == "passed"


def test_programs_may_use_all_of_the_standard_library_and_the_crates(judge: Judge) -> None:
    extra = r"""
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, LinkedList, VecDeque};
use std::sync::{atomic::AtomicI32, mpsc, Arc, Condvar, Mutex, OnceLock, RwLock};
fn use_much() -> String {
    let (to, from) = mpsc::channel::<Vec<String>>();
    std::thread::spawn(move || to.send(vec![format!("{:>8.3e} {:?}", 1.5f32, Some("x"))]));
    let words = from.recv().unwrap().into_iter().map(|w| (w.clone(), w.chars().collect()));
    let words: BTreeMap<String, BTreeSet<char>> = words.collect();
    let mut heap: BinaryHeap<(u64, String)> = words.keys().map(|w| (w.len() as u64, w.to_uppercase())).collect();
    let list: LinkedList<_> = heap.drain().collect();
    let queue: VecDeque<(u64, String)> = list.into_iter().rev().collect();
    let shared = Arc::new((Mutex::new(queue), Condvar::new(), RwLock::new(0u8), AtomicI32::new(0)));
    static ONCE: OnceLock<HashMap<&str, f64>> = OnceLock::new();
    let once = ONCE.get_or_init(|| HashMap::from([("pi", 3.5f64.powf(0.5).sin().ln_1p().cbrt())]));
    let found = Regex::new(r"(?i)\bx(\w+)").unwrap().captures("a Xyz").map(|c| c[1].to_string());
    let mut rng = rand::thread_rng();
    let drawn: f64 = rng.gen_range(0.0, 1.0) + rand::random::<u8>() as f64;
    let text = String::from_utf8_lossy(&[0xff, 65]).split('A').map(str::trim).collect::<Vec<_>>().join("-");
    let wide = 7u128.pow(9) % 1_000_003 + (text.len() as f32).mul_add(2.0, 1.0) as u128;
    format!("{:?} {:?} {:?} {} {} {:x}", shared, once, found, drawn, wide, md5::compute(text))
}
"""
    counted = "    if use_much().len() < 9 { return 0; }\n"
    assert outcome(judge.judge(ADD, counted + RIGHT + extra)) == "passed"


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("    6\n}\n", "failed AssertionError: assertion .*left == right.* failed.* left: 6.* right: -1.*"),
        ("    no\n}\n", r"failed does not compile: error\[E0425\]: cannot find value `no` in this scope"),
        ("    1\n", "failed does not compile: error: this file contains an unclosed delimiter"),
        ("}\n", r"failed does not compile: error\[E0308\]: mismatched types"),
        ("    6\n}\nfn main() {}\n", r"failed does not compile: error\[E0428\]: the name `main` is defined .*"),
        (RIGHT + "/*", r"failed does not compile: error\[E0758\]: unterminated block comment"),
        (RIGHT + "\0", "failed does not compile: error: unknown start of token.*"),
        (RIGHT + "fn f() -> u8 { 255u8 + 1 }\n", "failed does not compile: error: this arithmetic operation .*"),
        ("    std::process::exit(0)\n}\n", "crashed exited with status 0 before its tests were done"),
        (RIGHT + 'extern "C" fn start() { std::process::exit(0) }\n' + AT_START, "crashed exited with status 0 .*"),
        ('    panic!("no")\n}\n', "failed AssertionError: panic: no"),
        ("    numbers[7]\n}\n", "failed AssertionError: panic: index out of bounds: .*"),
        ("    i32::MAX - more + 9\n}\n", "failed AssertionError: panic: attempt to add with overflow"),
        ("    std::process::abort()\n}\n", "crashed killed by SIG(ABRT|SEGV)"),
        ("    let p = more as *const i32; unsafe { *p }\n}\n", "crashed killed by SIGSEGV"),
        ("    add(numbers, more + 1) + 1\n}\n", "(crashed|failed) .*"),
        ("    vec![1u8; 4 << 30].len() as i32\n}\n", "memory memory allocation of 4294967296 bytes failed"),
        ("    let mut all = vec![];\n    loop { all.push(vec![1u8; 1 << 20]); }\n}\n", "memory .*"),
        ("    loop {}\n}\n", "timeout no result within 5 s"),
        ('    loop { println!("12345678"); }\n}\n', "output wrote more than 1048576 bytes"),
        ('    println!("test result: ok. 1 passed"); 0\n}\n', "failed AssertionError: assertion .*"),
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
        (b"\0\0\0\4R\1\2\3", "failed AssertionError: a message that ends too early"),
        (b"\0\0\0\5R\6\0\0\0", "timeout no result within 5 s"),
    ],
)
def test_forged_messages_do_not_help(judge: Judge, message: bytes, expected: str) -> None:
    text = "".join(f"\\x{byte:02x}" for byte in message)
    forge = f'    unsafe {{ write(3, b"{text}".as_ptr(), {len(message)}); }}\n    loop {{}}\n}}\n{C}'
    got = outcome(judge.judge(ADD, forge))
    assert re.fullmatch(expected, got), got


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('b"\\xff\\xff\\xff\\x7f".to_vec()', "a message that says more than it has bytes for"),
        ('[&b"\\x01\\0\\0\\0"[..], &b"\\x50".repeat(300)].concat()', "a message that is nested too deeply"),
        ('b"\\x01\\0\\0\\0\\x12\\x01\\0\\0\\0\\xff".to_vec()', "text that is not UTF-8"),
        ('b"\\x01\\0\\0\\0\\x03\\0\\xd8\\0\\0".to_vec()', "a character that does not exist"),
        ('b"\\x02\\0\\0\\0\\x02\\x01".to_vec()', "a message that ends too early"),
    ],
)
def test_answers_that_promise_more_than_they_hold_are_refused(judge: Judge, answer: str, said: str) -> None:
    problem = Problem(
        task_id="any", language="rust", entry_point="f", prompt="use std::any::Any;\nfn f() -> Vec<Box<dyn Any>> {\n",
        test="#[test]\nfn test_f() { assert_eq!(f().len(), 0); }\n",
    )  # fmt: skip
    send = (
        "    let mut m = (a.len() as u32 + 1).to_be_bytes().to_vec();\n    m.push(b'R');\n    m.extend(a);\n"
        f"    unsafe {{ write(3, m.as_ptr(), m.len()); }}\n    loop {{}}\n}}\n{C}"
    )
    assert outcome(judge.judge(problem, f"    let a: Vec<u8> = {answer};\n{send}")) == f"failed AssertionError: {said}"


DOOR = Problem(
    task_id="door", language="rust", entry_point="door", prompt="fn door() -> bool {\n",
    test="#[cfg(test)]\nmod tests {\n    #[test]\n    fn test_door() { assert!(!super::door()); }\n}\n",
)  # fmt: skip


@pytest.mark.parametrize(
    "attempt",
    [
        'std::process::Command::new("/bin/sh").spawn().is_ok()',
        "unsafe { fork() >= 0 }",
        'unsafe { execl(b"/bin/sh\\0".as_ptr(), 0) == 0 }',
        'std::net::TcpListener::bind("127.0.0.1:0").is_ok()',
        "unsafe { socket(1, 1, 0) >= 0 }",
        *(
            f'std::fs::File::open("{path}").is_ok()'
            for path in ("/etc/passwd", "/proc/self/maps", "/usr/bin/env", "/usr/share/cargo")
        ),
        'std::fs::write("/program/new", "").is_ok() || std::fs::write("/kit/new", "").is_ok()',
        'std::fs::read_dir("/builds").map_or(false, |found| found.count() > 0)',
        "unsafe { kill(-1, 9) == 0 || getppid() != 0 }",
    ],
)
def test_doors_are_shut(judge: Judge, attempt: str) -> None:
    assert outcome(judge.judge(DOOR, f"    {attempt}\n}}\n{C}")) == "passed"


def test_a_compiler_pulls_in_nothing_of_the_host(judge: Judge, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("42")
    for path in (secret, "/etc/passwd", "/proc/self/environ", Path(__file__)):
        for line in (
            f'static KEPT: &str = include_str!("{path}");\n',
            f'static KEPT: &[u8] = include_bytes!("{path}");\n',
            f'fn kept() -> i32 {{ include!("{path}") }}\n',
            f'#[path = "{path}"]\nmod kept;\n',
            f'core::arch::global_asm!(".incbin \\"{path}\\"");\n',
            f'#[doc = include_str!("{path}")]\nfn kept() {{}}\n',
        ):
            assert outcome(judge.judge(ADD, f"{RIGHT}{line}")).startswith("failed does not compile:"), line
    for line in (
        "use proc_macro::TokenStream;\n#[proc_macro]\npub fn run(tokens: TokenStream) -> TokenStream { tokens }\n",
        'static HOME: &str = env!("TABWRIGHT_CACHE");\n',
        "#![feature(link_args)]\n",
    ):
        assert outcome(judge.judge(ADD, f"{RIGHT}{line}")).startswith("failed does not compile:"), line


def test_a_compiler_that_does_not_end_is_ended(judge: Judge) -> None:
    endless = "const X: u64 = { let mut i = 0u64; while i < 1 << 40 { i += 1; } i };\nfn x() -> u64 { X }\n"
    swelling = "macro_rules! m { ($($x:tt)*) => { m! { $($x)* $($x)* } } }\nm! { a }\n"
    for bomb in (endless, swelling):
        assert judge.judge(ADD, RIGHT + bomb).outcome in ("failed", "timeout")
    assert outcome(judge.judge(ADD, RIGHT)) == "passed"


VALUES = Problem(
    task_id="keep",
    language="rust",
    prompt="""use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

#[allow(clippy::too_many_arguments)]
pub fn keep<'a>(
    table: &mut BTreeMap<String, Vec<(i64, f64)>>, grid: &mut [[u8; 2]], text: &'a str, words: Vec<&'a str>,
    more: &[Option<char>], counts: HashMap<&str, HashSet<i128>>, mut any: Vec<Box<dyn Any>>, what: &dyn Any,
) -> Result<(Option<&'a str>, Vec<&'a str>, Box<dyn Any>), String> {
""",
    entry_point="keep",
    test=r"""
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_keep() {
        let pairs = vec![(1, 0.1), (-2, f64::INFINITY)];
        let mut table = BTreeMap::from([("a".to_string(), pairs), (String::new(), vec![])]);
        let mut grid = [[1, 2], [3, 255]];
        let any: Vec<Box<dyn Any>> = vec![
            Box::new(1), Box::new("s"), Box::new(String::from("t")), Box::new('c'), Box::new(2.5f32),
            Box::new(vec![Box::new(7u64) as Box<dyn Any>]), Box::new(RefCell::new(1)),
        ];
        let counts = HashMap::from([("k", HashSet::from([i128::MIN, 0]))]);
        let more = [Some('\u{10ffff}'), None];
        let kept = keep(&mut table, &mut grid, "\u{e9}\0z", vec!["x", ""], &more, counts, any, &"dyn");
        let (first, words, made) = kept.unwrap();
        assert_eq!((first, words), (Some("\u{e9}"), vec!["", "x"]));
        assert_eq!(made.downcast_ref::<Vec<String>>(), Some(&vec!["new".to_string()]));
        assert_eq!(table.get("new"), Some(&vec![(9, 9.0)]));
        assert_eq!(grid, [[1, 2], [0, 255]]);
        let bad = keep(&mut table, &mut grid, "", vec![], &[], HashMap::new(), vec![], &1u8);
        assert_eq!(bad.err(), Some("bad".to_string()));
    }
}
""",
)
KEEP = r"""    if text.is_empty() { return Err("bad".into()); }
    assert_eq!(any[0].downcast_ref::<i32>(), Some(&1));
    assert_eq!(any[1].downcast_ref::<&str>(), Some(&"s"));
    assert_eq!(any[2].downcast_ref::<String>().unwrap(), "t");
    assert_eq!(any[3].downcast_ref::<char>(), Some(&'c'));
    assert_eq!(any[4].downcast_ref::<f32>(), Some(&2.5));
    assert_eq!(any[5].downcast_ref::<Vec<Box<dyn Any>>>().unwrap()[0].downcast_ref::<u64>(), Some(&7));
    assert!(any[6].downcast_ref::<RefCell<i32>>().is_none() && any.pop().is_some() && any.len() == 6);
    assert_eq!(what.downcast_ref::<&str>(), Some(&"dyn"));
    assert_eq!(more, [Some('\u{10ffff}'), None]);
    assert!(counts["k"].contains(&i128::MIN) && counts["k"].len() == 2);
    assert_eq!(table["a"], [(1, 0.1), (-2, f64::INFINITY)]);
    table.insert("new".to_string(), vec![(9, 9.0)]);
    grid[1][0] = 0;
    Ok((text.get(..2), words.into_iter().rev().collect(), Box::new(vec!["new".to_string()])))
}
"""


def test_values_of_every_kind_cross_and_changes_arrive(judge: Judge) -> None:
    assert outcome(judge.judge(VALUES, KEEP)) == "passed"
    for change in ("grid[1][0] = 0", 'table.insert("new".to_string(), vec![(9, 9.0)])'):
        assert judge.judge(VALUES, KEEP.replace(change, "")).outcome == "failed"
    retyped = KEEP.replace('Box::new(vec!["new".to_string()])', 'Box::new(vec!["new"])')
    assert judge.judge(VALUES, retyped).outcome == "failed"


@pytest.mark.parametrize(
    ("declared", "body", "test"),
    [
        ("fn f(n: &mut i32, s: &mut String)", "*n += 1; s.push('b');", "let (mut n, mut s) = (1, String::from(\"a\")); "
         "f(&mut n, &mut s); assert_eq!((n, &*s), (2, \"ab\"));"),
        ("fn f<'a>(a: &'a [i32], b: &'a [i32]) -> &'a [i32]", "if a.len() > b.len() { a } else { b }",
         "assert_eq!(f(&[1], &[2, 3]), [2, 3]);"),
        ("fn f(mut v: Vec<Vec<f32>>) -> [Vec<f32>; 2]", "[v.remove(0), v.remove(0)]",
         "assert!(f(vec![vec![f32::NAN], vec![-0.0]])[0][0].is_nan());"),
        ("fn f(t: (u8, (char, bool), ())) -> Option<Option<(char, u8)>>", "Some(t.1.1.then_some((t.1.0, t.0)))",
         "assert_eq!([f((7, ('x', true), ())), f((7, ('x', false), ()))], [Some(Some(('x', 7))), Some(None)]);"),
        ("fn f(s: Option<&str>) -> Box<dyn std::error::Error>", "s.unwrap_or(\"none\").into()",
         "assert_eq!(f(None).to_string(), \"none\");"),
        ("fn f(s: std::borrow::Cow<'_, str>) -> std::rc::Rc<std::cell::RefCell<Vec<u64>>>",
         "std::rc::Rc::new(std::cell::RefCell::new(vec![s.len() as u64]))",
         "assert_eq!(*f(\"ab\".into()).borrow(), [2]);"),
        ("fn f(g: &dyn Any) -> std::cmp::Ordering", "g.downcast_ref::<i8>().cmp(&Some(&3))",
         "assert_eq!(f(&3i8), std::cmp::Ordering::Equal); assert_eq!(f(&3i32), std::cmp::Ordering::Less);"),
        ("fn f()", "", "f();"),
    ],
)  # fmt: skip
def test_signatures_of_many_kinds(judge: Judge, declared: str, body: str, test: str) -> None:
    problem = Problem(
        task_id="t", language="rust", entry_point="f", prompt=f"use std::any::Any;\n{declared} {{\n",
        test=f"#[cfg(test)]\nmod tests {{\n    use super::*;\n    #[test]\n    fn t() {{ {test} }}\n}}\n",
    )  # fmt: skip
    assert outcome(judge.judge(problem, f"    {body}\n}}\n")) == "passed"
    assert judge.judge(problem, "    unimplemented!()\n}\n").outcome == "failed"


def test_types_of_the_prompt_cross_when_it_says_how(judge: Judge) -> None:
    problem = Problem(
        task_id="t", language="rust", entry_point="grow",
        prompt="#[derive(Debug, PartialEq)]\npub enum Tree { Leaf(i32), Node(Box<Tree>, Box<Tree>) }\nuse Tree::*;\n\n"
        "fn grow(tree: Tree, n: i32) -> Tree {\n",
        setup="tabwright::plain!(enum Tree { Leaf(n), Node(left, right) });",
        test="#[test]\nfn test_grow() {\n    let two = Node(Box::new(Leaf(1)), Box::new(Leaf(2)));\n"
        "    assert_eq!(grow(Leaf(1), 2), two);\n    assert_eq!(grow(two, 0), Leaf(3));\n}\n",
    )  # fmt: skip
    completion = (
        "    match tree {\n        Node(a, b) => match (*a, *b) { (Leaf(a), Leaf(b)) => Leaf(a + b), _ => Leaf(n) },\n"
        "        leaf => Node(Box::new(leaf), Box::new(Leaf(n))),\n    }\n}\n"
    )
    assert outcome(judge.judge(problem, completion)) == "passed"
    endless = "    let mut t = tree;\n    for _ in 0..999 { t = Node(Box::new(t), Box::new(Leaf(n))); }\n    t\n}\n"
    assert outcome(judge.judge(problem, endless)) == "failed AssertionError: a message that is nested too deeply"
    untold = Problem.from_mapping({**problem.to_mapping(), "setup": ""})
    with pytest.raises(RecordError, match=r"t: its test does not compile: .*Tree.*"):
        judge.judge(untold, completion)


def test_tests_run_as_cargo_runs_them(judge: Judge) -> None:
    def said(test: str) -> str:
        problem = Problem(task_id="t", language="rust", entry_point="f", prompt="fn f(n: i32) -> i32 {\n", test=test)
        return outcome(judge.judge(problem, '    assert!(n >= 0, "below");\n    n\n}\n'))

    assert said('#[test]\n#[should_panic(expected = "below")]\nfn t() { f(-1); }\n') == "passed"
    assert said("#[test]\nfn a() { f(1); }\n#[test]\nfn b() { f(-1); }\n") == "failed AssertionError: panic: below"
    assert said("#[test]\n#[ignore]\nfn t() { f(-1); }\n") == "passed"
    assert said("#[test]\nfn t() -> Result<(), String> { Err(f(1).to_string()) }\n").startswith("failed AssertionError")
    threads = "let all: Vec<_> = (0..9).map(|n| std::thread::spawn(move || f(n))).collect();\n"
    assert said(f"#[test]\nfn t() {{ {threads} for (n, t) in all.into_iter().enumerate() {{ "
                "assert_eq!(t.join().unwrap(), n as i32); } }\n") == "passed"  # fmt: skip
    with pytest.raises(RecordError, match=r"t: its test does not compile: .*cannot find function `g`"):
        said("#[test]\nfn t() { g(1); }\n")


def test_a_program_is_linked_the_fast_way(judge: Judge, published: Published, kits: Path) -> None:
    problem = published("humanevalx-rust")["Rust/0"]
    with Builder(languages()["rust"], kits) as builder:
        assert b"libtabwright.so" in builder.program(problem, problem.canonical_solution)["program"]
