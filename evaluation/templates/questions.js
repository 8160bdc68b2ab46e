// Shows every test question with the answers of all systems: searched, filtered, ordered. `questions.show` is for
// other scripts of the page.
const questions = (function () {
  const root = document.getElementById("browser");
  if (!root) return null;
  const data = JSON.parse(document.getElementById("questions-data").textContent);
  const form = root.querySelector("form");
  const names = data.systems.map((system) => system[0]);
  const [RIGHT, WRONG, REFUSED] = ["right", "wrong", "refused"].map((word) => data.outcomes.indexOf(word));
  const TITLES = { answerable: "Answerable", length: "Expected length", turn: "Turn" };
  data.questions.forEach((entry, at) => { entry.at = at; });

  // ---- one question ----------------------------------------------------------------------------------------------
  function replyOf(system, answer) {
    const [text, value, became, sources] = answer;
    const row = element("div", data.outcomes[became]);
    const who = row.appendChild(element("dt"));
    who.appendChild(element("span", "who tone-" + system[1], system[0]));
    if (value !== null) who.appendChild(element("b", "", String(Math.round(value))));
    if (data.outcomes[became] !== "unknown") who.appendChild(element("span", "outcome", data.outcomes[became]));
    const said = row.appendChild(prose("dd", "", text || "(nothing)"));
    if (sources.length) said.appendChild(prose("span", "from", sources.join(", ")));
    return row;
  }

  function fullOf(entry) {
    const full = element("div", "work");
    const said = full.appendChild(element("div", "said"));
    said.append(...turns(entry.history));
    (entry.references || []).forEach((reference, i) => {
      const expected = said.appendChild(prose("p", "expected", ""));
      expected.append(element("span", "", i ? "or" : "expected"), " " + reference);
    });
    const replies = said.appendChild(element("dl", "replies"));
    data.systems.forEach((system, i) => { if (entry.answers[i]) replies.appendChild(replyOf(system, entry.answers[i])); });
    const proofs = full.appendChild(element("div", "proofs"));
    (entry.sources || []).forEach((source) => proofs.appendChild(passage(source, true)));
    if (!entry.sources) {
      proofs.appendChild(element("p", "quiet", entry.answerable ? "No evidence is known for this question." : "The documents do not answer this question."));
    }
    return full;
  }

  function becameOf(system, answer) {
    if (!answer) return element("span", "became", "");
    const word = data.outcomes[answer[2]];
    const value = answer[1] === null ? "" : " " + Math.round(answer[1]);
    const mark = element("span", "became " + word, { right: "✓", wrong: "✗", refused: "–", unknown: "·" }[word] + value);
    mark.dataset.system = system;
    mark.title = system + ": " + (word === "unknown" ? "" : word + ",") + " " + data.metric + value;
    mark.setAttribute("aria-label", mark.title);
    return mark;
  }

  function rowOf(entry) {
    const row = element("article", "row");
    const button = row.appendChild(element("button", "asked"));
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    const asked = button.appendChild(prose("span", "q", entry.question));
    const tags = asked.appendChild(element("span", "tags"));
    for (const axis of data.axes) {
      const value = axis.values[axis.of[entry.at]];
      if (value === undefined || ["document", "answerable", "length", "author"].includes(axis.name)) continue;
      tags.appendChild(prose("span", axis.name === "set" ? "tag set-" + value : "tag", axis.name === "turn" ? "turn " + value : value));
    }
    names.forEach((name, i) => button.appendChild(becameOf(name, entry.answers[i])));
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      if (open) row.lastElementChild.remove();
      else row.appendChild(fullOf(entry));
    });
    return row;
  }

  function heads() {
    const row = root.querySelector(".heads");
    row.append(element("span"), ...data.systems.map((system) => element("span", "who tone-" + system[1], system[0])));
    root.style.setProperty("--systems", names.length);
  }

  // ---- filter ----------------------------------------------------------------------------------------------------
  const became = (entry, i) => (entry.answers[i] ? entry.answers[i][2] : -1);
  const valueOf = (entry, i) => (entry.answers[i] ? entry.answers[i][1] : null);

  // The outcomes of one system, or of all of them, that can be asked for.
  const WISHES = {
    right: (own) => own.some((one) => one === RIGHT),
    wrong: (own) => own.some((one) => one === WRONG),
    refused: (own) => own.some((one) => one === REFUSED),
    lost: (own, others) => own.some((one) => one === WRONG || one === REFUSED) && others.some((one) => one === RIGHT),
    alone: (own, others) => own.some((one) => one === RIGHT) && !others.some((one) => one === RIGHT),
  };

  function fill() {
    for (const axis of data.axes) {
      const counts = new Map();
      axis.of.forEach((place) => counts.set(place, (counts.get(place) || 0) + 1));
      const label = element("label", "", (TITLES[axis.name] || axis.name[0].toUpperCase() + axis.name.slice(1)) + " ");
      const select = label.appendChild(element("select"));
      select.name = "axis " + axis.name;
      const known = axis.values.map((value, place) => [String(place), value + " (" + (counts.get(place) || 0) + ")"]);
      form.insertBefore(label, form.elements.system.parentElement);
      options(select, [["", "all"]].concat(known), true);
    }
    options(form.elements.system, [["", "any system"]].concat(names.map((name, i) => [String(i), name])));
    const wishes = [["", "anything"], ["right", "right"], ["wrong", "wrong"], ["refused", "a refusal it should not be"]];
    if (names.length > 1) wishes.push(["lost", "not right, another's is"], ["alone", "right, no other's is"]);
    options(form.elements.outcome, wishes, true);
    const orders = [["", "as asked"]];
    if (names.length > 1) orders.push(["apart", "where systems differ most"]);
    names.forEach((name, i) => orders.push(["low " + i, "worst of " + name + " first"]));
    options(form.elements.order, orders, true);
  }

  function textOf(entry) {
    if (entry.text === undefined) {
      const parts = (entry.sources || []).flatMap((source) => source.parts.map((part) => part[1]).concat(source.place, source.file || ""));
      const said = entry.answers.map((answer) => (answer ? answer[0] : ""));
      const before = (entry.history || []).map((turn) => turn[1]);
      entry.text = [entry.question].concat(entry.references || [], said, before, parts).join("\n").toLowerCase();
    }
    return entry.text;
  }

  function fits(entry, wanted) {
    if (wanted.axes.some(([axis, place]) => axis.of[entry.at] !== place)) return false;
    if (wanted.wish) {
      const all = names.map((_, i) => became(entry, i));
      const own = wanted.system === "" ? all : [all[Number(wanted.system)]];
      const others = wanted.system === "" ? all : all.filter((_, i) => i !== Number(wanted.system));
      if (!wanted.wish(own, others)) return false;
    }
    return wanted.words.every((word) => word === entry.id || textOf(entry).includes(word));
  }

  function rank(order) {
    if (order === "apart") {
      return (entry) => {
        const known = names.map((_, i) => valueOf(entry, i)).filter((value) => value !== null);
        return known.length > 1 ? Math.min(...known) - Math.max(...known) : Infinity;
      };
    }
    const i = Number(order.slice(4));
    return (entry) => { const value = valueOf(entry, i); return value === null ? Infinity : value; };
  }

  function filter() {
    const fields = form.elements;
    const chosen = data.axes.filter((axis) => fields["axis " + axis.name].value !== "");
    const wanted = {
      words: fields.text.value.toLowerCase().split(/\s+/).filter(Boolean),
      axes: chosen.map((axis) => [axis, Number(fields["axis " + axis.name].value)]),
      system: fields.system.value,
      wish: WISHES[fields.outcome.value],
    };
    let found = data.questions.filter((entry) => fits(entry, wanted));
    if (fields.order.value) {
      const by = rank(fields.order.value);
      found = found.map((entry) => [by(entry), entry.at, entry]).sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] < b[0] ? -1 : 1)).map((row) => row[2]);
    }
    list.show(found);
  }

  // Shows the questions that have these values, axis -> value, and no other filter.
  function show(values) {
    form.reset();
    for (const axis of data.axes) {
      const place = axis.values.indexOf(values[axis.name]);
      if (place >= 0) form.elements["axis " + axis.name].value = String(place);
    }
    filter();
    root.parentElement.scrollIntoView();
    form.elements.text.focus({ preventScroll: true });
  }

  const list = paged(root, 25, "No question fits.", rowOf, null);
  whenStill(form, filter);
  heads();
  fill();
  filter();
  root.hidden = false;
  return { show: show };
})();
