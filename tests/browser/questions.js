/* What the tests ask a page. Evaluated in it, not part of it. */

const questions = (() => {
  const parse = text => {
    const n = text.match(/[\d.]+/g).map(Number);
    return { r: n[0], g: n[1], b: n[2], a: n.length > 3 ? n[3] : 1 };
  };
  const over = (top, below) => {
    const mix = key => top[key] * top.a + below[key] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const ancestors = node => {
    const list = [];
    for (let e = node; e; e = e.parentElement) list.push(e);
    return list;
  };
  const behind = node => ancestors(node).reverse().map(e => parse(getComputedStyle(e).backgroundColor))
    .reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  const faded = (node, colour) => ({ ...colour, a: ancestors(node).reduce((a, e) => a * Number(getComputedStyle(e).opacity), colour.a) });
  const luminance = c => {
    const linear = v => v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
    return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
  };
  /* WCAG's contrast ratio of a colour that is drawn on an element's background. */
  const ratio = (node, colour, ground) => {
    const back = behind(ground), [x, y] = [luminance(over(faded(node, colour), back)), luminance(back)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const shown = e => e.getClientRects().length > 0;

  /* Every text needs 4.5, every curve, key and mark 3. */
  function contrast() {
    const bad = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let texts = Infinity, marks = Infinity;
    for (let node; (node = walker.nextNode());) {
      const e = node.parentElement, style = getComputedStyle(e);
      if (!node.data.trim() || !shown(e) || ["SCRIPT", "STYLE"].includes(e.tagName)) continue;
      const r = ratio(e, parse(e.closest("svg") ? style.fill : style.color), e);
      texts = Math.min(texts, r);
      if (r < 4.5) bad.push(`${r.toFixed(2)} ${node.data.trim().slice(0, 30)}`);
    }
    const outlined = ".curve, .key line, .bar, .gap, .diagonal", filled = ".dot, .amount, .pseudo .right, .pseudo .wrong, .pseudo .unknown, .now";
    for (const e of document.querySelectorAll(outlined + ", " + filled)) {
      const style = getComputedStyle(e);
      if (!shown(e)) continue;
      const r = ratio(e, parse(e.matches(filled) ? style.fill : style.stroke), e.closest("svg").parentElement);
      marks = Math.min(marks, r);
      if (r < 3) bad.push(`${r.toFixed(2)} ${e.getAttribute("class")} ${e.parentElement.getAttribute("class")}`);
    }
    return { bad: [...new Set(bad)], texts: Math.min(texts, 99), marks: Math.min(marks, 99) };
  }

  /* What is wrong with the document's structure, for readers who do not see it. */
  function structure() {
    const bad = [], ids = [...document.querySelectorAll("[id]")].map(e => e.id), text = document.body.innerText;
    if (new Set(ids).size < ids.length) bad.push("an id twice");
    for (const a of document.querySelectorAll("nav a"))
      if (!document.getElementById(a.hash.slice(1))) bad.push("no " + a.hash);
    for (const th of document.querySelectorAll("th"))
      if (!th.scope && th.textContent.trim() && !th.closest(".matrix thead")) bad.push("no scope: " + th.textContent);
    for (const img of document.images)
      if (!img.alt.trim() || !img.complete || !img.naturalWidth) bad.push("picture: " + img.alt);
    if (document.images.length === 0) bad.push("no pictures");
    let level = 1;
    for (const h of document.querySelectorAll("h1,h2,h3")) {
      if (Number(h.tagName[1]) > level + 1) bad.push("heading " + h.textContent);
      level = Number(h.tagName[1]);
    }
    for (const e of document.querySelectorAll("svg[tabindex], [role=region]"))
      if (!e.getAttribute("aria-label")) bad.push("no label: " + e.outerHTML.slice(0, 60));
    if (/NaN|undefined|\[object|Infinity/.test(text)) bad.push("text: " + text.match(/.{0,30}(NaN|undefined|\[object|Infinity)/)[0]);
    return bad;
  }

  /* What can be scrolled, but not by keyboard. */
  function unreachable() {
    return [...document.querySelectorAll("body *")].filter(e => {
      const style = getComputedStyle(e), scrolls = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
      return scrolls && /auto|scroll/.test(style.overflowX + style.overflowY) && e.tabIndex !== 0;
    }).map(e => e.outerHTML.slice(0, 80));
  }

  function focus() {
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    return {
      name: e.tagName, text: (e.getAttribute("aria-label") || e.textContent || e.value || "").slice(0, 40),
      outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
      seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight, at: [...document.querySelectorAll("*")].indexOf(e),
    };
  }

  /* Tops of the pictures of each card of the gallery. */
  function rows() {
    return [...document.querySelectorAll("#maps .image")].map(card =>
      [...card.querySelectorAll("img")].map(img => Math.round(img.getBoundingClientRect().top)));
  }

  return { contrast, structure, unreachable, focus, rows };
})();
