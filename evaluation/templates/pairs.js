// Shows the pairs of the JSON block, filters them, and remembers what is kept and dropped.
(function () {
  const root = document.getElementById("review");
  if (!root) return;
  const data = JSON.parse(document.getElementById("review-data").textContent);
  const KEY = "doceo review " + data.run;
  const entries = data.pairs.concat(data.rejected);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const form = root.querySelector("form");
  const decisions = new Map();

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
    const card = list.of(entry);
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
  function saidOf(entry, at) {
    const said = element("div", "said");
    said.append(...turns(entry.history));
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
    card.setAttribute("aria-labelledby", "q" + at);
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
    (entry.sources || []).forEach((source) => proofs.appendChild(passage(source, entry.answerable)));
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
    options(form.elements.show, show, true);
    options(form.elements.set, [["", "all sets"]].concat(counted((entry) => [entry.set])));
    options(form.elements.kind, [["", "all kinds"]].concat(counted((entry) => [entry.kind])));
    options(form.elements.difficulty, [["", "all"]].concat(counted((entry) => [entry.difficulty])));
    options(form.elements.topic, [["", "all topics"]].concat(counted((entry) => [entry.topic])));
    options(form.elements.document, [["", "all documents"]].concat(counted(files)));
    const scores = counted((entry) => Object.keys(entry.scores || {})).map(([name]) => [name, name]);
    options(form.elements.score, [["", "any"]].concat(scores), scores.length > 0);
    form.elements.most.parentElement.hidden = !scores.length;
    options(form.elements.order, [["", "as in the file"]].concat(scores.map(([name]) => [name, "lowest " + name + " first"])), scores.length > 0);
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
    let found = entries.filter((entry) => fits(entry, wanted));
    if (wanted.order) {
      const score = (entry) => ((entry.scores || {})[wanted.order] === undefined ? Infinity : entry.scores[wanted.order]);
      found = found.map((entry, i) => [score(entry), i, entry]).sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1)).map((row) => row[2]);
    }
    list.show(found);
  }

  // ---- pages and keys --------------------------------------------------------------------------------------------
  const list = paged(root, 20, "No pair fits.", cardOf, {
    k: (entry, at) => { decide(entry, "keep"); list.go(at + 1); },
    d: (entry, at) => { decide(entry, "drop"); list.go(at + 1); },
    u: (entry) => decide(entry, ""),
  });
  whenStill(form, filter);
  root.querySelector(".save").addEventListener("click", save);
  root.querySelector(".how code").textContent = "doceo review " + data.run + " --apply review.json";

  recall();
  fill();
  filter();
  tally();
  root.hidden = false;
})();
