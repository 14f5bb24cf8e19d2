/* The head of the page and the test results. */

/* ---- one run */

function leadOfOne(run) {
  const network = run.arch ? run.arch + (known(run.width) ? `, width ${count(run.width)}` : "") : "";
  const mode = run.mode ? `mode ${run.mode}${run.preset ? ` (${run.preset})` : ""}` : "";
  const unlabeled = run.unlabeled > 0 ? ` and ${count(run.unlabeled)} unlabelled` : "";
  const images = known(run.labeled) ? `${count(run.labeled)} labelled${unlabeled} images` : "";
  const data = run.config ? run.config["data.dataset"] : "";
  return el("p", { class: "lead" }, [data, images, network, mode, run.device].filter(Boolean).join(" · "));
}

function tile(first, label, value, below) {
  return el("div", { class: "card tile" + (first ? " first" : "") }, el("dt", null, label), el("dd", { class: "value" }, value),
    below ? el("dd", null, el("small", null, below)) : null);
}

const intervalText = run => fromTo(run.interval);

function tilesOf(run) {
  const interval = intervalText(run), others = report.metrics.filter(m => m !== headline && known(run.test[m.name]));
  return el("dl", { class: "tiles" },
    tile(true, `Test ${headline.label}`, figure(headline, run.test[headline.name]),
      interval ? [`95\u00a0% interval ${interval}`, el("br"), `${count(run.test.images)} test images`] : ""),
    known(run.best.val_top1) ? tile(false, "Best validation top-1", percent(run.best.val_top1),
      known(run.best.epoch) ? `epoch ${count(run.best.epoch)}; its weights were tested` : "") : null,
    others.map(m => tile(false, `Test ${m.label}`, figure(m, run.test[m.name]), "")),
    tile(false, "Time", duration(run.seconds), ""));
}

function unfinished(run) {
  const steps = run.curves.step, last = steps.length - 1, score = run.curves.val_top1;
  if (last < 0) return el("p", { class: "problem" }, `${run.name} has no results yet: nothing has been evaluated.`);
  const reached = score && known(score[last]) ? `, validation top-1 ${percent(score[last])}` : "";
  return el("p", { class: "problem" }, `${run.name} has no final result. Last evaluation: epoch ${count(run.curves.epoch[last])}, ` +
    `step ${count(steps[last])}${reached}.`);
}

/* ---- several runs */

const spreadOf = group => group.spread[headline.name];

/* Student's t, 97.5 %, by degrees of freedom from 1 on. */
const T975 = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

/* Half of a group's 95 % interval: from the number of test images, and from the spread over seeds, which two or three seeds tell badly. */
function marginOf(group) {
  const { mean, sd, n } = spreadOf(group), share = mean / 100, images = report.runs[group.runs[0]].test.images;
  if (!known(images)) return NaN;
  const seeds = known(sd) ? (T975[n - 2] || 2.2) * sd / Math.sqrt(n) : 0;
  return Math.hypot(1.96 * 100 * Math.sqrt(share * (1 - share) / images), seeds);
}

const strong = text => el("strong", null, text);
const scoreOf = group => percent(spreadOf(group).mean) + (known(spreadOf(group).sd) ? ` (mean of ${spreadOf(group).n} seeds)` : "");
const different = key => new Set(report.runs.filter(run => run.config).map(run => run.config[key])).size > 1;

/* What labels alone reach, where that is not said yet. */
function baseline(tested, said) {
  const group = tested.find(one => report.runs[one.runs[0]].mode === "supervised");
  return group && !said.includes(group) ? [" Labels alone: ", strong(group.name), ` ${scoreOf(group)}.`] : "";
}

/* What the figures show, and no more than they support. */
function verdict() {
  const tested = report.groups.filter(group => known(spreadOf(group).mean));
  if (tested.length === 0) return null;
  if (tested.length === 1) {
    const { mean, sd, n } = spreadOf(tested[0]);
    const text = `${fixed(mean, 1)} ± ${fixed(sd, 1)}\u00a0%`;
    return known(sd) ? [`Test top-1 over ${n} seeds: `, strong(text), " (mean ± standard deviation)."] : null;
  }
  const images = new Set(tested.map(group => report.runs[group.runs[0]].test.images));
  if (different("data.dataset") || images.size > 1) return "The runs were tested on different images: their accuracies do not compare.";
  const [best, second] = [...tested].sort((a, b) => spreadOf(b).mean - spreadOf(a).mean);
  const gain = spreadOf(best).mean - spreadOf(second).mean, margin = Math.hypot(marginOf(best), marginOf(second));
  const alone = [best, second].filter(group => !known(spreadOf(group).sd)).map(group => group.name);
  const single = alone.length > 1 ? "have one seed each" : "has one seed only";
  const caution = [alone.length > 0 ? ` ${alone.join(" and ")} ${single}: how much seeds differ is not known.` : "",
    baseline(tested, [best, second])];
  const difference = `${fixed(gain, 1)} ± ${fixed(margin, 1)} points (95\u00a0%)`;
  if (!(gain >= margin))
    return ["No clear winner: ", strong(best.name), ` reaches ${scoreOf(best)} test top-1 and `, strong(second.name), ` ${scoreOf(second)}`,
      known(margin) ? `, a difference of ${difference}.` : "; how exact these are is not known.", caution];
  return [strong(best.name), ` has the highest test top-1, ${scoreOf(best)}, before `, strong(second.name), ` with ${scoreOf(second)}: `,
    `a difference of ${difference}.`, caution];
}

