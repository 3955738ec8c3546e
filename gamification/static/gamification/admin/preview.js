/* Shows while somebody types what the server makes of it: the rule in words, and the card. */
(() => {
  "use strict";

  const PAUSE = 300; // milliseconds without a key
  const config = JSON.parse(document.getElementById("gamification-editor").textContent);
  const sentence = document.getElementById("gamification-sentence");
  const cards = document.getElementById("gamification-cards");
  const form = document.getElementById("achievement_form");
  const rule = form.elements.conditions;
  const token = form.elements.csrfmiddlewaretoken;
  if (!sentence || !cards || !token || !form.elements.name) return;

  const names = ["name", "description", "icon", "rarity", "xp_reward", "is_hidden", "conditions"];
  let waiting = 0;
  let asked = null;

  function typed() {
    const data = new FormData(form);
    const body = new URLSearchParams(config.fixed); // what this person may not change
    for (const name of names) if (data.has(name)) body.set(name, data.get(name));
    return body;
  }

  async function ask() {
    asked?.abort();
    const mine = (asked = new AbortController());
    try {
      const response = await fetch(config.url, {
        method: "POST",
        headers: { "X-CSRFToken": token.value },
        body: typed(),
        redirect: "error",
        signal: mine.signal,
      });
      if (!response.ok) throw new Error(response.statusText);
      show(await response.json());
    } catch {
      if (!mine.signal.aborted) sentence.textContent = config.texts.no_answer;
    }
  }

  function show(answer) {
    cards.innerHTML = answer.cards;
    const checked = new CustomEvent("gamification:checked", { detail: answer, cancelable: true });
    const isFinished = !rule || rule.dispatchEvent(checked);
    const said = isFinished ? answer.sentence : config.texts.unfinished;
    if (sentence.textContent !== said) sentence.textContent = said;
  }

  function soon(event) {
    if (!names.includes(event.target.name)) return;
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  if (document.querySelector(".errornote")) ask();
})();
