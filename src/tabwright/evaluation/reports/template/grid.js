// Every problem's samples as a row of cells, each row a canvas; one real button, the cursor, lies over the current cell,
// so that keys and screen readers have something to hold.

const grid = {
  rows: [],
  runs: [0],
  size: 10,
  tall: 10,
  across: 1,
  kind: null,
  at: { row: 0, run: 0, position: 0 },
  stamps: {},
  open: () => {},
};
// So many rows are drawn at once, so that a picture or a print of the page has them all; of more, those in sight.
const AT_ONCE = 1000;
const see = (node, seen) => {
  node.seen = seen;
  if (seen) drawRow(node.row);
};
const inSight = new IntersectionObserver(
  (entries) => entries.forEach(({ target, isIntersecting }) => see(target, isIntersecting)),
  { rootMargin: "400px" },
);
addEventListener("beforeprint", () => grid.rows.forEach(drawRow));

// It answers when the page has been laid out, at first and at each change, so that asking for places costs nothing.
const laidOut = new ResizeObserver(() => {
  if (byId("grid").clientWidth !== grid.width) layGrid();
  placeCursor();
});

/** Show these problems (numbers into TASKS) of these runs. */
function showGrid(tasks, runs) {
  const host = byId("grid");
  inSight.disconnect();
  laidOut.disconnect();
  grid.runs = runs;
  grid.cursor ??= makeCursor();
  grid.rows = tasks.map((task, number) => makeRow(task, number));
  grid.at = { row: 0, run: runs[0], position: 0 };
  layGrid(); // first, as the page is laid out anew for each size that is asked for once rows are in it
  fill(
    host,
    grid.cursor,
    grid.rows.map((row) => row.node),
  );
  host.classList.toggle("lazy", grid.rows.length > AT_ONCE);
  for (const row of grid.rows) {
    if (grid.rows.length > AT_ONCE) inSight.observe(row.node);
    else see(row.node, true);
  }
  laidOut.observe(host);
  byId("readout").textContent = grid.rows.length ? restingText() : "No problem is left; change what is shown.";
}

const restingText = () =>
  `${count(grid.rows.length, "problem")}. Click a cell, or move with the arrow keys and press Enter.`;

function makeRow(task, number) {
  const cells = grid.runs.map((run) => RUNS[run].cells[task]);
  const shares = cells.map((row) => `${passes(row)}/${row.length}`);
  const first = cells.findIndex((row) => row.length);
  const name = el(
    "button",
    {
      type: "button",
      tabindex: -1,
      class: "row-name",
      title: plain(TASKS[task]),
      "aria-label": `${plain(TASKS[task])}: ${shares.join(", then ")} passed`,
      onclick: () => grid.open({ run: grid.runs[first], task, position: 0 }),
    },
    shortName(TASKS[task]),
  );
  const canvas = el("canvas", { "aria-hidden": "true" });
  const node = el(
    "div",
    { class: "row" },
    name,
    canvas,
    MOST > 1 && el("span", { class: "row-count" }, shares.join(" ")),
  );
  const row = { task, number, node, canvas, strips: grid.runs.map((run, i) => ({ run, cells: cells[i] })) };
  node.row = row;
  canvas.addEventListener("pointermove", (event) => tell(cellAt(row, event)));
  canvas.addEventListener("click", (event) => {
    const cell = cellAt(row, event);
    if (cell) {
      moveTo(cell);
      openCell();
    }
  });
  return row;
}

