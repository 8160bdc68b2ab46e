"use strict";
// What the scripts of the page share. Texts of documents reach the page through textContent only.

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

// A passage with its marked words, and whether they stand in the document.
function passage(source, proven) {
  const figure = element("figure", "source");
  const caption = figure.appendChild(element("figcaption"));
  caption.appendChild(prose("span", "place", source.place));
  if (source.file) caption.append(" ", prose("span", "file", source.file));
  const quote = figure.appendChild(prose("blockquote", ""));
  for (const [kind, text] of source.parts) {
    quote.appendChild(element(kind === "mark" ? "mark" : kind === "heading" ? "b" : "span", "", text));
  }
  if (!proven) return figure;
  const proof = figure.appendChild(element("p", "proof"));
  proof.appendChild(element("span", source.found ? "yes" : "no",
    source.found ? (source.spans.length > 1 ? "✓ quotes verified" : "✓ quote verified") : "quote not verified"));
  proof.append(source.found
    ? " characters " + source.spans.map((span) => span[0] + "–" + span[1]).join(", ")
    : " the run does not hold these characters");
  return figure;
}

// The turns before a question.
function turns(history) {
  return (history || []).map(([role, text]) => {
    const turn = prose("p", "turn");
    turn.append(element("b", "", { user: "asked", assistant: "answered", system: "given" }[role] + " before"), " " + text);
    return turn;
  });
}

// Fills a select with [value, label] rows; one with a single choice beside "all" is hidden.
function options(select, rows, always) {
  for (const [value, label] of rows) select.appendChild(element("option", "", label)).value = value;
  select.parentElement.hidden = !always && rows.length < 3;
}

// Calls `act` when nothing has been typed or chosen in a form for a moment.
function whenStill(form, act) {
  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(act, 120);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

// A list that is shown `size` entries at a time, for mouse and keys; `card(entry, at)` makes what is shown of an entry,
// and `keys` are further keys of a card, each a function of (entry, at).
function paged(root, size, none, card, keys) {
  const list = root.querySelector(".list");
  let found = [];
  let page = 0;

  function turn(to) {
    const pages = Math.max(1, Math.ceil(found.length / size));
    page = Math.min(Math.max(0, to), pages - 1);
    const first = page * size;
    const shown = found.slice(first, first + size);
    list.replaceChildren(...shown.map((entry, i) => {
      const made = card(entry, first + i);
      made.setAttribute("role", "listitem");
      made.dataset.at = first + i;
      // The first can be reached with Tab, the others with the arrows.
      (made.querySelector(".asked") || made).tabIndex = i ? -1 : 0;
      return made;
    }));
    const text = found.length
      ? (first + 1).toLocaleString("en") + "–" + (first + shown.length).toLocaleString("en") + " of " + found.length.toLocaleString("en")
      : none;
    root.querySelectorAll(".count").forEach((count) => { count.textContent = text; });
    root.querySelectorAll('button[name="back"]').forEach((button) => { button.disabled = page === 0; });
    root.querySelectorAll('button[name="on"]').forEach((button) => { button.disabled = page >= pages - 1; });
  }

  function go(at) {
    if (at < 0 || at >= found.length) return;
    if (Math.floor(at / size) !== page) turn(Math.floor(at / size));
    const shown = list.querySelector('[data-at="' + at + '"]');
    (shown.querySelector(".asked") || shown).focus({ preventScroll: true });
    shown.scrollIntoView({ block: "nearest" });
  }

  function leaf(by) {
    const before = page;
    turn(page + by);
    if (page !== before) go(page * size);
  }

  list.addEventListener("keydown", (event) => {
    const shown = event.target.closest("article");
    if (!shown || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = Number(shown.dataset.at);
    const own = keys && keys[event.key.toLowerCase()];
    const acts = { ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), ArrowRight: () => leaf(1), ArrowLeft: () => leaf(-1) };
    const act = own ? () => own(found[at], at) : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  list.addEventListener("click", (event) => {
    const shown = event.target.closest("article");
    if (shown && !shown.querySelector(".asked") && !event.target.closest("button, input, summary") && !String(getSelection())) shown.focus({ preventScroll: true });
  });
  root.querySelectorAll('button[name="back"]').forEach((button) => button.addEventListener("click", () => leaf(-1)));
  root.querySelectorAll('button[name="on"]').forEach((button) => button.addEventListener("click", () => leaf(1)));
  return {
    show(entries) { found = entries; turn(0); },
    go: go,
    of(entry) { return list.querySelector('[data-at="' + found.indexOf(entry) + '"]'); },
  };
}
