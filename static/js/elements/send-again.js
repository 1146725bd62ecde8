// The portal is away when a question is sent (it restarts, say): who sends it again? This does, when it is back.
// With the same client_id: had the first attempt been saved after all, it is still one question.

const AWAY = [502, 503, 504]; // the portal's own while it ends, and what proxies say when it is gone
const PATIENCE = 120_000;

class SendAgain extends HTMLElement {
  #form = null;
  #timer = null;
  #since = null;
  #listeners = new AbortController();

  connectedCallback() {
    this.#form = this.closest("form");
    const signal = { signal: this.#listeners.signal };
    this.#form.addEventListener("htmx:beforeRequest", () => clearTimeout(this.#timer), signal);
    this.#form.addEventListener("htmx:sendError", (event) => this.#wait(event), signal);
    this.#form.addEventListener("htmx:responseError", (event) => this.#refused(event), signal);
    this.#form.addEventListener("input", () => this.#giveUp(), signal);
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearTimeout(this.#timer);
  }

  #refused(event) {
    if (AWAY.includes(event.detail.xhr.status)) this.#wait(event);
    else this.#giveUp();
  }

  // In its own time, so that not all pages come at once. After a while the toast says that it was not sent.
  #wait(event) {
    this.#since ??= Date.now();
    if (Date.now() - this.#since > PATIENCE) return this.#giveUp();
    event.stopPropagation();
    this.hidden = false;
    this.#timer = setTimeout(() => this.#form.requestSubmit(), 1000 + Math.random() * 3000);
  }

  // Whoever changes the words sends them, too.
  #giveUp() {
    clearTimeout(this.#timer);
    this.#since = null;
    this.hidden = true;
  }
}

customElements.define("send-again", SendAgain);