/* Facts of the runs. Those that are alike in all runs stand below the table, not in a column. */
const FACTS = [
  { title: "Mode", of: run => run.mode },
  { title: "Labelled", n: true, of: run => known(run.labeled) ? count(run.labeled) : "", say: text => text + " labelled images" },
  { title: "Unlabelled", n: true, of: run => known(run.unlabeled) ? count(run.unlabeled) : "", say: text => text + " unlabelled images" },
  { title: "Network", of: run => run.arch ? run.arch + (known(run.width) ? `, width ${count(run.width)}` : "") : "" },
  { title: "Device", of: run => run.device },
];
const valuesOf = fact => [...new Set(report.runs.map(fact.of).filter(Boolean))];
const telling = () => FACTS.filter(fact => valuesOf(fact).length > 1);
function inCommon() {
  const alike = FACTS.filter(fact => valuesOf(fact).length === 1 && report.runs.every(fact.of));
  const texts = alike.map(fact => fact.say ? fact.say(valuesOf(fact)[0]) : valuesOf(fact)[0]);
  return texts.length > 0 ? `All runs: ${texts.join(", ")}. ` : "";
}

const otherMetrics = () => report.metrics.filter(m => m !== headline && report.runs.some(run => known(run.test[m.name])));

/* A figure with a line below it. */
const withLine = (text, below) => below ? [text, el("br"), el("small", null, below)] : text;

function runRow(r, grouped) {
  const run = report.runs[r];
  return { class: grouped ? "seed" : null, cells: [grouped ? run.name : named(colorOf(r), run.name),
    { text: withLine(figure(headline, run.test[headline.name]), intervalText(run)), class: "headline" }, percent(run.best.val_top1),
    ...otherMetrics().map(m => figure(m, run.test[m.name])), { text: duration(run.seconds), class: "keep" }, run.seed || "–",
    ...telling().map(fact => fact.of(run) || "–")] };
}

function meanText(m, spread) {
  if (!known(spread.sd)) return "–";
  const decimals = m.unit === "nats" ? 3 : 1, unit = m.unit === "nats" ? "" : "\u00a0%";
  return `${fixed(spread.mean, decimals)} ± ${fixed(spread.sd, decimals)}${unit}`;
}

function groupRow(group, g) {
  const run = report.runs[group.runs[0]];
  return { cells: [named(g, group.name),
    { text: withLine(meanText(headline, spreadOf(group)), `mean ± sd, ${group.runs.length} seeds`), class: "headline" },
    meanText(headline, group.spread.val_top1), ...otherMetrics().map(m => meanText(m, group.spread[m.name])), "",
    { text: group.seeds.join(", "), class: "keep" },
    ...telling().map(fact => fact.title === "Device" ? "" : fact.of(run) || "–")] };
}

function resultTable() {
  const number = (text, title) => ({ text: unbroken(text), n: true, title });
  const head = ["Run", number(`Test ${headline.label}`, "with its 95 % interval, from the number of test images"),
    number(`Validation ${headline.label}`), ...otherMetrics().map(m => number(`Test ${m.label}`)), number("Time"), "Seed",
    ...telling().map(fact => ({ text: fact.title, n: fact.n }))];
  const rows = report.groups.flatMap((group, g) => {
    const grouped = group.runs.length > 1, runs = group.runs.map(r => runRow(r, grouped));
    return grouped ? [groupRow(group, g), ...runs] : runs;
  });
  return el("div", { class: "card pad" }, table("Results", "results", head, rows));
}

/* ---- section */

function intervalNote() {
  const intervals = report.runs.some(run => known(run.interval[0])), several = report.groups.some(group => group.runs.length > 1);
  const text = (report.runs.length > 1 ? inCommon() : "") +
    (intervals ? "The 95 % interval (Wilson) says how far another set of as many test images could move the accuracy; it does not say " +
      "how much seeds differ. " : "") +
    (several ? "Runs that differ only in train.seed are one group: mean ± sample standard deviation." : "");
  return text ? el("p", { class: "note" }, text) : null;
}

function resultsSection() {
  const finished = report.runs.some(run => run.finished);
  return [report.runs.flatMap(run => run.problems.map(text => el("p", { class: "problem" }, text))),
    report.runs.filter(run => !run.finished).map(unfinished),
    finished ? report.runs.length === 1 ? tilesOf(report.runs[0]) : resultTable() : null, el("p"), finished ? intervalNote() : null];
}