/** Sizes: as large as the number of samples allows; a row's cells go over several lines where they must. */
function layGrid() {
  const host = byId("grid");
  const width = (grid.width = host.clientWidth);
  const most = largest(grid.rows.flatMap((row) => row.strips.map(({ cells }) => cells.length)));
  const nameWidth = Math.min(150, 20 + 7.6 * largest(TASKS.map((task) => shortName(task).length)));
  const countWidth = MOST > 1 ? 12 + 8 * grid.runs.length * (2 * String(MOST).length + 1) : 0;
  const beside = grid.runs.length > 1 && most <= 4;
  grid.size = cellSize(most, width - nameWidth - countWidth - 4);
  grid.tall = Math.max(grid.size, grid.size < 8 ? 11 : 0); // very narrow cells are high, to tell their shapes apart
  const wanted = nameWidth + countWidth + (beside ? grid.runs.length * (most * grid.size + 6) : most * grid.size) + 4;
  grid.across = Math.max(1, Math.floor((width + 14) / (wanted + 14)));
  const space = (width - 14 * (grid.across - 1)) / grid.across - nameWidth - countWidth - 4;
  const fitting = Math.max(1, Math.floor(space / grid.size));
  const perLine = Math.ceil(most / Math.ceil(most / fitting));
  host.style.setProperty("--across", grid.across);
  host.style.setProperty("--name", `${nameWidth}px`);
  host.style.setProperty("--count", `${countWidth}px`);
  grid.stamps = makeStamps(grid.size - gap(), grid.tall - gap(), devicePixelRatio);
  for (const row of grid.rows) layRow(row, perLine, beside);
}

const largest = (numbers) => numbers.reduce((most, number) => Math.max(most, number), 1);

const gap = () => (grid.size > 9 ? 2 : 1);

/** Large enough for a finger or a mouse where samples are few; of many, all on one line where that can be seen. */
function cellSize(most, space) {
  const coarse = matchMedia("(pointer: coarse)").matches;
  if (most <= 4) return coarse ? 26 : 20;
  if (most <= 20) return coarse ? 20 : 14;
  if (coarse) return most <= 60 ? 13 : 8;
  return Math.max(5, Math.min(12, Math.floor(space / most)));
}

function layRow(row, perLine, beside) {
  let [left, top, right] = [0, 0, 0];
  for (const strip of row.strips) {
    const lines = Math.max(1, Math.ceil(strip.cells.length / perLine));
    const across = Math.min(perLine, Math.max(1, strip.cells.length));
    Object.assign(strip, { left, top, across, lines });
    right = Math.max(right, left + across * grid.size);
    if (beside) left += across * grid.size + 6;
    else top += lines * grid.tall + 3;
  }
  row.width = right;
  row.height = beside ? grid.tall : top - 3;
  row.canvas.style.width = `${row.width}px`;
  row.canvas.style.height = `${row.height}px`;
  row.node.style.height = `${Math.max(row.height, 17)}px`;
  if (row.node.seen) drawRow(row);
}

function drawRow(row) {
  const { canvas, strips } = row;
  canvas.width = Math.round(row.width * devicePixelRatio);
  canvas.height = Math.round(row.height * devicePixelRatio);
  const context = canvas.getContext("2d");
  context.scale(devicePixelRatio, devicePixelRatio);
  for (const { cells, left, top, across } of strips) {
    cells.forEach((kind, i) => {
      context.globalAlpha = grid.kind === null || grid.kind(kind) ? 1 : 0.13;
      const stamp = grid.stamps[KINDS[kind].outcome];
      context.drawImage(
        stamp,
        left + (i % across) * grid.size,
        top + Math.floor(i / across) * grid.tall,
        grid.size - gap(),
        grid.tall - gap(),
      );
    });
  }
}

const drawSeen = () => grid.rows.filter((row) => row.node.seen).forEach(drawRow);

function cellAt(row, event) {
  const strip = row.strips.find(
    ({ left, top, across, lines }) =>
      event.offsetX < left + across * grid.size && event.offsetY < top + lines * grid.tall,
  );
  if (!strip) return null;
  const column = Math.min(strip.across - 1, Math.max(0, Math.floor((event.offsetX - strip.left) / grid.size)));
  const position = column + strip.across * Math.max(0, Math.floor((event.offsetY - strip.top) / grid.tall));
  return position < strip.cells.length ? { row: row.number, run: strip.run, position } : null;
}

