// The figures of one set of questions at a time; slices along one axis at a time, and what a cell says in words.
(function () {
  const tabs = document.querySelector("#scores .tabs");
  if (!tabs) return;
  const buttons = Array.from(tabs.querySelectorAll("button"));
  const blocks = buttons.map((button) => document.getElementById(button.getAttribute("aria-controls")));

  // ---- sets ------------------------------------------------------------------------------------------------------
  function choose(at) {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-selected", String(i === at));
      button.tabIndex = i === at ? 0 : -1;
      blocks[i].hidden = i !== at;
    });
  }

  buttons.forEach((button, at) => {
    blocks[at].setAttribute("role", "tabpanel");
    blocks[at].setAttribute("aria-labelledby", button.id);
    button.addEventListener("click", () => choose(at));
    button.addEventListener("keydown", (event) => {
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = (to + buttons.length) % buttons.length;
      choose(next);
      buttons[next].focus();
    });
  });

  // ---- slices ----------------------------------------------------------------------------------------------------
  function tell(panel, cell, set, figure) {
    const told = panel.querySelector(".told");
    told.hidden = false;
    told.querySelector("span").textContent = cell.dataset.words;
    const button = told.querySelector("button");
    button.hidden = !questions;
    button.onclick = () => questions.show({ set: set, [figure.dataset.name]: cell.dataset.key });
  }

  function move(figure, cell, event) {
    const rows = Array.from(figure.querySelectorAll("tbody tr"), (row) => Array.from(row.querySelectorAll("td[data-words]")));
    const y = rows.findIndex((row) => row.includes(cell));
    const x = rows[y].indexOf(cell);
    const to = { ArrowDown: [y + 1, x], ArrowUp: [y - 1, x], ArrowRight: [y, x + 1], ArrowLeft: [y, x - 1] }[event.key];
    const next = to && (rows[to[0]] || [])[to[1]];
    if (!next) return;
    event.preventDefault();
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function slices(panel, set) {
    const figures = Array.from(panel.querySelectorAll(".heat"));
    const choice = panel.querySelector(".choice");
    const several = new Set(figures.map((figure) => figure.dataset.metric)).size > 1;
    const pick = (at) => {
      figures.forEach((figure, i) => { figure.hidden = i !== at; });
      Array.from(choice.children).forEach((button, i) => button.setAttribute("aria-pressed", String(i === at)));
      panel.querySelector(".told").hidden = true;
    };
    figures.forEach((figure, at) => {
      const label = figure.dataset.label + (several ? ", " + figure.dataset.metric : "");
      const button = choice.appendChild(element("button", "", label));
      button.type = "button";
      button.addEventListener("click", () => pick(at));
      const cells = Array.from(figure.querySelectorAll("td[data-words]"));
      cells.forEach((cell, i) => {
        cell.tabIndex = i ? -1 : 0;
        cell.addEventListener("focus", () => tell(panel, cell, set, figure));
        cell.addEventListener("mouseenter", () => tell(panel, cell, set, figure));
        cell.addEventListener("keydown", (event) => move(figure, cell, event));
      });
    });
    choice.hidden = figures.length < 2;
    pick(0);
  }

  blocks.forEach((block) => block.querySelectorAll(".heats").forEach((panel) => slices(panel, block.dataset.set)));
  tabs.hidden = buttons.length < 2;
  const linked = blocks.findIndex((block) => "#" + block.id === location.hash);
  choose(Math.max(0, linked));
  if (linked >= 0) blocks[linked].scrollIntoView();
})();
