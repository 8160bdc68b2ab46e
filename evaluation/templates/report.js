"use strict";
(function () {
  var form = document.querySelector("form.filter");
  if (!form) return;
  var cards = Array.from(document.querySelectorAll("article.pair"));
  var texts = cards.map(function (card) { return card.textContent.toLowerCase(); });
  var output = form.querySelector("output");
  function show() {
    var words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    var kind = form.elements.kind.value;
    var source = form.elements.source.value;
    var count = 0;
    cards.forEach(function (card, i) {
      var fits = (!kind || card.dataset.kind === kind) && (!source || card.dataset.source === source) &&
        words.every(function (word) { return texts[i].includes(word); });
      card.hidden = !fits;
      count += fits ? 1 : 0;
    });
    output.textContent = count + " of " + cards.length + " shown";
  }
  form.addEventListener("input", show);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.hidden = false;
  show();
})();
