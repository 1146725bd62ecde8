// The box one writes in: when does Enter send, and what becomes of unsent words?

const touch = matchMedia("(hover: none) and (pointer: coarse)");
const RUNNING = ".message:is([data-state='pending'], [data-state='streaming'])";

class ChatComposer extends HTMLElement {
  #form = null;
  #text = null;
  #composedAt = -Infinity;
  #listeners = new AbortController();

  connectedCallback() {
    this.#form = this.closest("form");
    this.#text = this.querySelector("textarea");
    this.#listen();
    this.#restoreDraft();
    this.#refresh();
    if (!touch.matches && document.activeElement === document.body) this.#focus();
    // The panel scrolls by itself; on a phone what is wrong may lie below its edge.
    this.querySelector(".field__error")?.scrollIntoView({ block: "nearest" });
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #listen() {
    const signal = { signal: this.#listeners.signal };
    this.#text.addEventListener("keydown", (event) => this.#key(event), signal);
    this.#text.addEventListener("compositionend", (event) => (this.#composedAt = event.timeStamp), signal);
    this.#text.addEventListener("input", () => this.#typed(), signal);
    this.#form.addEventListener("input", () => this.#weigh(), signal);
    this.querySelector(".composer__stop").addEventListener("click", () => this.#stop(), signal);
    this.#onSending("htmx:beforeRequest", () => this.#sending());
    this.#onSending("htmx:beforeOnLoad", (event) => this.#answered(event.detail.xhr));
    this.#onSending("htmx:afterRequest", () => (this.#text.readOnly = false));
    document.addEventListener("composer:insert", (event) => this.#insert(event.detail), signal);
  }

  // What is asked while one writes, how much it could cost, sends nothing.
  #onSending(name, hear) {
    const heard = (event) => event.target === this.#form && hear(event);
    this.#form.addEventListener(name, heard, { signal: this.#listeners.signal });
  }

  #key(event) {
    if (this.#composing(event)) return;
    if (event.key === "Escape") this.#escape();
    if (event.key !== "Enter" || event.shiftKey) return;
    if (touch.matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    if (this.#text.value.trim() && !document.querySelector(RUNNING)) this.#form.requestSubmit();
  }

  // Safari ends the composition just before the Enter that ended it; others say isComposing or 229.
  #composing(event) {
    return event.isComposing || event.keyCode === 229 || event.timeStamp - this.#composedAt < 50;
  }

  #escape() {
    const options = this.querySelector("details[open]");
    if (options) options.open = false;
    else this.#stop();
  }

  #stop() {
    for (const form of document.querySelectorAll(`${RUNNING} .message__stop`)) form.requestSubmit();
  }

  #typed() {
    sessionStorage.setItem(this.#draftKey, this.#text.value);
    this.#refresh();
  }

  // A short question to one model is not worth a request. A character is at most about a token.
  #weigh() {
    const forecast = this.querySelector(".composer__forecast");
    const size = Number(forecast.dataset.tokensSoFar) + this.#text.value.length;
    const several = Number(this.#form.elements.n?.value) > 1;
    if (several || size > Number(forecast.dataset.long) || forecast.childElementCount) forecast.dispatchEvent(new Event("weigh"));
  }

  #refresh() {
    this.querySelector(".composer__send").disabled = !this.#text.value.trim();
    if (CSS.supports("field-sizing", "content")) return;
    this.#text.style.blockSize = "auto";
    this.#text.style.blockSize = `${this.#text.scrollHeight}px`;
  }

  #insert(words) {
    this.#text.value = words;
    this.#typed();
    this.#focus();
  }

  #focus() {
    const wrong = this.querySelector("[aria-invalid='true']");
    (wrong ?? this.#text).focus({ preventScroll: true });
    this.#text.setSelectionRange(this.#text.value.length, this.#text.value.length);
  }

  // What is typed while the answer to the POST is on its way would be lost with the old box.
  #sending() {
    this.#text.readOnly = true;
    if (touch.matches) this.#text.blur();
  }

  // A sign-in page instead of a fresh composer means that nothing was sent: the draft stays.
  #answered(xhr) {
    const elsewhere = new URL(xhr.responseURL || location.href).pathname !== new URL(this.#form.action).pathname;
    if (xhr.status >= 300 || elsewhere) return;
    sessionStorage.removeItem(this.#draftKey);
    this.dispatchEvent(new CustomEvent("composer:sent", { bubbles: true }));
  }

  #restoreDraft() {
    if (!this.#text.value) this.#text.value = sessionStorage.getItem(this.#draftKey) ?? "";
  }

  get #draftKey() {
    return `draft:${new URL(this.#form.action).pathname}`;
  }
}

customElements.define("chat-composer", ChatComposer);
