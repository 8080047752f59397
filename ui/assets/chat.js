// The window's small script: citations open their source, numbers tell what they stand for, buttons reach the page.
// It makes no request of its own. `attach` is called once for each block of HTML, `ready` after each answer.
window.footnote = (() => {
  const byId = (id) => document.getElementById(id);
  const box = () => document.querySelector("#question textarea");
  let cameFrom = ""; // id of the citation that the open source was reached by
  let card = null; // the hover card
  const opened = new Set(); // ids of what a person opened
  const scrolled = new Map(); // how far the sources of an exchange are scrolled, by its id
  let copied = ""; // the Markdown copied a moment ago

  // --- the tab's own key to its conversation: kept over a reload, gone with the tab

  function token() {
    const kept = sessionStorage.getItem("footnote");
    // A tab that another one opened begins with a copy of that one's key.
    const [{ type }] = performance.getEntriesByType("navigation");
    if (kept && ["reload", "back_forward"].includes(type)) return kept;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const drawn = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("footnote", drawn);
    return drawn;
  }

  // --- citations

  function open(cite) {
    const source = byId(cite.hash.slice(1));
    if (!source) return;
    hide();
    cameFrom = cite.id;
    for (const part of [source.closest("details"), source.querySelector("details")]) if (part) opened.add(part.id);
    restore();
    source.focus({ preventScroll: true });
    reveal(source, marks(cite)[0]);
  }

  // A newer picture of an exchange comes as the server knows it: closed, not scrolled, and with no source in use.
  function restore() {
    for (const id of opened) byId(id)?.setAttribute("open", "");
    for (const [id, top] of scrolled) byId(id)?.querySelector(".sources")?.scrollTo({ top, behavior: "instant" });
    tellCopied();
    document.querySelectorAll("mark.current, .card.current").forEach((each) => each.classList.remove("current"));
    const cite = byId(cameFrom);
    if (!cite) return;
    byId(cite.hash.slice(1))?.classList.add("current");
    marks(cite).forEach((mark) => mark.classList.add("current"));
  }

  function toggled(summary) {
    const details = summary.parentElement;
    if (details.open) opened.delete(details.id); // the click is about to close it
    else if (details.id) opened.add(details.id);
  }

  // The whole card where it fits the window, else the sentence that is meant. Where the sources stand beside the
  // statement, moving no further than it takes keeps that in sight.
  function reveal(source, mark) {
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    const fits = !mark || source.offsetHeight < 0.7 * innerHeight;
    const below = matchMedia("(max-width: 60rem)").matches;
    (fits ? source : mark).scrollIntoView({ block: !fits && below ? "center" : "nearest", behavior });
  }

  function back() {
    byId(cameFrom)?.focus({ preventScroll: true });
    byId(cameFrom)?.scrollIntoView({ block: "nearest" });
  }

  const marks = (cite) => cite.dataset.marks.split(" ").map(byId).filter(Boolean);

  // --- the hover card: title, what else is known, the sentence that backs the statement

  function show(cite) {
    const source = byId(cite.hash.slice(1));
    if (!source || cite.closest(".refusal")) return; // a nearest paper is named in full already
    hide();
    card = document.createElement("div");
    card.id = "hover-card";
    card.setAttribute("role", "tooltip");
    const lines = [source.querySelector(".title"), source.querySelector(".byline"), ...marks(cite)];
    for (const line of lines.filter(Boolean)) {
      const part = document.createElement(line.tagName === "MARK" ? "blockquote" : "p");
      part.className = line.className;
      part.textContent = line.textContent;
      card.append(part);
    }
    card.addEventListener("mouseleave", hide);
    document.querySelector(".gradio-container").append(card);
    cite.setAttribute("aria-describedby", card.id);
    place(cite.getBoundingClientRect());
  }

  function place(at) {
    const { width, height } = card.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left - 16), document.documentElement.clientWidth - width - 8);
    const above = at.top - height; // no gap, so that the mouse can move into it
    card.style.left = `${left}px`;
    card.style.top = `${above > 8 ? above : at.bottom}px`;
  }

  function hide() {
    card?.remove();
    card = null;
  }

  // --- buttons: some act here, the others tell the page

  const here = {
    back,
    copy: async (button) => {
      const markdown = button.dataset.markdown;
      await write(markdown);
      copied = markdown;
      tellCopied();
      setTimeout(() => ((copied = ""), tellCopied()), 1500);
    },
    export: async (button, _trigger, server) => {
      const { format, papers } = button.dataset;
      const file = await server.references({ format, papers });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([file.text], { type: file.type }));
      link.download = file.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
  };
  const told = { ask: "submit", retry: "retry", edit: "edit", only: "select", widen: "clear", keep: "undo" };

  async function write(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea"); // beyond https and loopback there is no clipboard to write to
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  function tellCopied() {
    for (const each of document.querySelectorAll('button[data-do="copy"]')) {
      const word = copied && each.dataset.markdown === copied ? "Copied" : "Copy";
      if (each.textContent !== word) each.textContent = word;
    }
  }

  // --- wiring

  function attach(element, trigger, server, watch) {
    watch("value", restore);
    element.addEventListener("click", (event) => {
      const cite = event.target.closest("a.cite");
      const summary = event.target.closest("summary");
      const button = event.target.closest("button[data-do]");
      if (cite) {
        event.preventDefault();
        open(cite);
      } else if (summary) {
        toggled(summary);
      } else if (button) {
        const what = button.dataset.do;
        if (what in here) here[what](button, trigger, server);
        else trigger(told[what], { ...button.dataset });
      }
    });
    for (const [begin, end] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
      element.addEventListener(begin, (event) => {
        const cite = event.target.closest("a.cite");
        if (cite && (begin === "mouseover" || cite.matches(":focus-visible"))) show(cite);
      });
      element.addEventListener(end, (event) => {
        // The card may be entered with the mouse, so that it can be read, enlarged, copied from.
        if (event.target.closest("a.cite") && !card?.contains(event.relatedTarget)) hide();
      });
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (card) hide();
    else if (document.activeElement?.closest(".card")) back();
  });
  addEventListener(
    "scroll",
    ({ target }) => {
      hide();
      if (target.matches?.(".sources")) scrolled.set(target.closest(".turn").id, target.scrollTop);
    },
    { passive: true, capture: true },
  );

  setInterval(() => {
    for (const each of document.querySelectorAll(".ticking")) {
      each.since ??= performance.now();
      each.textContent = `${((performance.now() - each.since) / 1000).toFixed(1)} s`;
    }
  }, 200);

  // --- after the page changed

  function focusBox() {
    if (matchMedia("(pointer: fine)").matches) box()?.focus({ preventScroll: true });
  }

  function ready() {
    const active = document.activeElement;
    if (!active || active === document.body || active.closest("#askbar")) focusBox();
  }

  function asked() {
    requestAnimationFrame(toLatest);
    focusBox();
  }

  // Where a page begins: at the last question, unless it is the only one.
  function latest() {
    requestAnimationFrame(() => (document.querySelector("#past .turn") ? toLatest() : scrollTo(0, 0)));
  }

  const toLatest = () => document.querySelector("#now .turn")?.scrollIntoView({ block: "start" });

  return { token, attach, ready, asked, latest, focusBox };
})();
