/** Things to try: each puts code in the editor, with the cursor at the mark, and some a question in the chat box. */

export interface Example {
  readonly title: string;
  readonly language: string;
  /** `▮` marks the cursor. */
  readonly code: string;
  readonly question?: string;
}

export const CURSOR = "▮";

export const EXAMPLES: readonly Example[] = [
  {
    title: "Comment to code",
    language: "Python",
    code: `# Return the n-th Fibonacci number, counting from fib(0) = 0.
def fib(n: int) -> int:
    ▮
`,
  },
  {
    title: "Unit tests for a function",
    language: "Python",
    code: `import unittest


def is_palindrome(text: str) -> bool:
    """Tell whether a text reads the same both ways, letters and digits alone counting."""
    kept = [c.lower() for c in text if c.isalnum()]
    return kept == kept[::-1]


class TestIsPalindrome(unittest.TestCase):
    def test_empty_text(self):
        self.assertTrue(is_palindrome(""))

    def test_▮
`,
  },
  {
    title: "SQL from CREATE TABLE",
    language: "SQL",
    code: `CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    city TEXT NOT NULL
);

CREATE TABLE purchase (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    amount NUMERIC NOT NULL,
    made_on DATE NOT NULL
);

-- The ten customers who spent the most in 2025, with their totals
SELECT ▮
`,
  },
  {
    title: "Explain code",
    language: "JavaScript",
    code: `function debounce(call, delay) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...values), delay);
  };
}
▮`,
    question: "Explain what this function does and when I would use it.",
  },
  {
    title: "Find and fix a bug",
    language: "Python",
    code: `def binary_search(items: list[int], wanted: int) -> int:
    """Return the index of wanted in sorted items, or -1."""
    low, high = 0, len(items)
    while low <= high:
        middle = (low + high) // 2
        if items[middle] == wanted:
            return middle
        if items[middle] < wanted:
            low = middle
        else:
            high = middle
    return -1
▮`,
    question: "This function does not always work. Find the bugs and give the corrected function.",
  },
];
