/* Test images with what the network says of them and where it looks: a card per image, and the runs side by side in it. */

const PARTS = { image: "image", input: "input", mask: "object mask", before: "before training", overlay: "after training", cam: "map",
  weak: "weak view", seen: "strong view", strong: "its own map", target: "target", "": "picture" };
const OF_VIEWS = ["weak", "seen", "strong", "target"];
const SMALL = 96;      /* pictures of up to this many pixels a side are enlarged without smoothing */
const IN_ONE_ROW = 10; /* so many pictures fit the page's width; beyond, maps from before training are left out */

const partName = part => PARTS[part] || part;
const imageName = entry => "Test image " + (known(entry.index) ? count(entry.index) : entry.file);
const titleOf = entry => imageName(entry) + (entry.class ? `, ${entry.class}` : "");

function picture({ picture: id }, alt) {
  const { png, width, height } = report.pictures[id];
  return el("img", { src: "data:image/png;base64," + png, alt, width, height, class: width <= SMALL ? "pixels" : null, decoding: "async" });
}

function predictionText(shown) {
  return shown.predicted ? shown.predicted + (known(shown.confidence) ? ` (${percent(100 * shown.confidence, 0)})` : "") : "";
}

/* ✓ and ✗ say it without colours. */
function prediction(entry, shown) {
  if (!shown.predicted) return null;
  const judged = entry.class !== null, right = shown.predicted === entry.class;
  return judged ? el("span", { class: "verdict " + (right ? "right" : "wrong") }, right ? "✓ " : "✗ ", predictionText(shown)) :
    el("span", null, predictionText(shown));
}

function figureOf(part, alt, ...caption) {
  return el("figure", null, picture(part, alt), el("figcaption", null, caption.length > 0 ? caption : partName(part.part)));
}

/* Maps from before training stand in front of those from after it. */
const ORDER = ["before", "overlay"];
function mapsOf(shown, before) {
  const parts = shown.parts.filter(({ part }) => !OF_VIEWS.includes(part) && (before || part !== "before"));
  return [...parts].sort((a, b) => ORDER.indexOf(a.part) - ORDER.indexOf(b.part));
}

/* What one run's network makes of the image: its maps, and below them its name and what it predicts. */
function runOf(entry, shown, before) {
  const parts = mapsOf(shown, before), name = report.runs[shown.run].name;
  const alt = part => `${partName(part.part)}: map of ${name} on ${titleOf(entry)}` +
    (shown.predicted ? `, predicted ${predictionText(shown)}` : "");
  return el("div", { class: "of-run", style: `--own:${parts.length}` },
    el("div", { class: "own" }, parts.map(part => figureOf(part, alt(part)))),
    el("div", { class: "says" }, named(colorOf(shown.run), name), prediction(entry, shown)));
}

/* several: runs stand side by side, each with its name. */
function imageCard(entry, runs, before, several) {
  const images = entry.parts.map(part => figureOf(part, `${partName(part.part)} of ${titleOf(entry)}`));
  const one = !several && runs[0] ? prediction(entry, runs[0]) : null;
  const maps = several ? runs.map(shown => runOf(entry, shown, before)) : runs.flatMap(shown => mapsOf(shown, before).map(part =>
    figureOf(part, `${partName(part.part)}: map of ${titleOf(entry)}${shown.predicted ? `, predicted ${predictionText(shown)}` : ""}`)));
  return el("article", { class: "card image" }, el("h3", null, entry.class || imageName(entry),
    entry.class ? el("small", null, ` · ${imageName(entry).toLowerCase()}`) : null),
  one ? el("p", null, el("small", null, "predicted "), one) : null, el("div", { class: "parts" }, images, maps));
}

const runsFor = (entry, why) => entry.runs.filter(shown => shown.why.includes(why));
const ramp = () => el("div", { class: "ramp" }, "least",
  el("i", { style: `background:linear-gradient(to right,${report.colormap.join(",")})` }), "most relevant");

/* Cards are as wide as the pictures of the fullest one need in one row, where the page is. */
function cardsOf(entries, several) {
  const width = ({ entry, runs }, before) => entry.parts.length + sum(runs.map(shown => mapsOf(shown, before).length));
  const fits = entries.every(card => width(card, true) <= IN_ONE_ROW), most = Math.max(...entries.map(card => width(card, fits)));
  return el("div", { class: "gallery" + (most <= IN_ONE_ROW ? " row" : ""), style: `--parts:${most}` }, entries.map(({ entry, runs }) => imageCard(entry, runs, fits, several)));
}

function gallerySection() {
  const entries = report.gallery.map(entry => ({ entry, runs: runsFor(entry, "spread") })).filter(({ runs }) => runs.length > 0);
  if (entries.length === 0) return [el("p", null, "No CAM pictures: the folder cams is missing or empty.")];
  const left = report.pictures_left_out;
  const more = left > 0 ? ` ${plural(left, "earlier picture")} ${left === 1 ? "stays" : "stay"} in the folder cams.` : "";
  return [el("p", { class: "note" }, "Grad-CAM of the class that the trained network predicts: where in the image the evidence for that " +
    "class is. Before training, random weights find it anywhere. In brackets: the predicted class's probability." + more),
  ramp(), cardsOf(entries, report.runs.length > 1)];
}

/* ---- worst mistakes */

const byConfidence = (a, b) => b.runs[0].confidence - a.runs[0].confidence;
const mistakesOf = r => report.gallery.map(entry => ({ entry, runs: runsFor(entry, "mistake").filter(shown => shown.run === r) }))
  .filter(({ runs }) => runs.length > 0).sort(byConfidence);
const mistaken = () => report.runs.map((_, r) => r).filter(r => mistakesOf(r).length > 0);

function mistakesSection() {
  const runs = mistaken(), several = report.runs.length > 1;
  return [el("p", { class: "note" }, "Test images that are classified wrong with the highest confidence: labels that are wrong, classes that " +
    "cannot be told apart, or something else than the object that gives the class away. Maps explain the class that is predicted."),
  ramp(), several ? el("div", { class: "stack" }, runs.map((r, i) => el("details", { class: "card", open: i === 0 },
    el("summary", null, named(colorOf(r), report.runs[r].name)), el("div", { class: "inner" }, cardsOf(mistakesOf(r), false))))) :
    cardsOf(mistakesOf(runs[0]), false)];
}
