/* Confusion matrices. */

const TABLE_CLASSES = 20; /* a table of more classes does not fit the page */
const PAIRS = 6;          /* most confused pairs named in words */

const sum = values => values.reduce((a, b) => a + b, 0);
const confused = () => report.runs.filter(run => run.confusion);

/* The square root makes a confusion of a few per cent visible. Text stays readable on the strongest shade. */
const shade = (share, strongest) => share > 0 ? (0.06 + (strongest - 0.06) * Math.sqrt(share)).toFixed(3) : "0";

function matrixTable(run, { classes, counts }) {
  const rows = classes.map((name, t) => {
    const all = sum(counts[t]);
    return el("tr", null, el("th", { scope: "row" }, name), counts[t].map((n, p) => el("td", {
      class: (t === p ? "right" : "wrong") + (n === 0 ? " zero" : ""), style: `--v:${shade(n / all, 0.5)}`,
      title: `${name} predicted as ${classes[p]}: ${count(n)} of ${count(all)}` }, count(n))));
  });
  return scrolling(`Confusion matrix of ${run.name}`, el("table", { class: "matrix" },
    el("thead", null, el("tr", null, el("th", null, "true ↓  predicted →"),
      classes.map(name => el("th", { scope: "col", class: "class" }, el("span", null, name))))), el("tbody", null, rows)));
}

function matrixPicture(run, { classes, counts }) {
  const n = classes.length, cells = counts.flatMap((row, t) => row.map((value, p) => value === 0 ? null :
    svg("rect", { class: t === p ? "right" : "wrong", x: p, y: t, width: 1, height: 1, style: `--v:${shade(value / sum(row), 1)}` },
      svg("title", null, `${classes[t]} predicted as ${classes[p]}: ${count(value)}`))));
  return el("div", null, svg("svg", { class: "many", viewBox: `0 0 ${n} ${n}`, role: "img", "aria-label":
    `Confusion matrix of ${run.name}, ${n} classes` }, cells),
  el("p", { class: "note" }, "True classes from top to bottom, predicted from left to right."));
}

function pairs({ classes, counts }) {
  const all = counts.flatMap((row, t) => row.map((n, p) => ({ n, t, p, share: n / sum(row) })));
  const list = all.filter(pair => pair.t !== pair.p && pair.n > 0).sort((a, b) => b.n - a.n).slice(0, PAIRS);
  if (list.length === 0) return null;
  return el("div", null, el("h3", null, "Most confused"), el("ul", { class: "pairs" }, list.map(pair =>
    el("li", null, `${classes[pair.t]} predicted as ${classes[pair.p]}: ${percent(100 * pair.share, 0)} (${count(pair.n)})`))));
}

function matrix(run) {
  const c = run.confusion;
  return el("div", { class: "sides" }, c.classes.length <= TABLE_CLASSES ? matrixTable(run, c) : matrixPicture(run, c), pairs(c));
}

function confusionSection() {
  const runs = confused();
  if (runs.length === 0) return [el("p", null, "No confusion matrix: it is written at the end of a run, with the test results.")];
  const cards = runs.length === 1 ? el("div", { class: "card pad" }, matrix(runs[0])) : runs.map((run, i) =>
    el("details", { class: "card", open: i === 0 }, el("summary", null, named(colorOf(report.runs.indexOf(run)), run.name)),
      el("div", { class: "inner" }, matrix(run))));
  return [el("p", { class: "note" }, "Test images by true class (rows) and predicted class (columns). Blue: right; orange: wrong; the " +
    "stronger, the larger the share of the row."), el("div", { class: "stack" }, cards)];
}
