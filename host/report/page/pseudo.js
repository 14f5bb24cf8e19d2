/* Pseudo-labels by class: how many confident images got each class between two evaluations, and how many of these are right. */

const BARS_MOST = 60;     /* of one class; more evaluations are put together */
const CLASSES_SHOWN = 24; /* a picture per class; the table has all */

const pseudoRuns = () => report.runs.filter(run => run.pseudo_labels && run.pseudo_labels.confident.some(row => row.some(n => n > 0)));

/* Figures of class c, summed over evaluations from..to-1. */
function pseudoCounts(p, c, from, to) {
  const of = list => sum(list.slice(from, to)), confident = of(p.confident[c]), sure = of(p.known[c]), right = of(p.right[c]);
  return { seen: of(p.seen), confident, known: sure, right, wrong: sure - right, unknown: confident - sure };
}
const shareRight = n => n.known > 0 ? 100 * n.right / n.known : null;
const shareOf = n => n.seen > 0 ? 100 * n.confident / n.seen : null;

/* Evaluations in as many stretches as there are bars. */
function stretches(p) {
  const all = p.step.length, stride = Math.ceil(all / BARS_MOST), list = [];
  for (let from = 0; from < all; from += stride) list.push([from, Math.min(from + stride, all)]);
  return list;
}

/* The classes that are shown: all, or those with the fewest and the most pseudo-labels. */
function shownClasses(p) {
  const all = p.classes.map((_, c) => c), half = CLASSES_SHOWN / 2;
  if (all.length <= CLASSES_SHOWN) return all;
  const sorted = [...all].sort((a, b) => sum(p.confident[a]) - sum(p.confident[b]));
  return [...sorted.slice(0, half), ...sorted.slice(-half)];
}

/* Bars of one class, and how to mark the stretch that is read. Heights are shares of the unlabelled images that were seen, so that
 * stretches of different length compare. */
function pseudoPicture(p, c, bars, most) {
  const width = 300, height = 44, step = width / bars.length, gap = Math.min(step * .2, 2);
  const drawn = bars.map(([from, to], i) => {
    const n = pseudoCounts(p, c, from, to), scale = n.seen > 0 ? height / (n.seen * most / 100) : 0;
    let y = height;
    const part = (name, value) => {
      y -= value * scale;
      return value > 0 ? svg("rect", { class: name, x: i * step + gap / 2, width: step - gap, y, height: value * scale }) : null;
    };
    return svg("g", null, svg("rect", { class: "space", x: i * step, width: step, y: 0, height }),
      part("right", n.right), part("wrong", n.wrong), part("unknown", n.unknown));
  });
  const mark = svg("rect", { class: "now", y: height + 2, height: 3, width: Math.max(step - gap, 2) });
  const node = svg("svg", { viewBox: `0 0 ${width} ${height + 6}`, "aria-hidden": "true", preserveAspectRatio: "none" }, drawn,
    svg("line", { class: "axis", x1: 0, x2: width, y1: height + .5, y2: height + .5 }), mark);
  return { node, read: i => mark.setAttribute("x", i * step + gap / 2) };
}

function pseudoNumbers(n) {
  return [`${count(n.confident)} (${percent(shareOf(n))})`, known(shareRight(n)) ? ` · ${percent(shareRight(n), 0)} right` : ""].join("");
}

function pseudoTable(run) {
  const p = run.pseudo_labels, stride = Math.ceil(p.step.length / ROWS_MOST), last = p.step.length - 1;
  const kept = p.step.map((_, i) => i).filter(i => (last - i) % stride === 0);
  const head = [{ text: "Epoch", n: true }, { text: "Step", n: true }, { text: "Seen", n: true }, ...p.classes.map(text => ({ text, n: true }))];
  return [el("p", { class: "note" }, "Confident images with this pseudo-label, and the share that is right." +
    (stride > 1 ? ` One row in ${stride}; pseudo_labels.csv has all.` : "")),
  table(`Pseudo-labels of ${run.name}`, null, head, kept.map(i => [count(p.epoch[i]), count(p.step[i]), count(p.seen[i]),
    ...p.classes.map((_, c) => {
      const n = pseudoCounts(p, c, i, i + 1);
      return withLine(count(n.confident), known(shareRight(n)) ? percent(shareRight(n), 0) : "");
    })]))];
}

/* Which stretch is read, by a slider: by pointer and by keyboard. */
function pseudoSlider(p, bars, read, run) {
  const said = el("output"), slider = el("input", { type: "range", min: 0, max: bars.length - 1, value: bars.length - 1,
    "aria-label": `Evaluation of ${run.name}` });
  const show = () => {
    const [from, to] = bars[slider.value], n = p.classes.map((_, c) => pseudoCounts(p, c, from, to));
    const epochs = p.epoch[from] === p.epoch[to - 1] ? count(p.epoch[from]) : `${count(p.epoch[from])}–${count(p.epoch[to - 1])}`;
    said.textContent = `epoch ${epochs}, step ${count(p.step[to - 1])}: ${count(sum(n.map(one => one.confident)))} of ` +
      `${count(n[0].seen)} unlabelled images confident`;
    slider.setAttribute("aria-valuetext", said.textContent);
    read(+slider.value);
  };
  slider.addEventListener("input", show);
  show();
  return el("p", { class: "slider" }, bars.length > 1 ? el("label", null, "Evaluation ", slider) : null, said);
}

function pseudoCard(run) {
  const p = run.pseudo_labels, bars = stretches(p), shown = shownClasses(p);
  const most = Math.max(...bars.flatMap(([from, to]) => p.classes.map((_, c) => shareOf(pseudoCounts(p, c, from, to)) || 0)));
  const drawn = shown.map(c => ({ c, ...pseudoPicture(p, c, bars, most), text: el("p") }));
  const slider = pseudoSlider(p, bars, i => drawn.forEach(one => {
    one.read(i);
    one.text.textContent = pseudoNumbers(pseudoCounts(p, one.c, ...bars[i]));
  }), run);
  const left = p.classes.length - shown.length;
  return [slider, left > 0 ? el("p", { class: "note" }, `The ${CLASSES_SHOWN / 2} classes with the fewest pseudo-labels, then the ` +
    `${CLASSES_SHOWN / 2} with the most; the table has the other ${count(left)}, too.`) : null,
  el("div", { class: "pseudo" }, drawn.map(one => el("figure", null, el("figcaption", null, el("h3", null, p.classes[one.c]), one.text),
    one.node))),
  el("p", { class: "note" }, `The highest bar is ${percent(most)} of the unlabelled images seen.`), later("Values as a table", () => pseudoTable(run))];
}

function pseudoSection() {
  const runs = pseudoRuns(), unknown = runs.some(run => run.pseudo_labels.known.some((row, c) =>
    row.some((n, i) => n < run.pseudo_labels.confident[c][i])));
  const key = (name, text) => el("li", null, el("span", { class: "swatch " + name }), text);
  const cards = runs.length === 1 ? el("div", { class: "card pad" }, pseudoCard(runs[0])) : runs.map((run, i) =>
    el("details", { class: "card", open: i === 0 }, el("summary", null, named(colorOf(report.runs.indexOf(run)), run.name)),
      el("div", { class: "inner" }, pseudoCard(run))));
  return [el("p", { class: "note" }, "Unlabelled images that were confident enough to learn from, by the class that the network gave them, " +
    "between one evaluation and the next. Classes that are hardly given, or mostly wrong, are learnt badly."),
  el("ul", { class: "legend" }, key("right", "right"), key("wrong", "wrong"), unknown ? key("unknown", "true class not known") : null),
  el("div", { class: "stack" }, cards)];
}
