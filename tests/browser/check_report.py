"""The report page in a headless Chromium: two widths, light and dark, by keyboard, printed, without scripts, without a network.

usage: check_report.py CAMCL    exit status 77: no Chromium here"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import chromium
from sample_runs import CLASSES, make_run, write

failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print("FAILED:", what)


QUESTIONS = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "questions.js"), encoding="utf-8").read()


def ask(browser, question):
    return browser.run(f"(() => {{ {QUESTIONS} return questions.{question}(); }})()")


def looks(browser, name, page):
    for width in (1280, 390):
        for dark in (False, True):
            where = f"{name} at {width} {'dark' if dark else 'light'}"
            browser.view(width, dark=dark)
            browser.open(page)
            browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            check(not browser.problems, f"{where}: errors {browser.problems}")
            outside = [url for url in browser.requests if not url.startswith(("file://" + page, "data:image/png;base64,"))]
            check(not outside, f"{where}: asked for {outside[:3]}")
            check(browser.run("window.broken === undefined"), f"{where}: a name became a script")
            wide = browser.run("[document.documentElement.scrollWidth, innerWidth]")
            check(wide[0] <= wide[1], f"{where}: {wide[0]} pixels wide")
            browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            browser.run("new Promise(done => setTimeout(done, 100))")
            wide = browser.run("[document.documentElement.scrollWidth, innerWidth]")
            check(wide[0] <= wide[1], f"{where}: {wide[0]} pixels wide with everything open")
            contrast = ask(browser, "contrast")
            check(not contrast["bad"], f"{where}: contrast {contrast['bad'][:6]}")
            print(f"{where}: least contrast of texts {contrast['texts']:.2f}, of curves {contrast['marks']:.2f}")
            check(contrast["texts"] < 90 and contrast["marks"] < 90, f"{where}: nothing was measured")
            bad = ask(browser, "structure")
            check(not bad, f"{where}: {bad[:5]}")
            hidden = ask(browser, "unreachable")
            check(not hidden, f"{where}: out of reach by keyboard {hidden[:3]}")


def keyboard(browser, page):
    """Tab reaches everything in the order of the page; what has the focus is seen and marked."""
    browser.view(1280)
    browser.open(page)
    seen = []
    for _ in range(200):
        browser.press("Tab")
        focus = ask(browser, "focus")
        if focus["name"] == "BODY" or (seen and focus["at"] <= seen[-1]["at"]):
            break
        check(focus["outline"] and focus["seen"], f"focus is not visible: {focus}")
        seen.append(focus)
    names = [focus["name"] for focus in seen]
    charts = browser.run("document.querySelectorAll('.chart:not(.reliability)').length")
    check(names.count("svg") == charts and charts > 3, f"{names.count('svg')} of {charts} charts can be reached")
    check(names.count("SUMMARY") == browser.run("document.querySelectorAll('summary').length"), "summaries can be reached")
    check(names.count("A") == browser.run("document.querySelectorAll('nav a').length"), "links can be reached")

    # Values: arrow keys, and the table behind a chart.
    browser.run("document.querySelector('.chart svg[tabindex]').focus()")
    tip = "document.querySelector('.chart .tip')"
    check(browser.run(tip + ".hidden"), "a tip before anything is asked")
    browser.press("End")
    last = browser.run(tip + ".innerText")
    check("step 480" in last and "epoch 12" in last and "%" in last, f"the last values: {last}")
    browser.press("ArrowLeft")
    check("step 440" in browser.run(tip + ".innerText"), "arrow left")
    browser.press("Home")
    check("step 40" in browser.run(tip + ".innerText"), "home")
    browser.press("Escape")
    check(browser.run(tip + ".hidden"), "escape hides the tip")
    browser.run("document.querySelector('.chart summary').focus()")
    browser.press("Enter")
    table = browser.run("new Promise(done => setTimeout(() => done(document.querySelector('.chart .values table').innerText), 100))")
    check(table.count("\n") == 12 and "480" in table, f"the table: {table}")

    # Heads that sort: the lowest first, then the highest; what is not known stays last.
    column = "[...document.querySelectorAll('#classes tbody tr')].map(tr => parseFloat(tr.children[3].innerText))"
    before = browser.run(column)
    browser.run("document.querySelectorAll('#classes .sort')[3].focus()")
    browser.press("Enter")
    check(browser.run(column) == sorted(before) != before, f"sorted: {browser.run(column)} of {before}")
    check(browser.run("document.querySelector('#classes [aria-sort]').getAttribute('aria-sort')") == "ascending", "aria-sort")
    browser.press(" ")
    check(browser.run(column) == sorted(before, reverse=True), "sorted downwards")
    names = "[...document.querySelectorAll('#classes tbody th')].map(th => th.innerText)"
    browser.run("document.querySelectorAll('#classes .sort')[0].focus()")
    browser.press("Enter")
    check(len(set(browser.run(names))) == len(CLASSES) and browser.run(names).index("cat") < browser.run(names).index("frog"), "by name")

    # Pseudo-labels: the slider reads an evaluation, and its table has all.
    said = "document.querySelector('#pseudo-labels output').innerText"
    check("epoch 12, step 480: 1,008 of 1,000 unlabelled" in browser.run(said), f"the last evaluation: {browser.run(said)}")
    first = "document.querySelector('#pseudo-labels figcaption p').innerText.replaceAll('\\u00a0', ' ')"
    check(browser.run(first) == "288 (28.8 %) · 86 % right", f"the first class: {browser.run(first)}")
    browser.run("document.querySelector('#pseudo-labels input').focus()")
    browser.press("ArrowLeft")
    check("epoch 11, step 440: 880 of 1,000" in browser.run(said), f"the evaluation before: {browser.run(said)}")
    check(browser.run("document.activeElement.getAttribute('aria-valuetext')") == browser.run(said), "the slider says its value")
    browser.press("Home")
    check(browser.run(first).startswith("24 (2.4 %)"), f"the first evaluation: {browser.run(first)}")
    for section, rows, part in (("pseudo-labels", 12, "480"), ("calibration", 15, "93.3–100.0")):
        browser.run(f"document.querySelector('#{section} summary').focus()")
        browser.press("Enter")
        text = browser.run(f"new Promise(done => setTimeout(() => done(document.querySelector('#{section} .values table').innerText), 100))")
        count = browser.run(f"document.querySelectorAll('#{section} .values tbody tr').length")
        check(count == rows and part in text, f"the table of {section}: {count} rows, {text[:200]}")

    # Steps or time.
    ticks = "[...document.querySelectorAll('.chart .plot > svg')[0].querySelectorAll('text')].map(t => t.textContent)"
    check("step 0" in browser.run(ticks), "steps")
    browser.run("document.querySelector('input[value=step]').focus()")
    browser.press("ArrowRight")
    check(any(tick.endswith((" s", " min")) for tick in browser.run(ticks)), f"time: {browser.run(ticks)}")


def one_run(browser, page):
    browser.view(390)
    browser.open(page)
    text = browser.run("document.body.innerText").replace("\u00a0", " ")
    for part in ("66.0 %", "Test top-1", "95 % interval", "best 64.2 %", "Not the default", "camcl train ", "model.width", "frog"):
        check(part in text, f"one run lacks {part!r}")
    check(CLASSES[4] in text, "a class is named in full")
    check("Test top-5" in text and "Test top-3" in text, "top-3 and top-5 of six classes")
    titles = browser.run("[...document.querySelectorAll('.chart h3')].map(h => h.textContent)")
    check(titles[:2] == ["Accuracy", "Loss"] and "further" in titles, f"charts: {titles}")
    colours = browser.run("""[...document.querySelectorAll('.chart .legend li')].filter(li => li.textContent === 'validation')
      .map(li => li.querySelector('svg').getAttribute('class'))""")
    check(len(colours) == 2 and len(set(colours)) == 1, f"validation has the colours {colours}")


def pictures(browser, page):
    """Maps before and after training, strong views with their targets, the worst mistakes first, and the reliability diagram."""
    browser.view(1280)
    browser.open(page)
    texts = lambda selector: browser.run(f"[...document.querySelectorAll('{selector}')].map(e => e.innerText.replaceAll('\\u00a0', ' '))")
    check(len(texts("#maps .image")) == 4, "four images of the gallery")
    check(texts("#maps .image:first-child figcaption") == ["image", "object mask", "before training", "after training"],
          f"an image's pictures: {texts('#maps .image:first-child figcaption')}")
    check("predicted ✗ dog (25 %)" in texts("#maps .image")[0], texts("#maps .image")[0])
    check(texts("#views .image:first-child figcaption") == ["weak view, its map", "strong view", "strong view, its map", "target"],
          f"a view's pictures: {texts('#views .image:first-child figcaption')}")
    check(len(texts("#views .image")) == 2 and "difference 0.0123" in texts("#views .image")[0], f"views: {texts('#views .image')}")
    mistakes = texts("#mistakes .image")
    check(len(mistakes) == 2 and "test image 3" in mistakes[0] and "test image 701" in mistakes[1], f"mistakes: {mistakes}")
    bars = browser.run("document.querySelectorAll('#calibration .bar').length")
    check(bars == 6 and "Calibration error 14.0 %" in texts("#calibration figcaption")[0] and "too sure" in texts("#calibration figcaption")[0],
          f"reliability: {bars} bars, {texts('#calibration figcaption')}")
    stacked = browser.run("""[...document.querySelectorAll('#pseudo-labels .pseudo figure')].map(f =>
      ['right', 'wrong', 'unknown'].map(name => [...f.querySelectorAll('.' + name)].reduce((sum, r) => sum + +r.getAttribute('height'), 0)))""")
    check(len(stacked) == 6 and all(right > wrong > 0 and unknown > 0 for right, wrong, unknown in stacked) and
          stacked[0][0] > stacked[4][0] > stacked[5][0], f"bars: {stacked}")


def several_runs(browser, page, names):
    browser.view(390)
    browser.open(page)
    right = browser.run("document.querySelector('.results tbody td').getBoundingClientRect().right")
    check(0 < right <= 390, f"test top-1 ends at {right} of a narrow screen")
    browser.view(1280)
    browser.open(page)
    text = browser.run("document.body.innerText").replace("\u00a0", " ")
    for name in names:
        check(name in text, f"{name} is not named in full")
    check("65.0 ± 1.0 %" in text and "mean ± sd, 3 seeds" in text, "mean and standard deviation of the seeds")
    check("gradcam has the highest test top-1, 65.0 % (mean of 3 seeds)" in text, "the group is before labels alone")
    check("gradcam-seed2 has the highest" not in text, "a seed wins")
    rows = ask(browser, "rows")
    check(len(rows) == 4 and all(len(tops) == 9 and len(set(tops)) == 1 for tops in rows), f"an image's pictures in one row: {rows}")


def poor_runs(browser, program, folder):
    """Runs that lack files, and one with many classes and rows: the page says so, or draws what there is."""
    make_run(program, folder + "/whole", "gradcam", 1, 60)
    for name, kept in (("begun", "config.ini"), ("figures", "metrics.csv"), ("result", "result.json")):
        shutil.copytree(folder + "/whole", f"{folder}/{name}")
        shutil.rmtree(f"{folder}/{name}/cams")
        for file in ("config.ini", "metrics.csv", "result.json", "confusion.csv"):
            if file != kept:
                os.remove(f"{folder}/{name}/{file}")
    make_run(program, folder + "/large", "gradcam", 2, 60, rows=3000)
    names = [f"class {i}" for i in range(100)]
    write(folder + "/large/confusion.csv", ",".join(["t"] + names) + "\n" +
          "".join(",".join([name] + [str((i * j) % 3) for j in range(100)]) + "\n" for i, name in enumerate(names)))
    said = {"begun": "nothing has been evaluated", "figures": "has no final result. Last evaluation: epoch 12", "result": "No curves",
            "large": "Most confused"}
    every = [[name] for name in said] + [list(said) + ["whole"]]
    for runs in every:
        page = folder + "/poor.html"
        subprocess.run([program, "report", *(f"{folder}/{name}" for name in runs), "-o", page], check=True, stdout=subprocess.DEVNULL)
        browser.view(390)
        browser.open(page)
        browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        text = browser.run("new Promise(done => setTimeout(() => done(document.body.innerText), 200))")
        check(not browser.problems, f"{runs}: errors {browser.problems}")
        check(all(said[name] in text for name in runs if len(runs) == 1), f"{runs} does not say: {said[runs[0]]}")
        check(not any(word in text for word in ("NaN", "undefined", "[object", "Infinity")), f"{runs}: {text[:200]}")
        check(browser.run("document.documentElement.scrollWidth <= innerWidth"), f"{runs}: too wide")


def close_runs(browser, program, folder):
    """600 test images cannot tell 55 from 58 %, and two seeds tell little about a third."""
    for name, seed, top1 in (("near", 1, 58), ("near-seed2", 2, 70)):
        make_run(program, f"{folder}/{name}", "pseudo-label", seed, top1)
    for runs, part in ((["supervised", "near"], "near and supervised have one seed each"),
                       (["supervised", "near", "near-seed2"], "(mean of 2 seeds)")):
        subprocess.run([program, "report", *(f"{folder}/{name}" for name in runs), "-o", folder + "/close.html"], check=True,
                       stdout=subprocess.DEVNULL)
        browser.view(1280)
        browser.open(folder + "/close.html")
        lead = browser.run("document.querySelector('.lead').innerText").replace("\u00a0", " ")
        check("No clear winner" in lead and part in lead, f"{runs}: {lead}")


def without_scripts(browser, page):
    browser.view(390, scripts=False)
    browser.open(page)
    browser.view(390)  # asking needs a script engine; the page's own scripts were passed over
    text = browser.run("document.body.innerText")
    check("which does not run here" in text and "66.0" in text and CLASSES[4] in text, "results without scripts")
    check(browser.run("document.documentElement.scrollWidth <= innerWidth"), "without scripts: too wide")
    check(not ask(browser, "contrast")["bad"], "without scripts: contrast")


def printed(browser, page):
    browser.view(1280, dark=True, media="print")
    browser.open(page)
    colour = browser.run("[getComputedStyle(document.body).color, getComputedStyle(document.querySelector('.card')).backgroundColor]")
    check(colour == ["rgb(27, 27, 25)", "rgb(255, 255, 255)"], f"print is dark on white: {colour}")
    check(not ask(browser, "contrast")["bad"], "printed: contrast")
    pdf = browser.send("Page.printToPDF")["data"]
    check(len(pdf) > 20000, "a PDF with content")


def main():
    program = os.path.abspath(sys.argv[1])
    browser_program = chromium.find()
    if browser_program is None:
        print("no Chromium: the page is not looked at")
        return 77
    folder = tempfile.mkdtemp(prefix="camcl-report-")
    browser = chromium.Browser(browser_program)
    try:
        runs = {"supervised": ("supervised", 1, 55), "gradcam-seed1": ("gradcam", 1, 66), "gradcam-seed2": ("gradcam", 2, 65),
                "gradcam-seed3": ("gradcam", 3, 64)}
        for name, (mode, seed, top1) in runs.items():
            make_run(program, f"{folder}/{name}", mode, seed, top1, old=name == "gradcam-seed3")
        one, several = folder + "/one.html", folder + "/several.html"
        subprocess.run([program, "report", folder + "/gradcam-seed1", "-o", one], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([program, "report", *(f"{folder}/{name}" for name in runs), "-o", several], check=True, stdout=subprocess.DEVNULL)
        looks(browser, "one run", one)
        looks(browser, "several runs", several)
        keyboard(browser, one)
        one_run(browser, one)
        pictures(browser, one)
        several_runs(browser, several, runs)
        close_runs(browser, program, folder)
        without_scripts(browser, one)
        poor_runs(browser, program, folder)
        printed(browser, one)
    finally:
        browser.close()
        shutil.rmtree(folder)
    print(f"{len(failures)} checks failed" if failures else "all checks passed")
    return 1 if failures else 0


sys.exit(main())
