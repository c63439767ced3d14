"use strict";

// Every page works without this file; what is here saves clerks keystrokes and protects them
// from a double click.

(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const isTyping = (element) =>
    element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

  // Keys: data-key="F9", "Alt+n", "Ctrl+Enter" on a link, button or field.

  const nameOfKey = (event) => {
    const parts = [];
    if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
    if (event.altKey) parts.push("Alt");
    const letter = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.key;
    parts.push(letter.length === 1 ? letter.toUpperCase() : letter);
    return parts.join("+");
  };

  const normalKey = (text) =>
    text.split("+").map((part) => (part.length === 1 ? part.toUpperCase() : part)).join("+");

  const isShown = (element) => element.getClientRects().length > 0;

  const holderOfKey = (key) => {
    const dialog = document.querySelector("dialog[open]");
    return all("[data-key]", dialog || document).find(
      (element) => normalKey(element.dataset.key) === key && isShown(element),
    );
  };

  const markKeys = (root) => {
    for (const element of all("[data-key]", root)) {
      const key = normalKey(element.dataset.key);
      element.setAttribute("aria-keyshortcuts", key.replace("Ctrl", "Control"));
      if (isTyping(element) || element.querySelector(":scope > .key-hint")) continue;
      const hint = document.createElement("kbd");
      hint.className = "key-hint";
      hint.setAttribute("aria-hidden", "true");
      hint.textContent = key;
      element.append(hint);
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Alt") document.body.classList.add("shows-keys");
    if (event.defaultPrevented || event.isComposing) return;
    const key = nameOfKey(event);
    const isPlainCharacter = key.length === 1;
    if (isPlainCharacter && isTyping(event.target)) return;
    if (key === "/") {
      const search = all("[data-search]").find(isShown);
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
      return;
    }
    const holder = holderOfKey(key);
    if (!holder) return;
    event.preventDefault();
    holder.focus();
    if (isTyping(holder)) holder.select?.();
    else holder.click();
  });
  const hideKeys = () => document.body.classList.remove("shows-keys");
  document.addEventListener("keyup", (event) => event.key === "Alt" && hideKeys());
  window.addEventListener("blur", hideKeys);

  // Search: arrows walk through the results, Escape leaves them.

  const resultsOf = (input) => document.getElementById(input.dataset.results);

  document.addEventListener("input", (event) => {
    const input = event.target.closest("[data-search]");
    if (input && !input.value.trim()) resultsOf(input)?.replaceChildren();
  });

  document.addEventListener("keydown", (event) => {
    const search = event.target.closest?.(".search, [data-finder]");
    if (!search) return;
    const input = search.querySelector("[data-search]");
    const results = input && resultsOf(input);
    if (!results) return;
    if (event.key === "Escape") {
      results.replaceChildren();
      input.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [input, ...all("a, button", results)];
    if (!step || stops.length === 1) return;
    event.preventDefault();
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  });

  // A menu or list of results closes when the person turns elsewhere.

  document.addEventListener("click", (event) => {
    for (const drop of all("details[data-drop][open]")) {
      if (!drop.contains(event.target)) drop.open = false;
    }
    if (!event.target.closest(".search, [data-finder]")) {
      for (const input of all(".search [data-search]")) resultsOf(input)?.replaceChildren();
    }
  });
  document.addEventListener("keydown", (event) => {
    const drop = event.key === "Escape" && event.target.closest?.("details[data-drop][open]");
    if (!drop) return;
    drop.open = false;
    drop.querySelector("summary").focus();
  });

  // A form that writes is sent once. data-repeatable on the form allows more.

  const release = (form) => {
    delete form.dataset.sent;
    for (const button of all("[data-busy]", form)) {
      button.removeAttribute("data-busy");
      button.removeAttribute("aria-disabled");
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("data-repeatable")) return;
    if (form.target === "_blank") return;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    button?.setAttribute("data-busy", "");
    button?.setAttribute("aria-disabled", "true");
  }, true);
  window.addEventListener("pageshow", () => all("form[data-sent]").forEach(release));
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form[data-sent]");
    if (form) release(form);
  });

  // Dialogs: data-dialog-open="id" on a link or button; without script the link is followed.

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    const dialog = opener && document.getElementById(opener.dataset.dialogOpen);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
    const closer = event.target.closest("[data-dialog-close]");
    if (closer) closer.closest("dialog").close();
    if (event.target.matches("dialog")) event.target.close();
    if (event.target.closest("[data-print]")) window.print();
  });

  // Messages: the server sends HX-Trigger {"flash": {"kind": "success", "text": "…"}}.

  const KINDS = ["info", "success", "warning", "error"];

  const flash = (kind, text) => {
    const region = document.getElementById("flash");
    if (!region || !text) return;
    const alert = document.createElement("div");
    const body = document.createElement("div");
    const words = document.createElement("div");
    alert.className = `usa-alert usa-alert--${KINDS.includes(kind) ? kind : "info"} usa-alert--slim`;
    body.className = "usa-alert__body";
    words.className = "usa-alert__text";
    words.textContent = text;
    body.append(words);
    alert.append(body);
    region.replaceChildren(alert);
    alert.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("flash", (event) => flash(event.detail.kind, event.detail.text));
  document.addEventListener("htmx:sendError", () =>
    flash("error", "No answer came. Look whether it was done before you try again."));
  document.addEventListener("htmx:timeout", () =>
    flash("error", "The answer took too long. Look whether it was done before you try again."));
  document.addEventListener("htmx:responseError", (event) => {
    const reference = event.detail.xhr.getResponseHeader("X-Reference");
    flash("error", `That did not work.${reference ? ` Reference ${reference}.` : ""}`);
  });

  // Progress is spoken at each quarter, not at each second.

  let quarterSpoken = 0;
  const speakProgress = (root) => {
    const bar = root.matches?.("[data-progress]") ? root : root.querySelector?.("[data-progress]");
    if (!bar) return;
    const percent = Number(bar.dataset.progress);
    const quarter = Math.floor(percent / 25);
    if (quarter === quarterSpoken) return;
    quarterSpoken = quarter;
    const region = document.getElementById("spoken");
    if (region) region.textContent = `${percent} percent done`;
  };

  // Counting cash: pieces times value, and the sum, in whole cents.

  const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
  const showCents = (cents) => dollars.format(cents / 100);

  const count = (grid) => {
    let total = 0;
    for (const input of all("input[data-cents]", grid)) {
      const text = input.value.trim();
      const isWhole = /^\d{0,6}$/.test(text);
      const cents = isWhole ? Number(text) * Number(input.dataset.cents) : 0;
      total += cents;
      const amount = input.closest("tr").querySelector("[data-amount]");
      amount.textContent = text && isWhole ? showCents(cents) : "";
    }
    grid.querySelector("[data-total]").textContent = showCents(total);
  };

  document.addEventListener("input", (event) => {
    const grid = event.target.closest("[data-denominations]");
    if (grid) count(grid);
  });
  document.addEventListener("keydown", (event) => {
    const grid = event.target.closest?.("[data-denominations]");
    const step = { ArrowDown: 1, ArrowUp: -1, Enter: 1 }[event.key];
    if (!grid || !step) return;
    const inputs = all("input[data-cents]", grid);
    const next = inputs[inputs.indexOf(event.target) + step];
    if (next) {
      event.preventDefault();
      next.focus();
      next.select();
    }
  });

  // A table is a stop for the keyboard only while it has something to scroll to.

  const measure = (region) => {
    const overflows =
      region.scrollWidth > region.clientWidth + 1 || region.scrollHeight > region.clientHeight + 1;
    if (overflows) region.setAttribute("tabindex", "0");
    else region.removeAttribute("tabindex");
  };
  const watcher = new ResizeObserver((entries) => entries.forEach(({ target }) => measure(target)));

  const prepare = (root) => {
    markKeys(root);
    speakProgress(root);
    all("[data-table]", root).forEach((region) => watcher.observe(region));
    all("[data-denominations]", root).forEach(count);
    const start = root.querySelector("[data-autofocus]");
    (start?.matches("section") ? start.querySelector("select, input:not([type=hidden])") : start)?.focus();
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.documentElement.classList.add("has-script");
    prepare(document);
  });
  document.addEventListener("htmx:load", (event) => {
    if (event.target !== document.body) prepare(event.target.parentElement || event.target);
  });
})();
