// The file's blocks -> what they hold. A block is JSON, compressed (zlib), in Base64.

/** What a block holds. */
async function unpack(id) {
  const packed = atob(byId(id).textContent);
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const opened = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(opened).text());
}

const opened = new Map();

/** A piece of samples or problems, opened once; the last few stay open. */
async function piece(id) {
  if (!id) return {};
  if (!opened.has(id)) {
    if (opened.size >= 12) opened.delete(opened.keys().next().value);
    opened.set(id, unpack(id));
  }
  return opened.get(id);
}

/** One sample with its texts. */
async function sampleOf(run, task, position) {
  const entry = own(await piece(own(run.pieces, task)), task);
  const row = entry.rows[position];
  const text = (number) => (number === null ? null : entry.texts[number]);
  return {
    index: row[0],
    completion: text(row[1]),
    error: text(row[2]),
    output: text(row[3]),
    duration_s: row[4],
    n_tokens: row[5],
    mean_logprob: row[6],
    finish_reason: row[7],
  };
}

/** A problem's prompt, test, and what stands around a completion; null where the report was made without the benchmark. */
const problemOf = async (task) => own(await piece(own(report.problem_pieces, task)), task) ?? null;

// A task may be called "constructor".
const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : undefined);

for (const trouble of ["error", "unhandledrejection"]) {
  addEventListener(trouble, (event) => {
    if (document.documentElement.dataset.drawn) return;
    const old = !("DecompressionStream" in window);
    const why = old ? "this browser is older than 2023." : plain(event.reason ?? event.message);
    byId("title").textContent = `The report cannot be opened: ${why}`;
  });
}
const report = await unpack("summary");
const RUNS = report.runs;
const TASKS = report.tasks;
const KINDS = report.kinds.map(([outcome, type]) => ({ outcome, type }));
const PASSED = new Set(KINDS.flatMap((kind, number) => (kind.outcome === "passed" ? [number] : [])));
const MOST = Math.max(...RUNS.map((run) => run.report.most));

const passes = (cells) => cells.filter((kind) => PASSED.has(kind)).length;
/** What to call a run: A and B where two are compared. */
const letter = (number) => (report.comparison ? "AB"[number] + " " : "");
const runName = (number) => letter(number) + plain(RUNS[number].label);
const taskNumber = new Map(TASKS.map((task, number) => [task, number]));

// What all names begin with says nothing; "HumanEval/12" is shown as "12".
const PREFIX = TASKS.reduce((common, task) => {
  let same = 0;
  while (same < common.length && common[same] === task[same]) same++;
  return common.slice(0, same);
}, TASKS[0]).replace(/[^/]*$/, "");
const shortName = (task) => plain(TASKS.length > 1 ? task.slice(PREFIX.length) || task : task);
