"use strict";
// Shows the pairs of the JSON block a page at a time, filters them, and remembers what is kept and dropped.
// Texts of documents reach the page through textContent only.
(function () {
  const root = document.getElementById("review");
  if (!root) return;
  const PAGE = 20;
  const data = JSON.parse(document.getElementById("review-data").textContent);
  const KEY = "doceo review " + data.run;
  const entries = data.pairs.concat(data.rejected);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const form = root.querySelector("form");
  const list = root.querySelector(".list");
  let decisions = new Map();
  let found = entries;
  let page = 0;

  // ---- decisions -------------------------------------------------------------------------------------------------
  const decidable = (entry) => !entry.reason || entry.reason === "review";
  const decisionOf = (entry) => (decisions.get(entry.id) || {}).decision || "";

  function remember() {
    const all = {};
    decisions.forEach((value, id) => { all[id] = value; });
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch (error) {
      root.querySelector(".unkept").hidden = false;
    }
  }

  function recall() {
    let stored = {};
    try {
      stored = JSON.parse(localStorage.getItem(KEY) || "{}") || {};
    } catch (error) {
      root.querySelector(".unkept").hidden = false;
    }
    for (const [id, value] of Object.entries(Object.assign({}, data.decisions, stored))) {
      // An empty decision takes back one that was saved earlier.
      if (byId.has(id) && value && ["keep", "drop", ""].includes(value.decision)) {
        decisions.set(id, { decision: value.decision, note: String(value.note || "") });
      }
    }
  }

  function decide(entry, decision) {
    if (!decidable(entry)) return;
    const note = (decisions.get(entry.id) || {}).note || "";
    decisions.set(entry.id, { decision: decision, note: decision === "drop" ? note : "" });
    remember();
    tally();
    const card = list.querySelector('[data-at="' + found.indexOf(entry) + '"]');
    if (card) paint(card, entry);
  }

  function tally() {
    const counts = { keep: 0, drop: 0, open: 0 };
    entries.filter(decidable).forEach((entry) => { counts[decisionOf(entry) || "open"] += 1; });
    root.querySelector(".tally").textContent =
      counts.keep + " kept, " + counts.drop + " dropped, " + counts.open + " not decided";
    root.querySelector(".save").disabled = !(counts.keep + counts.drop);
  }

  function save() {
    const made = [];
    decisions.forEach((value, id) => {
      if (value.decision) made.push({ pair_id: id, decision: value.decision, note: value.note });
    });
    const text = JSON.stringify({ run: data.run, decisions: made }, null, 1) + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "review.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // ---- one pair --------------------------------------------------------------------------------------------------
  function element(tag, name, text) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function prose(tag, name, text) {
    const made = element(tag, name, text);
    made.dir = "auto";
    return made;
  }

  function sourceOf(entry, source) {
    const figure = element("figure", "source");
    const caption = figure.appendChild(element("figcaption"));
    caption.appendChild(prose("span", "place", source.place));
    if (source.file) caption.append(" ", prose("span", "file", source.file));
    const quote = figure.appendChild(prose("blockquote", ""));
    for (const [kind, text] of source.parts) {
      quote.appendChild(element(kind === "mark" ? "mark" : kind === "heading" ? "b" : "span", "", text));
    }
    if (!entry.answerable) return figure;
    const proof = figure.appendChild(element("p", "proof"));
    proof.appendChild(element("span", source.found ? "yes" : "no",
      source.found ? (source.spans.length > 1 ? "✓ quotes verified" : "✓ quote verified") : "quote not verified"));
    proof.append(source.found
      ? " characters " + source.spans.map((span) => span[0] + "–" + span[1]).join(", ")
      : " the run does not hold these characters");
    return figure;
  }

  function saidOf(entry, at) {
    const said = element("div", "said");
    for (const [role, text] of entry.history || []) {
      const turn = said.appendChild(prose("p", "turn"));
      turn.append(element("b", "", { user: "asked", assistant: "answered", system: "given" }[role] + " before"), " " + text);
    }
    const title = said.appendChild(prose("h3", "", entry.question));
    title.id = "q" + at;
    said.appendChild(prose("p", "answer", entry.answer));
    if (entry.rationale) {
      const why = said.appendChild(element("details"));
      why.appendChild(element("summary", "", "Reasoning"));
      why.appendChild(prose("p", "rationale", entry.rationale));
    }
    const tags = said.appendChild(element("p", "tags"));
    if (entry.set) tags.appendChild(element("span", "tag set-" + entry.set.replace(/[^\w-]/g, ""), entry.set));
    [entry.answerable ? "" : "no answer", entry.kind, entry.difficulty, entry.topic].forEach((text, i) => {
      if (text && !(i === 1 && text === "unanswerable")) tags.appendChild(prose("span", "tag", text));
    });
    Object.entries(entry.scores || {}).forEach(([name, value]) => tags.appendChild(element("span", "tag", name + " " + value)));
    if (entry.reason) said.appendChild(prose("p", "why", "rejected: " + words(entry.reason) + (entry.detail ? ", " + entry.detail : "")));
    return said;
  }

  function buttonsOf(entry) {
    const row = element("div", "decide");
    for (const [decision, label] of [["keep", "Keep"], ["drop", "Drop"]]) {
      const button = row.appendChild(element("button", decision, label));
      button.type = "button";
      button.setAttribute("aria-keyshortcuts", decision[0]);
      button.addEventListener("click", () => decide(entry, decisionOf(entry) === decision ? "" : decision));
    }
    const note = row.appendChild(element("input", "note-of"));
    note.placeholder = "why? (optional)";
    note.setAttribute("aria-label", "Why it is dropped, optional");
    note.addEventListener("input", () => {
      decisions.set(entry.id, { decision: decisionOf(entry), note: note.value });
      remember();
    });
    return row;
  }

  function cardOf(entry, at) {
    const card = element("article", "work pair");
    card.setAttribute("role", "listitem");
    card.setAttribute("aria-labelledby", "q" + at);
    card.tabIndex = -1;
    card.dataset.at = at;
    const said = card.appendChild(saidOf(entry, at));
    if (decidable(entry)) said.appendChild(buttonsOf(entry));
    const proofs = card.appendChild(element("div", "proofs"));
    if (!entry.answerable) {
      proofs.appendChild(element("p", "quiet", entry.searched
        ? "No answer in the documents; " + entry.searched + (entry.searched > 1 ? " passages were" : " passage was") + " searched:"
        : "No answer in the documents."));
    } else if (!entry.sources) {
      proofs.appendChild(element("p", "quiet", entry.reason ? "No words of a document were found for it." : "No evidence: this pair came without a source."));
    }
    (entry.sources || []).forEach((source) => proofs.appendChild(sourceOf(entry, source)));
    paint(card, entry);
    return card;
  }

  function paint(card, entry) {
    const decision = decidable(entry) ? decisionOf(entry) : ""; // a repeat has the id of the pair that it repeats
    card.classList.toggle("kept", decision === "keep");
    card.classList.toggle("dropped", decision === "drop");
    card.querySelectorAll(".decide button").forEach((button) =>
      button.setAttribute("aria-pressed", String(button.className === decision)));
    const note = card.querySelector(".note-of");
    if (note) {
      note.hidden = decision !== "drop";
      note.value = (decisions.get(entry.id) || {}).note || "";
    }
  }

  // ---- filter ----------------------------------------------------------------------------------------------------
  const words = (text) => text.replace(/_/g, " ");
  const files = (entry) => (entry.sources || []).map((source) => source.file || source.place);

  function textOf(entry) {
    if (entry.text === undefined) {
      const parts = (entry.sources || []).flatMap((source) => source.parts.map((part) => part[1]).concat(source.place, source.file));
      const turns = (entry.history || []).map((turn) => turn[1]);
      entry.text = [entry.question, entry.answer].concat(turns, parts).join("\n").toLowerCase();
    }
    return entry.text;
  }

  function options(name, rows, always) {
    const select = form.elements[name];
    rows.forEach(([value, label]) => {
      const option = select.appendChild(element("option", "", label));
      option.value = value;
    });
    select.parentElement.hidden = !always && rows.length < 3;
  }

  function counted(of) {
    const counts = new Map();
    entries.forEach((entry) => new Set(of(entry)).forEach((value) => { if (value) counts.set(value, (counts.get(value) || 0) + 1); }));
    return Array.from(counts).sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([value, n]) => [value, value + " (" + n + ")"]);
  }

  function fill() {
    const show = [["accepted", "accepted (" + data.pairs.length + ")"], ["open", "not decided"], ["keep", "kept"], ["drop", "dropped"]];
    const reasons = new Map();
    data.rejected.forEach((entry) => reasons.set(entry.reason, (reasons.get(entry.reason) || 0) + 1));
    if (reasons.size) {
      const all = data.rejectedInAll;
      show.push(["rejected", "rejected (" + (data.rejected.length < all ? data.rejected.length + " of " : "") + all + ")"]);
      reasons.forEach((n, reason) => show.push(["reason " + reason, "rejected: " + words(reason) + " (" + n + ")"]));
    }
    options("show", show, true);
    options("set", [["", "all sets"]].concat(counted((entry) => [entry.set])));
    options("kind", [["", "all kinds"]].concat(counted((entry) => [entry.kind])));
    options("difficulty", [["", "all"]].concat(counted((entry) => [entry.difficulty])));
    options("topic", [["", "all topics"]].concat(counted((entry) => [entry.topic])));
    options("document", [["", "all documents"]].concat(counted(files)));
    const scores = counted((entry) => Object.keys(entry.scores || {})).map(([name]) => [name, name]);
    options("score", [["", "any"]].concat(scores), scores.length > 0);
    form.elements.most.parentElement.hidden = !scores.length;
    options("order", [["", "as in the file"]].concat(scores.map(([name]) => [name, "lowest " + name + " first"])), scores.length > 0);
  }

  function fits(entry, wanted) {
    const show = wanted.show;
    if (show === "rejected" ? !entry.reason : show.startsWith("reason ") ? entry.reason !== show.slice(7) : false) return false;
    if (show === "accepted" && entry.reason) return false;
    if (["open", "keep", "drop"].includes(show) && !(decidable(entry) && (decisionOf(entry) || "open") === show)) return false;
    for (const name of ["set", "kind", "difficulty", "topic"]) {
      if (wanted[name] && (entry[name] || "") !== wanted[name]) return false;
    }
    if (wanted.document && !files(entry).includes(wanted.document)) return false;
    if (wanted.score && wanted.most !== "" && !((entry.scores || {})[wanted.score] <= Number(wanted.most))) return false;
    return wanted.words.every((word) => textOf(entry).includes(word));
  }

  function filter() {
    const wanted = { words: form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean) };
    for (const name of ["show", "set", "kind", "difficulty", "topic", "document", "score", "most", "order"]) {
      wanted[name] = form.elements[name].value;
    }
    found = entries.filter((entry) => fits(entry, wanted));
    if (wanted.order) {
      const score = (entry) => ((entry.scores || {})[wanted.order] === undefined ? Infinity : entry.scores[wanted.order]);
      found = found.map((entry, i) => [score(entry), i, entry]).sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1)).map((row) => row[2]);
    }
    turn(0);
  }

  // ---- pages and keys --------------------------------------------------------------------------------------------
  function turn(to) {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(Math.max(0, to), pages - 1);
    const first = page * PAGE;
    const shown = found.slice(first, first + PAGE);
    list.replaceChildren(...shown.map((entry, i) => cardOf(entry, first + i)));
    const text = found.length ? (first + 1) + "–" + (first + shown.length) + " of " + found.length : "No pair fits.";
    root.querySelectorAll(".count").forEach((count) => { count.textContent = text; });
    root.querySelectorAll('button[name="back"]').forEach((button) => { button.disabled = page === 0; });
    root.querySelectorAll('button[name="on"]').forEach((button) => { button.disabled = page >= pages - 1; });
  }

  function go(at) {
    if (at < 0 || at >= found.length) return;
    if (Math.floor(at / PAGE) !== page) turn(Math.floor(at / PAGE));
    const card = list.querySelector('[data-at="' + at + '"]');
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  }

  function leaf(by) {
    const before = page;
    turn(page + by);
    if (page !== before) go(page * PAGE);
  }

  list.addEventListener("keydown", (event) => {
    const card = event.target.closest("article");
    if (!card || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = Number(card.dataset.at);
    const entry = found[at];
    const acts = {
      k: () => { decide(entry, "keep"); go(at + 1); },
      d: () => { decide(entry, "drop"); go(at + 1); },
      u: () => decide(entry, ""),
      ArrowDown: () => go(at + 1),
      ArrowUp: () => go(at - 1),
      ArrowRight: () => leaf(1),
      ArrowLeft: () => leaf(-1),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  list.addEventListener("click", (event) => {
    const card = event.target.closest("article");
    if (card && !event.target.closest("button, input, summary") && !String(getSelection())) card.focus({ preventScroll: true });
  });
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  root.querySelectorAll('button[name="back"]').forEach((button) => button.addEventListener("click", () => leaf(-1)));
  root.querySelectorAll('button[name="on"]').forEach((button) => button.addEventListener("click", () => leaf(1)));
  root.querySelector(".save").addEventListener("click", save);
  root.querySelector(".how code").textContent = "doceo review " + data.run + " --apply review.json";

  recall();
  fill();
  filter();
  tally();
  root.hidden = false;
})();