/** Say in words what a cell is. */
function tell(cell) {
  if (!cell) return;
  const { task, strips } = grid.rows[cell.row];
  const { cells } = strips.find(({ run }) => run === cell.run);
  const { outcome, type } = KINDS[cells[cell.position]];
  const which = cells.length > 1 ? `, sample ${cell.position + 1} of ${cells.length}` : "";
  const where = RUNS.length > 1 ? ` (${runName(cell.run)})` : "";
  const said = `${plain(TASKS[task])}${which}${where}: ${outcome}${type ? `, ${plain(type)}` : ""}`;
  if (byId("readout").textContent !== said) byId("readout").textContent = said;
  return said;
}

function makeCursor() {
  const cursor = el("button", {
    type: "button",
    class: "cursor",
    onclick: openCell,
    onkeydown: steer,
    onfocus: () => tell(grid.at),
  });
  return cursor;
}

function placeCursor() {
  const row = grid.rows[grid.at.row];
  const strip =
    row?.strips.find(({ run, cells }) => run === grid.at.run && cells.length) ??
    row?.strips.find(({ cells }) => cells.length);
  grid.cursor.hidden = !strip;
  if (!strip) return;
  grid.at.run = strip.run;
  grid.at.position = Math.min(grid.at.position, strip.cells.length - 1);
  const { position } = grid.at;
  const left = strip.left + (position % strip.across) * grid.size;
  const top = strip.top + Math.floor(position / strip.across) * grid.tall;
  grid.cursor.style.left = `${row.node.offsetLeft + row.canvas.offsetLeft + left}px`;
  grid.cursor.style.top = `${row.node.offsetTop + row.canvas.offsetTop + top}px`;
  grid.cursor.style.width = `${grid.size - gap()}px`;
  grid.cursor.style.height = `${grid.tall - gap()}px`;
}

function moveTo(cell) {
  grid.at = { ...cell };
  placeCursor();
  grid.cursor.setAttribute("aria-label", tell(grid.at) ?? "");
}

function openCell() {
  const { row, run, position } = grid.at;
  grid.open({ run, task: grid.rows[row].task, position });
}

function steer(event) {
  const { row, run, position } = grid.at;
  const strip = grid.rows[row].strips.find((candidate) => candidate.run === run);
  const last = strip.cells.length - 1;
  const other = (by) => ({ row: Math.max(0, Math.min(grid.rows.length - 1, row + by)), run, position });
  const moves = {
    ArrowRight: () => (position < last ? { row, run, position: position + 1 } : beyond(1)),
    ArrowLeft: () => (position > 0 ? { row, run, position: position - 1 } : beyond(-1)),
    ArrowDown: () =>
      position + strip.across <= last ? { row, run, position: position + strip.across } : other(grid.across),
    ArrowUp: () => (position >= strip.across ? { row, run, position: position - strip.across } : other(-grid.across)),
    PageDown: () => other(10 * grid.across),
    PageUp: () => other(-10 * grid.across),
    Home: () => ({ row, run, position: 0 }),
    End: () => ({ row, run, position: last }),
  };
  if (!Object.hasOwn(moves, event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  moveTo(moves[event.key]());
  grid.cursor.scrollIntoView({ block: "nearest" });
}

/** The cell after the last of a row, or before its first: in the row's other run, else in the next row. */
function beyond(step) {
  const { row, run } = grid.at;
  const filled = grid.rows[row].strips.filter(({ cells }) => cells.length);
  const beside = filled[filled.findIndex((strip) => strip.run === run) + step];
  if (beside) return { row, run: beside.run, position: step > 0 ? 0 : beside.cells.length - 1 };
  const next = grid.rows[row + step];
  if (!next) return grid.at;
  const strips = next.strips.filter(({ cells }) => cells.length);
  const strip = step > 0 ? strips[0] : strips[strips.length - 1];
  return { row: row + step, run: strip.run, position: step > 0 ? 0 : strip.cells.length - 1 };
}
