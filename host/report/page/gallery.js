/* Test images with what the network says of them and where it looks. */

const PARTS = { image: "image", input: "input", mask: "object mask", overlay: "Grad-CAM", cam: "map", target: "target", weak: "weak view",
  strong: "strong view", before: "before training", "": "picture" };
const SMALL = 96; /* pictures of up to this many pixels a side are enlarged without smoothing */

const partName = part => PARTS[part] || part;
const imageName = entry => "Test image " + (known(entry.index) ? count(entry.index) : entry.file);

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

function imageCard(entry) {
  const several = report.runs.length > 1, title = imageName(entry) + (entry.class ? `, ${entry.class}` : "");
  const own = entry.runs.flatMap(shown => shown.parts.map(part => {
    const name = report.runs[shown.run].name, alt = `${partName(part.part)} of ${name} on ${title}` +
      (shown.predicted ? `, predicted ${predictionText(shown)}` : "");
    return several ? figureOf(part, alt, el("div", { class: "of" }, named(colorOf(shown.run), name)),
      shown.parts.length > 1 ? el("div", null, partName(part.part)) : null, prediction(entry, shown)) :
      figureOf(part, alt);
  }));
  const one = !several && entry.runs[0] ? prediction(entry, entry.runs[0]) : null;
  return el("article", { class: "card image" }, el("h3", null, entry.class || imageName(entry),
    entry.class ? el("small", null, ` · ${imageName(entry).toLowerCase()}`) : null),
  one ? el("p", null, el("small", null, "predicted "), one) : null,
  el("div", { class: "parts" }, entry.parts.map(part => figureOf(part, `${partName(part.part)} of ${title}`)), own));
}

const partsOf = entry => entry.parts.length + sum(entry.runs.map(shown => shown.parts.length));

function gallerySection() {
  if (report.gallery.length === 0) return [el("p", null, "No CAM pictures: the folder cams is missing or empty.")];
  const ramp = el("i", { style: `background:linear-gradient(to right,${report.colormap.join(",")})` });
  const left = report.pictures_left_out;
  const more = left > 0 ? ` ${plural(left, "earlier picture")} ${left === 1 ? "stays" : "stay"} in the folder cams.` : "";
  return [el("p", { class: "note" }, "Grad-CAM of the class that the network predicts: where in the image the evidence for that " +
    "class is. In brackets: the predicted class's probability." + more),
  el("div", { class: "ramp" }, "least", ramp, "most relevant"),
  el("div", { class: "gallery", style: `--parts:${Math.max(...report.gallery.map(partsOf))}` }, report.gallery.map(imageCard))];
}
